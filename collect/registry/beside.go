package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

const (
	// mostBeside is how many documents of one image are read, and mostBesideBytes how much of them together.
	mostBeside      = 20
	mostBesideBytes = 4 << 20
)

// Beside is a document that belongs to an image and may say what does not affect it.
type Beside struct {
	Referrer
	Body []byte
}

// Beside reads what may hold statements of VEX of an image: documents of VEX, bills of materials of CycloneDX, and attestations. left
// are those that were not read: beyond a bound, or of no form that is known. ref has a digest.
func (r Reader) Beside(ctx context.Context, what collect.Registry, ref image.Reference) (out []Beside, left int, err error) {
	found, err := r.Referrers(ctx, what, ref)
	if err != nil {
		return nil, 0, err
	}
	s, err := r.open(ctx, what)
	if err != nil {
		return nil, 0, err
	}
	c, err := s.client(ctx, pullScope(ref.Repository()))
	if err != nil {
		return nil, 0, s.explain(err)
	}
	left, size := found.More, 0
	for _, f := range found.Items {
		if f.Kind != VEX && f.Kind != SBOM && f.Kind != Attestation {
			continue
		}
		if len(out) >= mostBeside || size >= mostBesideBytes {
			left++
			continue
		}
		files, err := s.files(ctx, c, ref.Repository(), f, min(maxDocument, mostBesideBytes-size))
		if err != nil && fatal(ctx, err) {
			return nil, 0, err
		}
		if err != nil {
			left++
			continue
		}
		for _, body := range files {
			if size += len(body); size > mostBesideBytes || len(out) >= mostBeside {
				left++
				continue
			}
			out = append(out, Beside{f, body})
		}
	}
	return out, left, nil
}

// files are those of an artifact, each held to the digest that leads there.
func (s *session) files(ctx context.Context, c *http.Client, repository string, of Referrer, most int) (out [][]byte, err error) {
	body, err := s.verified(ctx, c, repository+"/manifests/"+of.Digest, of.Digest)
	if err != nil {
		return nil, err
	}
	var m struct {
		Layers []struct {
			Digest string `json:"digest"`
			Size   int    `json:"size"`
		} `json:"layers"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("read artifact %s: want a manifest: %w", of.Digest, err)
	}
	if len(m.Layers) > mostBeside {
		return nil, fmt.Errorf("read artifact %s: want at most %d files in it, have %d", of.Digest, mostBeside, len(m.Layers))
	}
	for _, l := range m.Layers {
		if l.Size < 0 || l.Size > most || image.Digest(l.Digest) != nil {
			return nil, fmt.Errorf("read artifact %s: want files of at most %d bytes", of.Digest, most)
		}
		body, err := s.verified(ctx, c, repository+"/blobs/"+l.Digest, l.Digest)
		if err != nil {
			return nil, err
		}
		out = append(out, bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	}
	return out, nil
}
