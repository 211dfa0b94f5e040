package api

import (
	"context"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
)

// accepted says of findings what people accepted, and knows each image once while a request is answered.
type accepted struct {
	ctx    context.Context
	s      session
	tally  *exception.Tally
	none   bool // no exception was written
	images map[graph.Node]*acceptedImage
	// found is each exception with the images in which it holds for something.
	found map[string]map[string]bool
}

type acceptedImage struct {
	where exception.Image
	// sources are what packages were built from, by name and version.
	sources map[string]string
	files   map[string][]string
}

// accepts asks what the server's file says now. A file that cannot be read now counts as it was.
func (s session) accepts(ctx context.Context) *accepted {
	set, _ := s.exceptions(ctx) // what is wrong with it is told by ListExceptions and the log
	return s.acceptsBy(ctx, set)
}

func (s session) acceptsBy(ctx context.Context, set *exception.Set) *accepted {
	return &accepted{ctx, s, exception.NewTally(set, time.Now()), len(set.All()) == 0, map[graph.Node]*acceptedImage{},
		map[string]map[string]bool{}}
}

// of is the exception for a HAS_VULNERABILITY edge, nil for none.
func (a *accepted) of(e graph.Edge) *exception.Applied {
	if a.none {
		return nil
	}
	img := a.image(e.From)
	at := e.Value("package").Str() // name and version
	name, _, _ := strings.Cut(at, " ")
	f := exception.Finding{IDs: append([]string{e.To.ID()}, e.To.Value("aliases").List()...), Packages: []string{name},
		Version: e.Value("installed").Str(), Fixed: e.Value("fixed").Str() != "",
		Files: func() []string { return a.filesOf(e.From, at) }}
	if source := img.sources[at]; source != "" {
		f.Packages = append(f.Packages, source)
	}
	found := a.tally.Find(img.where, f)
	if found != nil {
		if a.found[found.Where] == nil {
			a.found[found.Where] = map[string]bool{}
		}
		a.found[found.Where][e.From.ID()] = true
	}
	return found
}

func (a *accepted) image(n graph.Node) *acceptedImage {
	if have := a.images[n]; have != nil {
		return have
	}
	out := &acceptedImage{where: whereOf(n), sources: map[string]string{}}
	for e := range n.Out("HAS_PACKAGE") {
		if source := e.To.Text("source"); source != "" {
			out.sources[e.To.Text("name")+" "+e.To.Text("version")] = source
		}
	}
	a.images[n] = out
	return out
}

// whereOf is where an image is: in each repository that holds it, under its tags and its digest.
func whereOf(n graph.Node) exception.Image {
	out := exception.Image{Names: []string{n.Text("name")}, Digests: []string{n.ID()}}
	if d := n.Text("digest"); d != "" && d != n.ID() {
		out.Digests = append(out.Digests, d)
	}
	for e := range n.Out("STORED_IN") {
		out.Repositories = append(out.Repositories, e.To.ID())
		out.Names = append(out.Names, e.To.ID()+"@"+n.ID())
		for _, tag := range n.Value("tags").List() {
			out.Names = append(out.Names, e.To.ID()+":"+tag)
		}
	}
	return out
}

// filesOf are the files of a package. The inventory is read for an exception that names paths, and for no other; one that
// cannot be read leaves the finding to count.
func (a *accepted) filesOf(n graph.Node, at string) []string {
	img := a.image(n)
	if img.files == nil {
		img.files = map[string][]string{}
		if inv, err := a.s.Inventory(a.ctx, n.ID()); err == nil && inv != nil {
			for _, p := range inv.Packages {
				key := p.Name + " " + p.Version
				img.files[key] = append(img.files[key], p.Files...)
			}
		}
	}
	return img.files[at]
}

// finding tells a HAS_VULNERABILITY edge, with the exception for it.
func (a *accepted) finding(e graph.Edge) Finding {
	f := findingOf(e)
	f.Exception = a.of(e)
	return f
}

// onPath are those of the vulnerabilities that open a path that people accepted.
func (a *accepted) onPath(p analyse.Path) (out []AcceptedOnPath) {
	if a.none {
		return nil
	}
	for _, v := range p.Vulnerabilities {
		n, there := a.s.imageNamed(v.Image)
		if !there {
			continue
		}
		for e := range n.Out("HAS_VULNERABILITY") {
			name, _, _ := strings.Cut(e.Value("package").Str(), " ")
			if e.To.ID() != v.ID || name != v.Package {
				continue
			}
			if found := a.of(e); found != nil {
				out = append(out, AcceptedOnPath{Id: v.ID, Package: v.Package, Image: v.Image, Exception: *found})
			}
			break
		}
	}
	return out
}
