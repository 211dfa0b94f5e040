package image

import (
	"archive/tar"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// overlay is the namespace of attributes in which an overlay file system marks what it takes away: trusted of one that root mounted,
// user of one without root. What an image brings in the other one means nothing to the kernel, and must mean nothing here: it would
// hide what runs.
type overlay string

const (
	ofRoot overlay = "trusted."
	ofUser overlay = "user."
)

// marksOf is the namespace of a storage, by whose it is.
func marksOf(dir string) overlay {
	if info, err := os.Stat(dir); err == nil {
		if is, ok := info.Sys().(*syscall.Stat_t); ok && is.Uid != 0 {
			return ofUser
		}
	}
	return ofRoot
}

// takenAway notes what an entry of an overlay's layer takes away from the layers beneath: a character device of number 0 takes away
// what has its name, a folder that is opaque all that was in it. Without root the kernel marks the first by an attribute of an
// empty file instead.
func (o overlay) takenAway(k *keeper, root *os.Root, name string, d fs.DirEntry, h *tar.Header) error {
	switch {
	case d.IsDir():
		if o.marked(root, name, "overlay.opaque") {
			return k.entry(&tar.Header{Name: path.Join(name, ".wh..wh..opq"), Typeflag: tar.TypeReg}, strings.NewReader(""))
		}
	case d.Type()&fs.ModeCharDevice != 0:
		info, err := d.Info()
		if err != nil {
			return nil // it counts as what it is: a device
		}
		if is, ok := info.Sys().(*syscall.Stat_t); ok && is.Rdev == 0 {
			h.Name = path.Join(path.Dir(name), ".wh."+path.Base(name))
		}
	case d.Type().IsRegular():
		if info, err := d.Info(); err == nil && info.Size() == 0 && o.marked(root, name, "overlay.whiteout") {
			h.Name = path.Join(path.Dir(name), ".wh."+path.Base(name))
		}
	}
	return nil
}

// marked says whether the overlay set an attribute.
func (o overlay) marked(root *os.Root, name, attribute string) bool {
	f, err := root.Open(name)
	if err != nil {
		return false // what cannot be opened cannot be read either, which is told
	}
	defer f.Close()
	var value [4]byte
	n, err := unix.Fgetxattr(int(f.Fd()), string(o)+attribute, value[:])
	return err == nil && n > 0 && value[0] == 'y'
}
