package segment

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// ImageUse is an image that a cluster's containers name.
type ImageUse struct {
	// ID is the graph's id: the digest the node resolved, or that of the image a
	// registry holds which it is a build of; else the reference.
	ID string
	// Reference is what to ask a registry for: by digest where it is known.
	Reference string
	// Name is the reference as people write it, normalised.
	Name                              string
	Registry, Repository, Tag, Digest string
	// Running says that a container that has not finished uses it.
	Running bool
}

// image notes the image of a container: as its spec writes it and, where the
// node told, as the node resolved it.
func (c *cluster) image(written, reported string) *ImageUse {
	if written == "" {
		return nil
	}
	key := written + "\x00" + reported
	if use := c.images[key]; use != nil {
		return use
	}
	use := useOf(written, reported)
	if c.judged.Same != nil && use.Digest != "" {
		use.ID = c.judged.Same(use.Digest)
	}
	c.images[key] = &use
	return &use
}

func useOf(written, reported string) ImageUse {
	u := splitReference(written)
	if _, digest, ok := strings.Cut(reported, "@"); ok {
		u.Digest = digest
	} else if id := strings.TrimPrefix(reported, "docker://"); strings.HasPrefix(id, "sha256:") {
		u.Digest = id // of the image's configuration, by a runtime that keeps no other
	}
	u.ID, u.Reference = cmp.Or(u.Digest, u.Name), u.Name
	if u.Digest != "" && strings.Contains(cmp.Or(reported, written), "@") {
		u.Reference = u.Registry + "/" + u.Repository + "@" + u.Digest
	}
	return u
}

// splitReference reads an image reference as container runtimes do: no registry
// means docker.io, no tag means latest.
func splitReference(written string) (u ImageUse) {
	rest := strings.TrimPrefix(written, "docker-pullable://")
	rest, u.Digest, _ = strings.Cut(rest, "@")
	if at := strings.LastIndex(rest, ":"); at > strings.LastIndex(rest, "/") {
		rest, u.Tag = rest[:at], rest[at+1:]
	}
	host, path, slash := strings.Cut(rest, "/")
	if !slash || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, path = "docker.io", rest
		if !slash {
			path = "library/" + rest
		}
	}
	if host == "index.docker.io" {
		host = "docker.io"
	}
	u.Registry, u.Repository = host, path
	if u.Tag == "" && u.Digest == "" {
		u.Tag = "latest"
	}
	u.Name = host + "/" + path
	if u.Tag != "" {
		u.Name += ":" + u.Tag
	}
	if u.Digest != "" {
		u.Name += "@" + u.Digest
	}
	return u
}

// imageUses is every image once, by id; the first name in order speaks for it.
func (c *cluster) imageUses() []ImageUse {
	byID := map[string]ImageUse{}
	for _, key := range slices.Sorted(maps.Keys(c.images)) {
		use := *c.images[key]
		if have, known := byID[use.ID]; known {
			have.Running = have.Running || use.Running
			use = have
		}
		byID[use.ID] = use
	}
	out := make([]ImageUse, 0, len(byID))
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		out = append(out, byID[id])
	}
	return out
}

// PutShared gives the shared graph every shared node that the result mentions.
// An image that is new there is unknown, not clean. It reports whether anything
// changed.
func (r *Result) PutShared(s *graph.Shared) (changed bool) {
	s.Put("Internet", "internet", graph.S("name", "Internet"))
	for _, use := range r.Images {
		changed = use.put(s) || changed
	}
	r.Builder.SharedRefs(func(kind, id string) bool {
		changed = s.Put(kind, id) || changed
		return true
	})
	return changed
}

func (u ImageUse) put(s *graph.Shared) bool {
	if !arrives(s, u.ID) {
		return false
	}
	s.Put("Image", u.ID, text("name", u.Name), text("digest", u.Digest), text("registry", u.Registry), text("repository", u.Repository),
		graph.B("scanned", false), graph.S("scan", "unknown"), graph.S("scanError", "it was not looked at yet"))
	if u.Tag != "" {
		s.Put("Image", u.ID, graph.L("tags", []string{u.Tag}))
	}
	putRepository(s, u.Place())
	s.SetEdges("STORED_IN", "Image", u.ID, "Repository", []graph.Target{{Kind: "Repository", ID: u.Place().Name()}})
	return true
}

// Place is where the use says the image is stored.
func (u ImageUse) Place() Place {
	p := Place{Registry: u.Registry, Repository: u.Repository}
	if u.Tag != "" {
		p.Tags = []string{u.Tag}
	}
	return p
}
