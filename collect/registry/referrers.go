package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

const (
	// maxReferrers is how many artifacts of one image are told apart, and maxDocument how much of one is read, in bytes.
	maxReferrers = 500
	maxDocument  = 8 << 20
	// maxReferrerPages is how many pages the list of them may have.
	maxReferrerPages = 20
)

// Kinds of what belongs to an image.
const (
	VEX         = "VEX"
	SBOM        = "SBOM"
	Signature   = "signature"
	Attestation = "attestation"
	Other       = "other"
)

// Referrer is an artifact that says of itself that it belongs to an image. Whoever may push to the repository may push one.
type Referrer struct {
	Kind string `json:"kind"`
	// Type is the artifact's, as who pushed it says.
	Type   string `json:"type"`
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// Referrers are the artifacts of one image.
type Referrers struct {
	// Image is the digest that they belong to.
	Image string     `json:"image"`
	Items []Referrer `json:"items"`
	// More are those beyond a bound, and entries that are none: nothing is said of them.
	More int `json:"more"`
}

// Referrers lists what belongs to an image, by the registry's list of referrers (OCI distribution 1.1), by the tag that
// stands in for it where a registry has none, and by the tags that cosign makes.
func (r Reader) Referrers(ctx context.Context, what collect.Registry, ref image.Reference) (Referrers, error) {
	s, err := r.open(ctx, what)
	if err != nil {
		return Referrers{}, err
	}
	c, err := s.client(ctx, pullScope(ref.Repository()))
	if err != nil {
		return Referrers{}, s.explain(err)
	}
	out := Referrers{Image: ref.Digest()}
	if out.Image == "" {
		if out.Image, err = s.digest(ctx, c, ref.Repository(), ref.Tag()); err != nil {
			return Referrers{}, s.explain(err)
		}
	}
	if err := image.Digest(out.Image); err != nil {
		return Referrers{}, err
	}
	listed, err := s.referrersList(ctx, c, ref.Repository(), &out)
	if err == nil && !listed {
		_, err = s.referrersAt(ctx, c, s.url(ref.Repository()+"/manifests/"+stem(out.Image)), &out)
	}
	if err == nil {
		err = s.cosignTags(ctx, c, ref.Repository(), &out)
	}
	return out, s.explain(err)
}

// stem is a digest as a tag writes it.
func stem(digest string) string { return strings.Replace(digest, ":", "-", 1) }

// referrersList asks for the list; it reports false if the registry has none.
func (s *session) referrersList(ctx context.Context, c *http.Client, repository string, out *Referrers) (bool, error) {
	at := s.url(repository + "/referrers/" + out.Image)
	for range maxReferrerPages {
		next, err := s.referrersAt(ctx, c, at, out)
		if e := refusal(err); e != nil && (e.StatusCode == http.StatusNotFound || e.StatusCode == http.StatusMethodNotAllowed) {
			return false, nil
		}
		if err != nil || next == "" {
			return err == nil, err
		}
		at = next
	}
	return false, fmt.Errorf("want a list of referrers of at most %d pages", maxReferrerPages)
}

// referrersAt reads one index of them, and where the next is. One that a tag stands for may not be there: then there are none.
func (s *session) referrersAt(ctx context.Context, c *http.Client, address string, out *Referrers) (next string, err error) {
	at, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	body, header, err := get(ctx, c, at)
	if e := refusal(err); e != nil && e.StatusCode == http.StatusNotFound && strings.Contains(at.Path, "/manifests/") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := out.index(body); err != nil {
		return "", err
	}
	more, err := nextPage(at, header.Values("Link"))
	if err != nil || more == nil {
		return "", err
	}
	return more.String(), nil
}

// index takes the entries of an index.
func (out *Referrers) index(body []byte) error {
	var index struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(body, &index); err != nil {
		return fmt.Errorf("want an index of referrers: %w", err)
	}
	for _, raw := range index.Manifests {
		var m struct {
			MediaType    string `json:"mediaType"`
			ArtifactType string `json:"artifactType"`
			Digest       string `json:"digest"`
			Size         int64  `json:"size"`
		}
		if err := json.Unmarshal(raw, &m); err != nil || image.Digest(m.Digest) != nil || len(m.ArtifactType) > 255 {
			out.More++
			continue
		}
		out.add(Referrer{Kind: kindOf(m.ArtifactType), Type: m.ArtifactType, Digest: m.Digest, Size: max(0, m.Size)})
	}
	return nil
}

func (out *Referrers) add(r Referrer) {
	for _, have := range out.Items {
		if have.Digest == r.Digest {
			return
		}
	}
	if len(out.Items) >= maxReferrers {
		out.More++
		return
	}
	out.Items = append(out.Items, r)
}

// kindOf is what an artifact of a type is, in the field's words.
func kindOf(artifact string) string {
	is := strings.ToLower(artifact)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(is, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("vex"):
		return VEX
	case has("cyclonedx", "spdx", "sbom", "syft"):
		return SBOM
	case has("signature", "simplesigning", "cosign.artifact.sig"):
		return Signature
	case has("in-toto", "attestation", "dsse", "sigstore.bundle"):
		return Attestation
	}
	return Other
}

// cosignTags finds what cosign puts beside an image by tags of its own.
func (s *session) cosignTags(ctx context.Context, c *http.Client, repository string, out *Referrers) error {
	for _, t := range []struct{ end, kind string }{{".sig", Signature}, {".att", Attestation}, {".sbom", SBOM}} {
		digest, err := s.digest(ctx, c, repository, stem(out.Image)+t.end)
		if e := refusal(err); e != nil && e.StatusCode == http.StatusNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if image.Digest(digest) != nil {
			out.More++
			continue
		}
		out.add(Referrer{Kind: t.kind, Type: "tag " + stem(out.Image)[:14] + "…" + t.end, Digest: digest})
	}
	return nil
}

// verified reads what a digest names.
func (s *session) verified(ctx context.Context, c *http.Client, path, digest string) ([]byte, error) {
	at, err := url.Parse(s.url(path))
	if err != nil {
		return nil, err
	}
	body, _, err := get(ctx, c, at)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if want, is := strings.CutPrefix(digest, "sha256:"); !is || want != hex.EncodeToString(sum[:]) {
		return nil, errors.New("what came is not what its digest says")
	}
	return body, nil
}
