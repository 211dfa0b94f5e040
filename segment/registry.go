package segment

import (
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
)

// PutStored says of an image where it is stored, whether or not anything runs it,
// and whether a connected registry lists it there.
func PutStored(s *graph.Shared, id string, places []assess.Place, listed bool) {
	if !s.Has("Image", id) {
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
}

func putRepository(s *graph.Shared, p assess.Place) {
	s.Put("Registry", p.Registry, graph.S("name", p.Registry))
	s.Put("Repository", p.Name(), graph.S("name", p.Name()), graph.S("registry", p.Registry))
	s.SetEdges("STORED_IN", "Repository", p.Name(), "Registry", []graph.Target{{Kind: "Registry", ID: p.Registry}})
}
