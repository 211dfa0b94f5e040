package image

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// kernels are folders of a root filesystem that the kernel fills: no image has them.
var kernels = map[string]bool{"proc": true, "sys": true, "dev": true}

// folderContent reads an unpacked root filesystem as if it were one layer. Nothing
// outside is read: links are kept, as in a layer, and not followed. Of a layer of an overlay file system it is read what that takes
// away from the layers beneath.
func folderContent(ctx context.Context, dir string, marks overlay, b *budget, wanted *search) (*Content, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	k := newKeeper(wanted, b)
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if name == "." {
			return err
		}
		if kernels[name] && d.IsDir() {
			return fs.SkipDir
		}
		h := &tar.Header{Name: name, Typeflag: tar.TypeChar}
		if marks != "" && err == nil {
			if err := marks.takenAway(k, root, name, d, h); err != nil {
				return err
			}
		}
		if err == nil {
			err = describe(h, root, d)
		}
		if err == nil {
			content := &lazyFile{root: root, name: name}
			err = errors.Join(k.entry(h, content), content.Close())
		}
		if errors.Is(err, errBound) || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err != nil {
			k.content.unread(err)
		}
		return nil
	})
	return k.content, err
}

func (c *Content) unread(err error) {
	if c.Unread++; c.WhyUnread == "" {
		c.WhyUnread = err.Error()
	}
}

// describe fills the header of an archive for something in a folder.
func describe(h *tar.Header, root *os.Root, d fs.DirEntry) (err error) {
	switch d.Type() {
	case fs.ModeDir:
		h.Typeflag = tar.TypeDir
	case fs.ModeSymlink:
		h.Typeflag = tar.TypeSymlink
		h.Linkname, err = root.Readlink(h.Name)
	case 0:
		var info fs.FileInfo
		if info, err = d.Info(); err == nil {
			h.Typeflag, h.Size, h.Mode = tar.TypeReg, info.Size(), int64(info.Mode().Perm())
		}
	}
	return err
}

// lazyFile is a file that is opened when its first byte is asked for.
type lazyFile struct {
	root *os.Root
	name string
	f    *os.File
}

func (o *lazyFile) Read(p []byte) (n int, err error) {
	if o.f == nil {
		if o.f, err = o.root.Open(o.name); err != nil {
			return 0, err
		}
	}
	return o.f.Read(p)
}

func (o *lazyFile) Close() error {
	if o.f == nil {
		return nil
	}
	return o.f.Close()
}

var _ io.ReadCloser = (*lazyFile)(nil)
