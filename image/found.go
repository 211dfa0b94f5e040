package image

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/image/lang"
)

// brought says what in an image belongs to packages, and to which.
type brought struct {
	// owner is the package URL of the distribution's package that lists a file.
	owner map[string]string
	// files and folders belong to packages of languages.
	files, folders map[string]bool
	// seen are folders with an installed package of an ecosystem below, and "" if it is anywhere.
	seen map[string]map[string]bool
}

// has says that some package brought a file.
func (b *brought) has(name string) bool {
	if b.owner[name] != "" || b.files[name] {
		return true
	}
	for dir := path.Dir(name); len(b.folders) > 0 && dir != "." && dir != "/"; dir = path.Dir(dir) {
		if b.folders[dir] {
			return true
		}
	}
	return false
}

// own takes what the files of a tree say that packages of languages have.
func (b *brought) own(t *tree) {
	t.told(func(name string, n *node) {
		for _, own := range n.Told.Owns {
			if dir, folder := strings.CutSuffix(own, "/"); folder {
				b.folders[t.resolve(dir)] = true
			} else {
				dir, base := path.Split(own)
				b.files[strings.TrimPrefix(t.resolve(strings.Trim(dir, "/"))+"/"+base, "/")] = true
			}
		}
		if n.Told.Wanted || b.owner[name] != "" {
			return
		}
		for i := range n.Told.Packages {
			below := b.seen[n.Told.Packages[i].Ecosystem]
			if below == nil {
				below = map[string]bool{}
				b.seen[n.Told.Packages[i].Ecosystem] = below
			}
			below[""] = true
			for dir := path.Dir(name); dir != "." && !below[dir]; dir = path.Dir(dir) {
				below[dir] = true
			}
		}
	})
}

// installs says that what a list in a folder wants is installed. npm installs below the list,
// others in a place of their own.
func (b *brought) installs(ecosystem, folder string) bool {
	if ecosystem == "npm" && folder != "." {
		return b.seen[ecosystem][folder]
	}
	return ecosystem != "" && b.seen[ecosystem][""]
}

// told calls each with every file that tells of packages, in order of its name.
func (t *tree) told(each func(name string, n *node)) {
	t.files(func(name string, n *node) bool {
		if n.Kind == aRead && n.Told != nil {
			each(name, n)
		}
		return true
	})
}

// placed is a package in a file.
type placed struct {
	lang.Package
	file, layer, owner string
	wanted             bool
}

// languages lists the packages that single files tell of, each once. One that is both in files of the
// distribution's packages and in others is not the distribution's alone.
func (s *scan) languages(b *brought) {
	found := map[string][]placed{}
	total := len(s.inv.Packages)
	s.tree.told(func(name string, n *node) {
		if n.Told.Wanted && b.installed(n.Told, path.Dir(name)) {
			return
		}
		for _, p := range n.Told.Packages {
			url := p.PURL()
			if found[url] == nil {
				if total++; total > s.o.Limits.Packages {
					s.beyond[n.Target]++
					continue
				}
			}
			found[url] = append(found[url], placed{p, name, n.layer, b.owner[name], n.Told.Wanted})
		}
	})
	for url, places := range found {
		s.inv.Packages = append(s.inv.Packages, packageIn(url, places))
	}
	slices.SortFunc(s.inv.Packages, func(x, y Package) int {
		return cmp.Or(strings.Compare(x.PURL, y.PURL), strings.Compare(x.Database, y.Database))
	})
	brought := map[string]int{}
	for i := range s.inv.Packages {
		if p := &s.inv.Packages[i]; found[p.PURL] != nil {
			brought[p.Layer]++
		}
	}
	for i := range s.inv.Layers {
		s.inv.Layers[i].Packages += brought[s.inv.Layers[i].Digest]
	}
}

// installed says that what a list wants is there anyway.
func (b *brought) installed(c *lang.Content, folder string) bool {
	return len(c.Packages) > 0 && b.installs(c.Packages[0].Ecosystem, folder)
}

// packageIn is the package that is in those places.
func packageIn(url string, places []placed) Package {
	rank := func(p placed) int { // installed and nobody's, wanted and nobody's, the distribution's
		switch {
		case p.owner != "":
			return 2
		case p.wanted:
			return 1
		}
		return 0
	}
	slices.SortStableFunc(places, func(x, y placed) int { return cmp.Compare(rank(x), rank(y)) })
	first := places[0]
	out := Package{PURL: url, Name: first.Name, Ecosystem: first.Ecosystem, Version: first.Version, Layer: first.layer, Database: first.file,
		OwnedBy: first.owner, Wanted: first.wanted && first.owner == "", Linked: first.Linked}
	for _, p := range places {
		if rank(p) != rank(first) {
			break
		}
		out.Linked = both(out.Linked, p.Linked)
		at := "/" + p.file
		if p.Within != "" {
			at += "!" + p.Within
		}
		if len(out.Files) < mostPlaces {
			out.Files = append(out.Files, at)
		}
	}
	return out
}

// both are the packages of a Go module that two programs have together; "" if nobody knows those of one, or they are too many.
func both(a, b string) string {
	if a == b || a == "" || b == "" {
		return min(a, b)
	}
	all := slices.Concat(strings.Fields(a), strings.Fields(b))
	slices.Sort(all)
	if out := strings.Join(slices.Compact(all), " "); len(out) <= mostLinked {
		return out
	}
	return ""
}

// mostLinked is how many bytes the packages' paths of a module may have in all.
const mostLinked = 1 << 20

// mostPlaces is in how many places a package is told to be.
const mostPlaces = 100

// faults are gaps for files of which packages could not be read, by what they tell of.
func (s *scan) faults(b *brought) {
	unread := map[string]*Unread{}
	why := map[string]string{}
	wanted := map[string]*Unread{}
	s.tree.told(func(name string, n *node) {
		if b.has(name) && b.owner[name] != "" {
			return
		}
		if n.Told.Fault != "" {
			see(unread, n.Target, name)
			why[n.Target] = cmp.Or(why[n.Target], n.Told.Fault)
		}
		if n.Told.Wanted && len(n.Told.Packages) > 0 && !b.installed(n.Told, path.Dir(name)) {
			see(wanted, n.Target, name)
		}
	})
	for _, u := range inOrder(unread) {
		s.inv.gap(u.Kind, fmt.Sprintf("%s cannot be read: %s", u, why[u.Kind]), "Vulnerabilities in them are unknown.")
	}
	for _, u := range inOrder(wanted) {
		s.inv.gap(u.Kind, fmt.Sprintf("only lists of what was wanted tell of them (%s), nothing says what is installed", u),
			"What is installed may be of other versions.")
	}
}

func see(in map[string]*Unread, kind, name string) {
	u := in[kind]
	if u == nil {
		u = &Unread{Kind: kind}
		in[kind] = u
	}
	u.Files, u.Such = u.Files+1, cmp.Or(u.Such, name)
}

func inOrder(in map[string]*Unread) []Unread {
	var out []Unread
	for _, u := range in {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b Unread) int { return strings.Compare(a.Kind, b.Kind) })
	return out
}
