//go:build unix

package vuln

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Lock keeps two imports into one directory apart. The kernel releases it when
// the process ends, however it ends.
func Lock(dir string) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.New("another process writes into this directory")
	}
	return func() { _ = f.Close() }, nil
}
