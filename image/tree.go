package image

import (
	"maps"
	"path"
	"slices"
)

// tree is the wanted files of an image's layers, the upper ones over the lower.
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
