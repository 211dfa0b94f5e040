package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Space is the room on the file system of a folder.
type Space struct{ Free, Total uint64 }

// SpaceOf asks the file system that a folder is on, or its nearest parent that is there.
func SpaceOf(folder string) (Space, error) {
	var st unix.Statfs_t
	err := unix.Statfs(folder, &st)
	for ; errors.Is(err, fs.ErrNotExist) && filepath.Dir(folder) != folder; err = unix.Statfs(folder, &st) {
		folder = filepath.Dir(folder)
	}
	if err != nil {
		return Space{}, fmt.Errorf("ask for the room on the disk of %s: %w", folder, err)
	}
	block := uint64(st.Bsize) //nolint:unconvert // it has another type on other systems
	return Space{Free: st.Bavail * block, Total: st.Blocks * block}, nil
}

// Ballast is a file that holds nothing but room. Where a disk is full, a start lets it go: to
// open the records, to say that the server is there and to sign in, some room is needed.
func (d Dir) ballast() string { return filepath.Join(string(d), "ballast") }

// KeepBallast makes the ballast if it is not there.
func (d Dir) KeepBallast(size int64) error {
	if info, err := os.Stat(d.ballast()); err == nil && info.Size() >= size {
		return nil
	}
	err := WriteFile(d.ballast(), func(w io.Writer) error {
		_, err := io.CopyN(w, zeros{}, size)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep some room on the disk for a start: %w", err)
	}
	return nil
}

// LetBallastGo gives its room back, and says whether there was any.
func (d Dir) LetBallastGo() bool { return os.Remove(d.ballast()) == nil }

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
