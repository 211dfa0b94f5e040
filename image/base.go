package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/breakwater-sec/breakwater/redact"
)

// Base is the image that another was built on, as who built it says in its annotations or labels. Nobody checks it.
type Base struct {
	// Name is a reference such as docker.io/library/debian:12, Digest the one that it stood for then.
	Name   string `json:"name,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// Chains names, for each layer, what it makes together with those below, as OCI's ChainID does: two images whose chains are the
// same have the same files there, however they are packed. It ends before a layer of which the configuration does not tell.
func Chains(layers []Layer) (out []string) {
	for i, l := range layers {
		if !strings.Contains(l.DiffID, ":") {
			return out
		}
		if i == 0 {
			out = append(out, l.DiffID)
			continue
		}
		sum := sha256.Sum256([]byte(out[i-1] + " " + l.DiffID))
		out = append(out, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return out
}

// Chain is what all the layers make together; empty where that is not known.
func Chain(layers []Layer) string {
	if all := Chains(layers); len(all) > 0 && len(all) == len(layers) {
		return all[len(all)-1]
	}
	return ""
}

// saidBase is what an image's annotations, or else its labels, say of its base. It is written by strangers: what is
// no reference and no digest does not count.
func saidBase(img v1.Image, c *v1.ConfigFile) (*Base, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, fmt.Errorf("read its manifest: %w", err)
	}
	for _, said := range []map[string]string{m.Annotations, c.Config.Labels} {
		b := Base{Name: said["org.opencontainers.image.base.name"], Digest: said["org.opencontainers.image.base.digest"]}
		ref, err := ParseReference(b.Name)
		if err != nil || len(b.Name) > longestName {
			continue
		}
		b.Name = redact.Text(ref.String())
		if Digest(b.Digest) != nil {
			b.Digest = ""
		}
		return &b, nil
	}
	return nil, nil
}
