package image

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/image/lang"
)

// place is where something is that is read: a file, or every file of a folder whose
// name ends so.
type place struct {
	name   string
	folder bool
	ends   string
}

// places are where distributions keep what is read.
var places = append([]place{
	{name: "etc/os-release"}, {name: "usr/lib/os-release"}, {name: "etc/system-release-cpe"},
	{name: "lib/apk/db/installed"}, {name: "usr/lib/apk/db/installed"}, {name: "var/lib/apk/db/installed"},
	{name: "var/lib/dpkg/status"}, {name: "var/lib/dpkg/status.d", folder: true}, {name: "var/lib/dpkg/info", folder: true, ends: ".list"},
	{name: "usr/lib/opkg/status"}, {name: "var/lib/opkg/status"}, {name: "opt/lib/opkg/status"},
	{name: "usr/lib/opkg/info", folder: true, ends: ".list"}, {name: "var/lib/opkg/info", folder: true, ends: ".list"},
	{name: "opt/lib/opkg/info", folder: true, ends: ".list"}, {name: "var/lib/rpmmanifest/container-manifest-2"},
}, rpmFiled()...)

// rpmFiled are the databases of rpm, and what SQLite keeps beside its own.
func rpmFiled() (out []place) {
	for _, name := range rpmPlaces() {
		out = append(out, place{name: name})
	}
	for _, folder := range rpmFolders {
		out = append(out, place{name: folder + "/rpmdb.sqlite" + rpmWAL})
	}
	return out
}

// search is what is looked for while layers are streamed: the places, and where
// links from there lead, which may show only when all layers were read.
type search struct {
	files   map[string]bool
	folders map[string]string // to the end that the names have
	// above are the names on the way to a place: what is a link there leads
	// elsewhere, and what is no folder hides all that was below.
	above map[string]bool
	more  map[string]bool // beyond places
	// other are the names under which packages tell of a file that has none that shows it: a hard
	// link, of which an archive holds the content under whichever name comes first.
	other map[string]string
}

func newSearch() *search {
	s := &search{files: map[string]bool{}, folders: map[string]string{}, above: map[string]bool{}, more: map[string]bool{}, other: map[string]string{}}
	for _, p := range places {
		s.add(p)
	}
	return s
}

func (s *search) add(p place) {
	if p.folder {
		s.folders[p.name] = p.ends
	} else {
		s.files[p.name] = true
	}
	for name := p.name; name != "."; name = path.Dir(name) {
		s.above[name] = true
	}
}

// file says that the content of a file is kept.
func (s *search) file(name string) bool {
	if s.files[name] {
		return true
	}
	ends, folder := s.folders[path.Dir(name)]
	return folder && strings.HasSuffix(name, ends)
}

// matters says that what becomes of the name does: it is a file that is kept, on the
// way to one, or on the way to the files of packages, of which many list /bin/x for
// /usr/bin/x.
func (s *search) matters(name string) bool {
	return s.above[name] || s.file(name) || !strings.Contains(strings.TrimPrefix(name, "usr/"), "/")
}

// follow adds where links lead that the layers showed. It says whether that was
// something new, so that the layers are to be read again.
func (s *search) follow(t *tree) (again bool) {
	all := slices.Clone(places)
	for _, p := range places {
		if p.folder {
			for _, name := range t.list(p.name) {
				all = append(all, place{name: p.name + "/" + name})
			}
		}
	}
	for _, p := range all {
		if p.name = t.leadsTo(p.name); p.name == "" || s.knows(p) {
			continue
		}
		s.add(p)
		s.more[p.name] = true
		again = true
	}
	t.files(func(name string, n *node) bool {
		if n.Kind == aHardLink && lang.ReaderOf(name) != nil && lang.ReaderOf(n.Target) == nil && s.other[n.Target] == "" && n.Target != "" {
			s.other[n.Target] = name
			s.more[n.Target+"\x00"+name] = true
			again = true
		}
		return len(s.other) < mostOther
	})
	return again
}

// mostOther is of how many hard links the content is looked for under another name.
const mostOther = 50_000

// reader is who reads a file, and the name under which it is read.
func (s *search) reader(name string) (*lang.Reader, string) {
	if r := lang.ReaderOf(name); r != nil {
		return r, name
	}
	if other := s.other[name]; other != "" {
		return lang.ReaderOf(other), other
	}
	return nil, name
}

func (s *search) knows(p place) bool {
	if p.folder {
		_, known := s.folders[p.name]
		return known
	}
	return s.file(p.name)
}

// suffix tells apart what was kept of a layer with different things looked for.
func (s *search) suffix() string {
	if len(s.more) == 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(maps.Keys(s.more)), "\x00")))
	return fmt.Sprintf("-%x", sum[:8])
}
