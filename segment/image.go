package segment

import (
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
)

// image notes the image of a container: as its spec writes it and, where the
// node told, as the node resolved it.
func (c *cluster) image(written, reported string) *assess.Use {
	if written == "" {
		return nil
	}
	key := written + "\x00" + reported
	if use := c.images[key]; use != nil {
		return use
	}
	use := assess.UseOf(written, reported)
	if c.judged.Same != nil && use.Digest != "" {
		use.ID = c.judged.Same(use.Digest)
	}
	c.images[key] = &use
	return &use
}

// imageUses is every image once, by id; the first name in order speaks for it.
func (c *cluster) imageUses() []assess.Use {
	byID := map[string]assess.Use{}
	for _, key := range slices.Sorted(maps.Keys(c.images)) {
		use := *c.images[key]
		if have, known := byID[use.ID]; known {
			have.Running = have.Running || use.Running
			use = have
		}
		byID[use.ID] = use
	}
	out := make([]assess.Use, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, byID[id])
	}
	return out
}

// PutShared gives the shared graph every shared node that the result mentions.
// An image that is new there is unknown, not clean.
func (r *Result) PutShared(s *graph.Shared) {
	s.Put("Internet", "internet", graph.S("name", "Internet"))
	for _, use := range r.Images {
		putUse(s, use)
	}
	r.Builder.SharedRefs(func(kind, id string) bool {
		s.Put(kind, id)
		return true
	})
}

func putUse(s *graph.Shared, u assess.Use) {
	if s.Has("Image", u.ID) {
		return
	}
	s.Put("Image", u.ID, text("name", u.Name), text("digest", u.Digest), text("registry", u.Registry), text("repository", u.Repository),
		graph.B("scanned", false), graph.S("scan", "unknown"), graph.S("scanError", "it was not looked at yet"))
	if u.Tag != "" {
		s.Put("Image", u.ID, graph.L("tags", []string{u.Tag}))
	}
	putRepository(s, u.Place())
	s.SetEdges("STORED_IN", "Image", u.ID, "Repository", []graph.Target{{Kind: "Repository", ID: u.Place().Name()}})
}
