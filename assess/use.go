package assess

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/breakwater-sec/breakwater/image"
)

// Use is an image that a cluster's containers name.
type Use struct {
	// ID is the digest that the node resolved, else the reference; in the graph it is
	// that of the listed image which the digest is a build of.
	ID string
	// Reference is what to ask a registry for: by digest where it is known.
	Reference string
	// Name is the reference as people write it, normalised.
	Name                              string
	Registry, Repository, Tag, Digest string
	// Running says that a container that has not finished uses it.
	Running bool
	// Pulled says that a node told the digest: it had the image from where Reference says.
	Pulled bool
	// Resolve says that no node will tell the digest: a registry is asked.
	Resolve bool
}

// Key is what a use is told apart by. One image may be named by several references, and
// each is kept: who names it by a registry that is dead must not hide it from the others.
type Key struct {
	ID, Reference string
	Resolve       bool
}

// Key is of the use as its cluster told it.
func (u Use) Key() Key { return Key{u.ID, u.Reference, u.Resolve} }

// UseOf reads an image as a container's spec writes it and, where the node told, as the
// node resolved it: both are text of others. What is written and is no reference is no
// image, and comes without an ID. What a node said that names no digest leaves the image
// to be known by what is written. Either way the error says what is wrong.
func UseOf(written, reported string) (Use, error) {
	ref, err := image.ParseReference(written)
	if err != nil {
		return Use{}, err
	}
	digest, ofManifest, err := resolvedBy(reported)
	pulled := digest != ""
	if !pulled {
		digest, ofManifest = ref.Digest(), ref.Digest() != ""
	}
	u := Use{ID: cmp.Or(digest, ref.String()), Name: ref.String(), Reference: ref.String(),
		Registry: ref.Registry(), Repository: ref.Repository(), Tag: ref.Tag(), Digest: digest, Pulled: pulled}
	if ofManifest {
		u.Reference = u.Place().At(digest)
	}
	return u, err
}

// resolvedBy reads what a node says of a container's image: a repository's name and the
// digest of a manifest, or the digest of a configuration, by a runtime that keeps no
// other; with docker's schemes before them or without. Older runtimes say what names no
// digest at all, and so does a node that has not resolved it yet.
func resolvedBy(reported string) (digest string, ofManifest bool, err error) {
	text := strings.TrimPrefix(strings.TrimPrefix(reported, "docker-pullable://"), "docker://")
	if _, digest, ofManifest = strings.Cut(text, "@"); !ofManifest {
		if digest = text; !strings.HasPrefix(text, "sha256:") && !strings.HasPrefix(text, "sha512:") {
			return "", false, nil
		}
	}
	if err := image.Digest(digest); err != nil {
		return "", false, fmt.Errorf("a node says of the image what names no digest: %w", err)
	}
	return digest, ofManifest, nil
}

// Place is a repository that holds an image, and the tags the image has there.
type Place struct {
	Registry, Repository string
	Tags                 []string
}

// Name is the repository with its registry.
func (p Place) Name() string { return p.Registry + "/" + p.Repository }

// At is what has a digest there.
func (p Place) At(digest string) string { return p.Name() + "@" + digest }

// Place is where the use says the image is stored.
func (u Use) Place() Place {
	p := Place{Registry: u.Registry, Repository: u.Repository}
	if u.Tag != "" {
		p.Tags = []string{u.Tag}
	}
	return p
}
