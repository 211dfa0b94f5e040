package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layoutDir is a folder with blobs by their digest and an index of them (OCI image layout).
type layoutDir string

// openLayout takes oci:DIR, oci:DIR:TAG and oci:DIR@sha256:….
func openLayout(ref, rest string, o Options) (*opened, error) {
	dir, want := rest, ""
	if _, err := os.Stat(dir); err != nil {
		if d, digest, ok := strings.Cut(rest, "@"); ok {
			dir, want = d, digest
		} else if i := strings.LastIndex(rest, ":"); i > 0 {
			dir, want = rest[:i], rest[i+1:]
		}
	}
	index, err := layoutDir(dir).index()
	if err != nil {
		return nil, fmt.Errorf("open %s: want an OCI layout (a folder with index.json and oci-layout): %w", ref, err)
	}
	var fit []v1.Descriptor
	for _, d := range index.Manifests {
		if want == "" || d.Digest.String() == want || tagOf(d) == want {
			fit = append(fit, d)
		}
	}
	if slices.ContainsFunc(fit, func(d v1.Descriptor) bool { return !attestation(d) }) {
		fit = slices.DeleteFunc(fit, attestation)
	}
	m, err := layoutDir(dir).chosen(fit, want, len(index.Manifests), o.Platform)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out, err := reach(m, layoutDir(dir).manifest, o.Platform)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	if out.reference = ref; len(fit) > 1 && out.builds == nil {
		out.builds = builds(&v1.IndexManifest{Manifests: fit})
	}
	return out, nil
}

func tagOf(d v1.Descriptor) string { return d.Annotations["org.opencontainers.image.ref.name"] }

// chosen is the manifest that is meant: several of one name are the platforms of one image.
func (l layoutDir) chosen(fit []v1.Descriptor, want string, of int, platform string) (manifest, error) {
	if len(fit) == 0 {
		return manifest{}, fmt.Errorf("no image %q among %d in the layout", want, of)
	}
	var digests, tags []string
	platforms := map[string]bool{}
	for _, d := range fit {
		digests, tags = append(digests, d.Digest.String()), append(tags, tagOf(d))
		if d.Platform != nil {
			platforms[normal(*d.Platform).String()] = true
		}
	}
	slices.Sort(digests)
	slices.Sort(tags)
	if digests = slices.Compact(digests); len(digests) == 1 {
		return l.manifest(fit[0].Digest)
	}
	if tags = slices.Compact(tags); len(tags) > 1 || len(platforms) < len(digests) {
		names := slices.DeleteFunc(tags, func(t string) bool { return t == "" })
		if len(names) > 1 {
			return manifest{}, fmt.Errorf("%d images are in the layout: name one as oci:%s:TAG, of %s", len(digests), l,
				strings.Join(names[:min(len(names), 20)], ", "))
		}
		return manifest{}, fmt.Errorf("%d images are in the layout: name one as oci:%s:TAG or oci:%s@DIGEST, such as %s", len(digests), l, l,
			digests[0])
	}
	d, err := forPlatform(&v1.IndexManifest{Manifests: fit}, platform)
	if err != nil {
		return manifest{}, err
	}
	return l.manifest(d.Digest)
}

func (l layoutDir) index() (*v1.IndexManifest, error) {
	b, err := readAtMost(filepath.Join(string(l), "index.json"), maxManifest)
	if err != nil {
		return nil, err
	}
	return v1.ParseIndexManifest(bytes.NewReader(b))
}

// blob is where the content of a digest lies; of a digest only hex digits are left by now.
func (l layoutDir) blob(h v1.Hash) string {
	return filepath.Join(string(l), "blobs", h.Algorithm, h.Hex)
}

func (l layoutDir) manifest(h v1.Hash) (manifest, error) {
	b, err := readAtMost(l.blob(h), maxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{}, fmt.Errorf("the layout names %s and does not have it: copy all of the image, or name the platform that is there: %w",
			h, err)
	}
	if err != nil {
		return manifest{}, err
	}
	if !has(b, h) {
		return manifest{}, fmt.Errorf("a manifest is not what its digest says (%s): the image is corrupt or was tampered with", h)
	}
	kind, err := kindOf("", b)
	asImage := func() (v1.Image, error) { return partial.CompressedToImage(layoutImage{l, kind, b}) }
	return manifest{kind, h, b, asImage}, err
}

// readAtMost reads a small file whole.
func readAtMost(file string, most int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s: want at most %d bytes: %w", file, most, errBound)
	}
	return b, err
}

// layoutImage is an image of a layout, for the library to complete.
type layoutImage struct {
	layout layoutDir
	kind   types.MediaType
	raw    []byte
}

func (i layoutImage) MediaType() (types.MediaType, error) { return i.kind, nil }
func (i layoutImage) RawManifest() ([]byte, error)        { return i.raw, nil }

func (i layoutImage) RawConfigFile() ([]byte, error) {
	m, err := partial.Manifest(i)
	if err != nil {
		return nil, err
	}
	return readAtMost(i.layout.blob(m.Config.Digest), maxConfig)
}

func (i layoutImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(i)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(m.Layers, func(d v1.Descriptor) bool { return d.Digest == h })
	if at < 0 {
		return nil, fmt.Errorf("the image has no layer %s", h)
	}
	return blob{m.Layers[at], func() (io.ReadCloser, error) { return os.Open(i.layout.blob(h)) }}, nil
}
