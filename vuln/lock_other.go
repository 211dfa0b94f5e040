//go:build !unix

package vuln

// lock does nothing where the system has no advisory file locks.
func lock(string) (release func(), err error) { return func() {}, nil }
