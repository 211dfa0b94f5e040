package assess

import (
	"cmp"
	"strings"
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
	// Resolve says that no node will tell the digest: a registry is asked.
	Resolve bool
}

// Key is what a use is told apart by.
type Key struct {
	ID      string
	Resolve bool
}

// Key is of the use as its cluster told it.
func (u Use) Key() Key { return Key{u.ID, u.Resolve} }

// UseOf reads an image as a container's spec writes it and, where the node told, as
// the node resolved it.
func UseOf(written, reported string) Use {
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
func splitReference(written string) (u Use) {
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

// Place is a repository that holds an image, and the tags the image has there.
type Place struct {
	Registry, Repository string
	Tags                 []string
}

// Name is the repository with its registry.
func (p Place) Name() string { return p.Registry + "/" + p.Repository }

// Place is where the use says the image is stored.
func (u Use) Place() Place {
	p := Place{Registry: u.Registry, Repository: u.Repository}
	if u.Tag != "" {
		p.Tags = []string{u.Tag}
	}
	return p
}
