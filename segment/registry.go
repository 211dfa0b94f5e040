package segment

import (
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
)

// PutStored says of an image where it is stored, whether or not anything runs it,
// and whether a connected registry lists it there. It reports whether the image
// is new.
func PutStored(s *graph.Shared, id string, places []assess.Place, listed bool) (fresh bool) {
	if fresh = arrives(s, id); fresh {
		first := places[0]
		name := first.Name() + "@" + id
		if len(first.Tags) > 0 {
			name = first.Name() + ":" + first.Tags[0]
		}
		s.Put("Image", id, text("name", name), text("digest", id), text("registry", first.Registry), text("repository", first.Repository),
			graph.B("scanned", false), graph.S("scan", "queued"), graph.S("scanError", "it waits to be read"), graph.B("running", false))
	}
	var tags []string
	var stored []graph.Target
	for _, p := range places {
		tags = append(tags, p.Tags...)
		putRepository(s, p)
		stored = append(stored, graph.Target{Kind: "Repository", ID: p.Name()})
	}
	slices.Sort(tags)
	s.Put("Image", id, list("tags", slices.Compact(tags)), graph.B("listed", listed))
	s.SetEdges("STORED_IN", "Image", id, "Repository", stored)
	return fresh
}

func putRepository(s *graph.Shared, p assess.Place) {
	s.Put("Registry", p.Registry, graph.S("name", p.Registry))
	s.Put("Repository", p.Name(), graph.S("name", p.Name()), graph.S("registry", p.Registry))
	s.SetEdges("STORED_IN", "Repository", p.Name(), "Registry", []graph.Target{{Kind: "Registry", ID: p.Registry}})
}

// arrives says that an image is new, or is back.
func arrives(s *graph.Shared, id string) bool {
	return s.Put("Image", id, graph.Prop{Name: "gone"})
}

// Forget empties an image that nothing uses and no registry holds: nodes of the
// shared graph do not move, so it stays as a name.
func Forget(s *graph.Shared, id string) {
	if !s.Has("Image", id) {
		return
	}
	ReplaceAssessment(s, assess.NotScanned(id, assess.Unknown, "it is gone"))
	nothing := []graph.Prop{graph.B("gone", true), graph.B("running", false), graph.B("listed", false)}
	for _, p := range []string{"tags", "platform", "distribution", "scannedAt", "registry", "repository"} {
		nothing = append(nothing, graph.Prop{Name: p})
	}
	if !strings.HasPrefix(id, "sha256:") {
		nothing = append(nothing, graph.Prop{Name: "digest"})
	}
	s.Put("Image", id, nothing...)
	s.SetEdges("STORED_IN", "Image", id, "Repository", nil)
}
