package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

const (
	others    = 0o077 // what accounts beside the owner may do with a file
	folders   = 0o700
	files     = 0o600
	toldFiles = 3 // how many changed files are told by name
)

// Claim makes the folder, and all that is in it, readable and writable by its owner alone, and
// returns what it changed, in words. What belongs to another account, and a link, is refused: whose
// it is could put other content there, or have a file elsewhere overwritten.
func (d Dir) Claim() (mended []string, err error) {
	if err := os.MkdirAll(string(d), folders); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if err := d.linked(); err != nil {
		return nil, err
	}
	root, err := filepath.EvalSymlinks(string(d))
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	changed := 0
	err = filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && file != root {
			return nil // ended meanwhile, as temporary files do
		}
		if err != nil {
			return err
		}
		was, err := claim(file, e)
		if err != nil || was == 0 {
			return err
		}
		if changed++; changed <= toldFiles {
			mended = append(mended, fmt.Sprintf("%s was open to others (mode %04o)", file, was))
		}
		return nil
	})
	if changed > toldFiles {
		mended = append(mended, fmt.Sprintf("and %d more files", changed-toldFiles))
	}
	if err != nil {
		return nil, fmt.Errorf("the data folder %s: %w", d, err)
	}
	return mended, nil
}

// claim closes one file to others. It returns the mode that the file had if that was open.
func claim(file string, e fs.DirEntry) (was fs.FileMode, err error) {
	info, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return 0, fmt.Errorf("%s is a link: put what it names in its place, or give another folder with --data", file)
	}
	if err := mine(file, info); err != nil {
		return 0, err
	}
	if info.Mode().Perm()&others == 0 {
		return 0, nil
	}
	mode := fs.FileMode(files)
	if info.IsDir() {
		mode = folders
	}
	return info.Mode().Perm(), os.Chmod(file, mode)
}

// linked refuses a link in the folder's own place that another account made. One's own is fine: it
// is how a person moves the folder to another disk.
func (d Dir) linked() error {
	info, err := os.Lstat(string(d))
	if err != nil {
		return err
	}
	if owner, known := ownerOf(info); info.Mode()&fs.ModeSymlink != 0 && known && owner != 0 && owner != os.Geteuid() {
		return fmt.Errorf("the data folder %s is a link that %s made: give another with --data", d, account(owner))
	}
	return nil
}

// mine refuses a file of another account.
func mine(file string, info fs.FileInfo) error {
	owner, known := ownerOf(info)
	if !known || owner == os.Geteuid() {
		return nil
	}
	return fmt.Errorf("%s belongs to %s, and this runs as %s: run it as %[2]s, or give another folder with --data",
		file, account(owner), account(os.Geteuid()))
}

func ownerOf(info fs.FileInfo) (uid int, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// account is the name of a user id, or the id where it has none, as in containers.
func account(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return "user " + strconv.Itoa(uid)
}
