package image

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// tree is the wanted files of an image's layers, the upper ones over the lower.
// It is an fs.FS, because that is what extractors read from.
type tree struct {
	files map[string][]byte
	links map[string]string
}

func newTree() *tree { return &tree{files: map[string][]byte{}, links: map[string]string{}} }

// add lays a layer over what is there.
func (t *tree) add(c *Content) {
	t.remove(setOf(c.Opaque), setOf(c.Removed))
	for name, b := range c.Files {
		t.files[name] = b
		delete(t.links, name)
	}
	for name, to := range c.Links {
		t.links[name] = to
		delete(t.files, name)
	}
}

// remove forgets what lies below opaque folders and removed names, and those
// names themselves. It walks what is kept, not the whiteouts: they may be many.
func (t *tree) remove(opaque, removed map[string]bool) {
	if len(opaque)+len(removed) == 0 {
		return
	}
	gone := func(name string) bool {
		if removed[name] {
			return true
		}
		for dir := path.Dir(name); ; dir = path.Dir(dir) {
			if opaque[dir] || removed[dir] {
				return true
			}
			if dir == "." || dir == "/" {
				return opaque[""]
			}
		}
	}
	maps.DeleteFunc(t.files, func(n string, _ []byte) bool { return gone(n) })
	maps.DeleteFunc(t.links, func(n, _ string) bool { return gone(n) })
}

func setOf(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, n := range names {
		out[n] = true
	}
	return out
}

// resolve follows links, at most as many as Linux does.
func (t *tree) resolve(name string) string {
	for range 40 {
		to, linked := t.links[name]
		if !linked {
			return name
		}
		name = to
	}
	return ""
}

func (t *tree) read(name string) ([]byte, bool) {
	b, ok := t.files[t.resolve(name)]
	return b, ok
}

// names lists what is there, links included, sorted.
func (t *tree) names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for n := range t.files {
			if !yield(n) {
				return
			}
		}
		for n := range t.links {
			if !yield(n) {
				return
			}
		}
	})
}

// Open implements fs.FS for files.
func (t *tree) Open(name string) (fs.File, error) {
	b, ok := t.read(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{Reader: bytes.NewReader(b), info: fileInfo{path.Base(name), int64(len(b))}}, nil
}

// Stat implements fs.StatFS.
func (t *tree) Stat(name string) (fs.FileInfo, error) {
	if name == "etc" { // asked for to tell a Linux system from a plain folder
		return fileInfo{"etc", 0}, nil
	}
	b, ok := t.read(name)
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return fileInfo{path.Base(name), int64(len(b))}, nil
}

// ReadDir implements fs.ReadDirFS; no extractor that we use walks.
func (t *tree) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
}

type file struct {
	*bytes.Reader
	info fileInfo
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

var _ io.ReaderAt = (*file)(nil) // extractors ask for it

type fileInfo struct {
	name string
	size int64
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) Mode() fs.FileMode  { return 0o444 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) IsDir() bool        { return false }
func (i fileInfo) Sys() any           { return nil }
