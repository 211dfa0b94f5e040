package image

import (
	"maps"
	"slices"
	"strings"
)

// tree is the file system that an image's layers make, as far as it is kept: each
// lies over those below it. What there is no node for may still be in the image.
type tree struct{ root *node }

// node is a name in a tree: what it is, and where.
type node struct {
	name   string
	parent *node
	// children make it a folder; else it is what one change made it, of the layer that digest names.
	children map[string]*node
	Change
	layer string
}

func newTree() *tree { return &tree{root: &node{children: map[string]*node{}}} }

// add lays a layer over what is there: first what it takes away of the lower ones,
// then its own entries in their order.
func (t *tree) add(c *Content) { t.lay(c, "") }

func (t *tree) lay(c *Content, layer string) {
	for _, name := range c.Opaque {
		if n := t.walk(name, false, true); n != nil && n.children != nil {
			clear(n.children)
		}
	}
	for _, name := range c.Removed {
		if n := t.walk(name, false, false); n != nil && n.parent != nil {
			delete(n.parent.children, n.name)
		}
	}
	t.hide(c.Plain)
	for _, change := range c.Changes {
		t.change(change, layer)
	}
}

// hide takes away what has the name of a plain file of an upper layer.
func (t *tree) hide(plain []byte) {
	hashes := make(map[[hashSize]byte]bool, len(plain)/hashSize)
	for ; len(plain) >= hashSize; plain = plain[hashSize:] {
		hashes[[hashSize]byte(plain[:hashSize])] = true
	}
	if len(hashes) > 0 {
		t.root.hide("", hashes)
	}
}

func (n *node) hide(at string, hashes map[[hashSize]byte]bool) {
	for name, child := range n.children {
		if hashes[hashOf(at+name)] {
			delete(n.children, name)
		} else if child.children != nil {
			child.hide(at+name+"/", hashes)
		}
	}
}

// change replaces what is there by something else, but for a folder that stays one.
func (t *tree) change(c Change, layer string) {
	n := t.walk(c.Name, true, false)
	switch {
	case n == nil || n == t.root:
	case c.Kind != aFolder:
		if same := t.walk(c.Target, false, false); c.Kind == aHardLink && same != nil && same.Kind != "" {
			c = same.Change // it is the same file, whatever becomes of the other name
		}
		n.children, n.Change, n.layer = nil, c, layer
	case n.children == nil:
		n.children, n.Change = map[string]*node{}, Change{}
	}
}

// walk goes to a name, through links of folders on the way as Linux does, and through
// a link at its end if last says so. A missing folder is made if create says so.
func (t *tree) walk(name string, create, last bool) *node {
	at, rest, ends := t.steps(name, last)
	if !ends || len(rest) > 0 && !create {
		return nil
	}
	for _, part := range rest {
		if at.children == nil {
			at.children, at.Change = map[string]*node{}, Change{}
		}
		next := &node{name: part, parent: at}
		at.children[part] = next
		at = next
	}
	return at
}

// steps goes as far as there are nodes; rest is what then is missing. It ends after as
// many links as Linux follows.
func (t *tree) steps(name string, last bool) (at *node, rest []string, ends bool) {
	at, rest = t.root, strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		next := at.children[part]
		switch {
		case part == "" || part == ".":
		case part == "..":
			if at.parent != nil {
				at = at.parent
			}
		case next == nil:
			return at, missing(rest), true
		case next.Kind == aLink && (last || len(missing(rest)) > 1):
			if links++; links > 40 {
				return nil, nil, false
			}
			if strings.HasPrefix(next.Target, "/") {
				at = t.root
			}
			rest = append(strings.Split(next.Target, "/"), rest[1:]...)
			continue
		default:
			at = next
		}
		rest = rest[1:]
	}
	return at, nil, true
}

// missing are the steps of a name that was cut into pieces.
func missing(parts []string) (out []string) {
	for _, p := range parts {
		switch {
		case p == "" || p == ".":
		case p == ".." && len(out) > 0:
			out = out[:len(out)-1]
		case p != "..":
			out = append(out, p)
		}
	}
	return out
}

// path is the name of a node, without a link on the way.
func (n *node) path() string {
	var parts []string
	for ; n.parent != nil; n = n.parent {
		parts = append(parts, n.name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// resolve is the name behind all links, also where nothing is kept of it; empty
// where links go in a circle.
func (t *tree) resolve(name string) string {
	at, rest, ends := t.steps(name, true)
	if !ends {
		return ""
	}
	return strings.Trim(at.path()+"/"+strings.Join(rest, "/"), "/")
}

// leadsTo is where a file's content is to be looked for, if links lead there from its
// name; empty if it is kept, or is not there at all.
func (t *tree) leadsTo(name string) string {
	to := t.resolve(name)
	switch n := t.walk(name, false, true); {
	case n != nil && n.Kind == aHardLink:
		return n.Target
	case n != nil && (n.Kind == aFile || n.children != nil) || to == name:
		return ""
	}
	return to
}

// read is what a file holds, if that is kept.
func (t *tree) read(name string) ([]byte, bool) {
	n := t.walk(name, false, true)
	if n == nil || n.Kind != aFile {
		return nil, false
	}
	return n.Data, true
}

// there says that a name is one of no folder: a file, or a link that leads to nothing
// or to a file.
func (t *tree) there(name string) bool {
	if t.walk(name, false, false) == nil {
		return false
	}
	n := t.walk(name, false, true)
	return n == nil || n.children == nil
}

// list is the names in a folder, sorted.
func (t *tree) list(folder string) []string {
	n := t.walk(folder, false, true)
	if n == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(n.children))
}

// files calls each with everything that is no folder, in order of its name, until it
// says no.
func (t *tree) files(each func(name string, n *node) bool) { t.root.files("", each) }

func (n *node) files(at string, each func(string, *node) bool) bool {
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		child := n.children[name]
		switch {
		case child.children != nil:
			if !child.files(at+name+"/", each) {
				return false
			}
		case !each(at+name, child):
			return false
		}
	}
	return true
}

// foreign are the formats of databases that are there and that nobody reads.
func (t *tree) foreign() (out []string) {
	t.files(func(name string, n *node) bool {
		if format := foreignDatabase(name); n.Kind == aForeign && !slices.Contains(out, format) {
			out = append(out, format)
		}
		return true
	})
	slices.Sort(out)
	return out
}
