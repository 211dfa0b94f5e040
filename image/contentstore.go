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
)

// maxStoredBlobs bounds how many blobs of a content store are looked at; a busy node has some thousands.
const maxStoredBlobs = 100_000

// openContentStore takes containerd:DIR and containerd:DIR@DIGEST: where containerd keeps what it pulled, read without it,
// such as /var/lib/containerd. The names of images are in a database of containerd's own; here an image is known by its digest.
func openContentStore(ref, rest string, o Options) (*opened, error) {
	dir, want := cutPlace(rest, ":@")
	want = strings.TrimLeft(want, ":@")
	if within := filepath.Join(dir, "io.containerd.content.v1.content"); isFolder(within) {
		dir = within
	}
	l := ociLayout{"containerd:" + dir, func(file string) (io.ReadCloser, error) {
		return regular(filepath.Join(dir,
			filepath.FromSlash(file)))
	}}
	digest := v1.Hash{}
	var err error
	if want != "" {
		digest, err = v1.NewHash(want)
	} else {
		digest, err = l.only(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	m, err := l.manifest(digest)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out, err := reach(m, l.manifest, o.Platform, l.present(m)...)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out.reference = ref
	return out, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// only is the image of a content store that has one; of those that have more it tells the digests.
func (l ociLayout) only(dir string) (v1.Hash, error) {
	roots, err := l.roots(dir)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("want containerd's folder, such as /var/lib/containerd: %w", err)
	}
	switch len(roots) {
	case 0:
		return v1.Hash{}, errors.New("there is no image in it")
	case 1:
		return v1.NewHash(roots[0])
	}
	return v1.Hash{}, fmt.Errorf("%d images are in it: name one as %s@DIGEST, of %s (ctr images ls tells which is which)", len(roots), l.named,
		strings.Join(roots[:min(len(roots), 20)], ", "))
}

// roots are the manifests and indexes of a content store that no other one there names.
func (l ociLayout) roots(dir string) (out []string, err error) {
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		return nil, err
	}
	if len(blobs) > maxStoredBlobs {
		return nil, fmt.Errorf("want at most %d blobs, have %d: name an image by its digest: %w", maxStoredBlobs, len(blobs), errBound)
	}
	named := map[string]bool{}
	for _, b := range blobs {
		digest := "sha256:" + b.Name()
		body := l.small(b, digest)
		if body == nil {
			continue
		}
		kind, err := kindOf("", body)
		switch {
		case err != nil:
			continue
		case kind.IsIndex():
			index, err := v1.ParseIndexManifest(bytes.NewReader(body))
			if err != nil || !slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Platform != nil }) {
				continue // the list of an archive that was imported: its images are as they were
			}
			for _, d := range index.Manifests {
				named[d.Digest.String()] = true
			}
		case kind.IsImage():
			if m, err := v1.ParseManifest(bytes.NewReader(body)); err != nil || !isConfig(m.Config.MediaType) || m.Subject != nil {
				continue // what belongs to an image
			}
		default:
			continue
		}
		out = append(out, digest)
	}
	return slices.DeleteFunc(out, func(d string) bool { return named[d] }), nil
}

// small is a blob that may be a manifest, nil if it cannot be one.
func (l ociLayout) small(b fs.DirEntry, digest string) []byte {
	info, err := b.Info()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxManifest || Digest(digest) != nil {
		return nil
	}
	body, err := l.read("blobs/sha256/"+b.Name(), maxManifest)
	if err != nil || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return nil
	}
	return body
}

// present are the platforms of an index whose builds are there, the usual one first: of an index containerd pulls the builds that
// its node can run.
func (l ociLayout) present(m manifest) (out []string) {
	if !m.kind.IsIndex() {
		return nil
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(m.raw))
	if err != nil {
		return nil
	}
	for _, d := range index.Manifests {
		if d.Platform == nil || attestation(d) {
			continue
		}
		if f, err := l.open(blobFile(d.Digest)); err == nil {
			_ = f.Close()
			out = append(out, d.Platform.String())
		}
	}
	if usual := slices.Index(out, "linux/amd64"); usual > 0 {
		out = append([]string{"linux/amd64"}, slices.Delete(out, usual, usual+1)...)
	}
	return out
}
