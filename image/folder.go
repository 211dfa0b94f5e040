package image

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// folderContent reads the wanted files of an unpacked root filesystem. Links
// are followed inside it only.
func folderContent(dir string, limits Limits) (*Content, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	c := &Content{Version: contentVersion, Files: map[string][]byte{}, Links: map[string]string{}, Strange: map[string]int{}}
	read := func(name string) error {
		if !wanted(name) {
			return nil
		}
		f, err := root.Open(filepath.FromSlash(name))
		if err != nil {
			return nil // most candidates are not there
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		if info.Size() > limits.File {
			return fmt.Errorf("%s: want at most %d MiB: %w", name, limits.File>>20, errBound)
		}
		b, err := io.ReadAll(io.LimitReader(f, limits.File))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.Files[name] = b
		c.Entries++
		return nil
	}
	names := []string{"etc/os-release", "usr/lib/os-release", "lib/apk/db/installed", "usr/lib/apk/db/installed",
		"var/lib/apk/db/installed", "var/lib/dpkg/status"}
	for _, sub := range []string{"var/lib/dpkg/status.d", "var/lib/dpkg/info"} {
		entries, err := listFolder(root, sub)
		if err != nil {
			continue
		}
		for _, e := range entries {
			names = append(names, sub+"/"+e)
		}
	}
	for _, n := range names {
		if err := read(n); err != nil {
			return nil, err
		}
	}
	for _, n := range []string{"var/lib/rpm/Packages", "var/lib/rpm/rpmdb.sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite",
		"usr/lib/opkg/status"} {
		if _, err := root.Stat(n); err == nil {
			c.Foreign = append(c.Foreign, foreignDatabase(n))
		}
	}
	return c, nil
}

func listFolder(root *os.Root, name string) ([]string, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}
