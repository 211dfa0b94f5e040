//go:build !unix

package vuln

// Lock does nothing where the system has no advisory file locks.
func Lock(string) (release func(), err error) { return func() {}, nil }
