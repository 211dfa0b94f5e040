package image

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// ociLayout is blobs by their digest and an index of them (OCI image layout), in a folder
// or in an archive of one.
type ociLayout struct {
	named string // as people name it: oci:DIR
	open  func(file string) (io.ReadCloser, error)
}

// openLayout takes oci:DIR, oci:DIR:TAG and oci:DIR@sha256:….
func openLayout(ref, rest string, o Options) (*opened, error) {
	dir, want := rest, ""
	if _, err := os.Stat(dir); err != nil {
		dir, want = cutName(rest)
	}
	l := ociLayout{"oci:" + dir, func(file string) (io.ReadCloser, error) { return regular(filepath.Join(dir, filepath.FromSlash(file))) }}
	return l.image(ref, want, o)
}

// regular opens a file, if it is one: who opens a pipe waits for who writes it, and a device may have no end.
func regular(name string) (io.ReadCloser, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: want a regular file, not %s", name, info.Mode().Type())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openLayoutArchive takes oci-archive:FILE, oci-archive:FILE:TAG and oci-archive:FILE@sha256:….
func openLayoutArchive(ref, rest string, o Options) (*opened, error) {
	file, want := rest, ""
	if _, err := os.Stat(file); err != nil {
		file, want = cutName(rest)
	}
	a := &archive{file, o.Limits, map[string]archived{}}
	if err := a.index(); err != nil {
		return nil, fmt.Errorf("open %s: want an archive of an OCI layout: %w", ref, err)
	}
	if _, is := a.at["index.json"]; !is {
		if _, other := a.at["manifest.json"]; other {
			return nil, fmt.Errorf("open %s: it is what docker save writes: name it as docker-archive:%s", ref, file)
		}
	}
	l := ociLayout{"oci-archive:" + file, func(file string) (io.ReadCloser, error) { r, _, err := a.find(file); return r, err }}
	return l.image(ref, want, o)
}

// cutName splits FILE:TAG and FILE@DIGEST.
func cutName(rest string) (file, want string) {
	if file, digest, ok := strings.Cut(rest, "@"); ok {
		return file, digest
	}
	if i := strings.LastIndex(rest, ":"); i > 0 {
		return rest[:i], rest[i+1:]
	}
	return rest, ""
}

// image is the one that is wanted, by a tag or a digest.
func (l ociLayout) image(ref, want string, o Options) (*opened, error) {
	index, err := l.index()
	if err != nil {
		return nil, fmt.Errorf("open %s: want an OCI layout (with index.json and oci-layout): %w", ref, err)
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
	m, err := l.chosen(fit, want, len(index.Manifests), o.Platform)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out, err := reach(m, l.manifest, o.Platform, l.present(m)...)
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
func (l ociLayout) chosen(fit []v1.Descriptor, want string, of int, platform string) (manifest, error) {
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
			return manifest{}, fmt.Errorf("%d images are in the layout: name one as %s:TAG, of %s", len(digests), l.named,
				strings.Join(names[:min(len(names), 20)], ", "))
		}
		return manifest{}, fmt.Errorf("%d images are in the layout: name one as %s:TAG or %s@DIGEST, such as %s", len(digests), l.named,
			l.named, digests[0])
	}
	d, err := forPlatform(&v1.IndexManifest{Manifests: fit}, platform)
	if err != nil {
		return manifest{}, err
	}
	return l.manifest(d.Digest)
}

func (l ociLayout) index() (*v1.IndexManifest, error) {
	b, err := l.read("index.json", maxManifest)
	if err == nil {
		err = modest(b)
	}
	if err != nil {
		return nil, err
	}
	return v1.ParseIndexManifest(bytes.NewReader(b))
}

// blobFile is where the content of a digest lies; of a digest only hex digits
// are left by now.
func blobFile(h v1.Hash) string { return path.Join("blobs", h.Algorithm, h.Hex) }

func (l ociLayout) manifest(h v1.Hash) (manifest, error) {
	b, err := l.read(blobFile(h), maxManifest)
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

// read reads a small file whole.
func (l ociLayout) read(file string, most int64) ([]byte, error) {
	f, err := l.open(file)
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
	layout ociLayout
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
	return i.layout.read(blobFile(m.Config.Digest), maxConfig)
}

func (i layoutImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	return describedLayer(i, h, func() (io.ReadCloser, error) { return i.layout.open(blobFile(h)) })
}
