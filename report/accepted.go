package report

import (
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
)

// Accepting says of findings in a World what people accepted. It is of one answer: what exceptions hold for is counted.
type Accepting struct {
	Tally *exception.Tally
	// files are those of a package in an image, by its name and version; nil where nobody can tell.
	files  func(image graph.Node, at string) []string
	none   bool // no exception was written
	images map[graph.Node]*acceptedImage
}

type acceptedImage struct {
	where exception.Image
	// sources are what packages were built from, by name and version.
	sources map[string]string
}

// NewAccepting holds findings to exceptions, as of a moment.
func NewAccepting(set *exception.Set, at time.Time, files func(image graph.Node, at string) []string) *Accepting {
	return &Accepting{exception.NewTally(set, at), files, len(set.All()) == 0, map[graph.Node]*acceptedImage{}}
}

// None says that no exception was written at all.
func (a *Accepting) None() bool { return a.none }

// Of is the exception for a HAS_VULNERABILITY edge, nil for none.
func (a *Accepting) Of(e graph.Edge) *exception.Applied {
	if a.none {
		return nil
	}
	img := a.image(e.From)
	at := e.Value("package").Str() // name and version
	name, _, _ := strings.Cut(at, " ")
	f := exception.Finding{IDs: append([]string{e.To.ID()}, e.To.Value("aliases").List()...), Packages: []string{name},
		Version: e.Value("installed").Str(), Fixed: e.Value("fixed").Str() != "", Files: func() []string {
			if a.files == nil {
				return nil
			}
			return a.files(e.From, at)
		}}
	if source := img.sources[at]; source != "" {
		f.Packages = append(f.Packages, source)
	}
	return a.Tally.Find(img.where, f)
}

func (a *Accepting) image(n graph.Node) *acceptedImage {
	if have := a.images[n]; have != nil {
		return have
	}
	out := &acceptedImage{where: WhereOf(n), sources: map[string]string{}}
	for e := range n.Out("HAS_PACKAGE") {
		if source := e.To.Text("source"); source != "" {
			out.sources[e.To.Text("name")+" "+e.To.Text("version")] = source
		}
	}
	a.images[n] = out
	return out
}

// WhereOf is where an image is, as exceptions name it: in each repository that holds it, under its tags and its digest.
func WhereOf(n graph.Node) exception.Image {
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
