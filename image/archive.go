package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// archive is what docker save writes, packed or not: configurations, layers, and a
// manifest.json that says which belong to one image.
type archive struct {
	file   string
	limits Limits
	at     map[string]archived
}

// archived is a file of an archive, or a link to another.
type archived struct {
	from, size int64
	link       string
}

// saved is what manifest.json says of one image.
type saved struct {
	Config       string
	RepoTags     []string
	Layers       []string
	LayerSources map[string]v1.Descriptor // layers that are kept elsewhere, by their diff id
}

// maxArchived bounds the files of an archive, of which there are a few per layer.
const maxArchived = 100_000

// openArchive takes docker-archive:FILE, docker-archive:FILE:NAME:TAG and docker-archive:FILE:@NUMBER.
func openArchive(ref, rest string, o Options) (*opened, error) {
	file, want := cutPlace(rest, ":")
	want = strings.TrimPrefix(want, ":")
	a := &archive{file, o.Limits, map[string]archived{}}
	images, err := a.saved()
	if err != nil {
		return nil, fmt.Errorf("open %s: want an archive as docker save writes it: %w", ref, err)
	}
	is, err := choose(images, want, file)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	img, err := a.image(is)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	return &opened{reference: ref, digest: digest.String(), image: img}, nil
}

// choose finds the image that is asked for, by a name or a number.
func choose(images []saved, want, file string) (saved, error) {
	if want == "" && len(images) == 1 {
		return images[0], nil
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(want, "@")); err == nil && strings.HasPrefix(want, "@") && n >= 0 && n < len(images) {
		return images[n], nil
	}
	var have []string
	for i, is := range images {
		have = append(have, fmt.Sprintf("@%d", i))
		if len(is.RepoTags) > 0 {
			have[i] = is.RepoTags[0]
		}
		if want != "" && slices.ContainsFunc(is.RepoTags, func(tag string) bool { return sameTag(tag, want) }) {
			return is, nil
		}
	}
	have = have[:min(len(have), 20)]
	if want == "" {
		return saved{}, fmt.Errorf("%d images are in the archive: name one as docker-archive:%s:NAME, of %s", len(images), file,
			strings.Join(have, ", "))
	}
	return saved{}, fmt.Errorf("no image %q among %d in the archive; it has %s", want, len(images), strings.Join(have, ", "))
}

// sameTag compares names as people shorten them.
func sameTag(a, b string) bool {
	x, err := name.NewTag(a)
	y, err2 := name.NewTag(b)
	return err == nil && err2 == nil && x.Name() == y.Name()
}

// index notes where each file lies.
func (a *archive) index() error {
	r, err := a.open(0)
	if err != nil {
		return err
	}
	defer r.Close()
	read := &counter{r: r}
	from, t := func() (int64, error) { return read.n, nil }, tar.NewReader(read)
	if s, plain := r.(io.ReadSeeker); plain { // what lies between is not even read
		from, t = func() (int64, error) { return s.Seek(0, io.SeekCurrent) }, tar.NewReader(s)
	}
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(a.at) >= maxArchived {
			return fmt.Errorf("want at most %d files: %w", maxArchived, errBound)
		}
		of := archived{size: h.Size}
		if of.from, err = from(); err != nil {
			return err
		}
		if h.Typeflag == tar.TypeSymlink {
			of.link = path.Join(path.Dir(h.Name), h.Linkname)
		} else if h.Typeflag == tar.TypeLink {
			of.link = path.Clean(h.Linkname)
		}
		a.at[path.Clean(h.Name)] = of
	}
}

// saved reads manifest.json.
func (a *archive) saved() ([]saved, error) {
	if err := a.index(); err != nil {
		return nil, err
	}
	b, err := a.read("manifest.json", maxManifest)
	if err != nil {
		return nil, errors.Join(err, a.otherwise())
	}
	if err := modest(b); err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	var images []saved
	if err := json.Unmarshal(b, &images); err != nil {
		return nil, fmt.Errorf("read manifest.json: %w", err)
	}
	return images, nil
}

// otherwise says what to do with archives of other kinds.
func (a *archive) otherwise() error {
	if _, is := a.at["oci-layout"]; is {
		return fmt.Errorf("it is an OCI archive: name it as oci-archive:%s", a.file)
	}
	if _, is := a.at["repositories"]; is {
		return errors.New("it is of a docker before 1.10: load it with a current one and save it again")
	}
	return nil
}

// open is the archive unpacked, from a place on: the file itself if it is not packed.
func (a *archive) open(from int64) (io.ReadCloser, error) {
	f, err := os.Open(a.file)
	if err != nil {
		return nil, err
	}
	plain, packed, err := unpacked(f, a.limits)
	if err != nil {
		return nil, err
	}
	if packed {
		_, err = io.CopyN(io.Discard, plain, from)
		return plain, err
	}
	_, err = f.Seek(from, io.SeekStart)
	return f, err
}

// find opens a file of the archive, through links.
func (a *archive) find(file string) (io.ReadCloser, int64, error) {
	of, is := a.at[path.Clean(file)]
	for range 10 {
		if of.link == "" {
			break
		}
		of, is = a.at[of.link]
	}
	if !is || of.link != "" {
		return nil, 0, fmt.Errorf("there is no file %q in the archive: %w", file, fs.ErrNotExist)
	}
	r, err := a.open(of.from)
	if err != nil {
		return nil, 0, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r, of.size), r}, of.size, nil
}

// read reads a small file whole.
func (a *archive) read(file string, most int64) ([]byte, error) {
	r, size, err := a.find(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > most {
		return nil, fmt.Errorf("%s: want at most %d bytes: %w", file, most, errBound)
	}
	return io.ReadAll(r)
}

var digestName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// image is one image of the archive. Its layers are known by their content unpacked, as
// its configuration names them: the digests that they have in a registry are not in it.
func (a *archive) image(is saved) (v1.Image, error) {
	raw, err := a.read(is.Config, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	if err := modest(raw); err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if said := strings.TrimSuffix(path.Base(is.Config), ".json"); digestName.MatchString(said) && said != digest.Hex {
		return nil, fmt.Errorf("its configuration is not what its name says (%s): the archive is corrupt or was tampered with", is.Config)
	}
	ids := config.RootFS.DiffIDs
	if len(ids) != len(is.Layers) {
		return nil, fmt.Errorf("manifest.json names %d layers and the configuration %d: save the image again", len(is.Layers), len(ids))
	}
	img := &savedImage{archive: a, config: raw, files: map[v1.Hash]string{}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.DockerManifestSchema2,
		Config: v1.Descriptor{MediaType: types.DockerConfigJSON, Size: size, Digest: digest}}
	for i, id := range ids {
		layer := v1.Descriptor{MediaType: types.DockerUncompressedLayer, Size: a.at[path.Clean(is.Layers[i])].size, Digest: id}
		if from, elsewhere := is.LayerSources[id.String()]; elsewhere && !isDistributable(from.MediaType) {
			layer = from
		}
		m.Layers, img.files[id] = append(m.Layers, layer), is.Layers[i]
	}
	if img.manifest, err = json.Marshal(m); err != nil {
		return nil, err
	}
	return partial.CompressedToImage(img)
}

// savedImage is an image of an archive, for the library to complete.
type savedImage struct {
	archive          *archive
	config, manifest []byte
	files            map[v1.Hash]string
}

func (i *savedImage) MediaType() (types.MediaType, error) { return types.DockerManifestSchema2, nil }
func (i *savedImage) RawConfigFile() ([]byte, error)      { return i.config, nil }
func (i *savedImage) RawManifest() ([]byte, error)        { return i.manifest, nil }

func (i *savedImage) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	return describedLayer(i, h, func() (io.ReadCloser, error) {
		r, _, err := i.archive.find(i.files[h])
		if err != nil {
			return nil, err
		}
		plain, _, err := unpacked(r, i.archive.limits)
		return plain, err
	})
}

// describedLayer is a layer as the manifest of its image describes it.
func describedLayer(i partial.WithRawManifest, h v1.Hash, open func() (io.ReadCloser, error)) (partial.CompressedLayer, error) {
	m, err := partial.Manifest(i)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(m.Layers, func(d v1.Descriptor) bool { return d.Digest == h })
	if at < 0 {
		return nil, fmt.Errorf("the image has no layer %s", h)
	}
	return blob{m.Layers[at], open}, nil
}

// blob is a layer that is described and can be opened.
type blob struct {
	is   v1.Descriptor
	open func() (io.ReadCloser, error)
}

func (b blob) Digest() (v1.Hash, error)            { return b.is.Digest, nil }
func (b blob) Compressed() (io.ReadCloser, error)  { return b.open() }
func (b blob) Size() (int64, error)                { return b.is.Size, nil }
func (b blob) MediaType() (types.MediaType, error) { return b.is.MediaType, nil }
func (b blob) Descriptor() (*v1.Descriptor, error) { return &b.is, nil }

// unpacked is what r holds, unpacked within the bounds, and whether it was packed. To
// close it is to close r.
func unpacked(r io.ReadCloser, limits Limits) (out io.ReadCloser, packed bool, err error) {
	read := &counter{r: r}
	plain, done, err := decompress(read)
	if err != nil {
		return nil, false, errors.Join(err, r.Close())
	}
	_, asItWas := plain.(*bufio.Reader)
	return struct {
		io.Reader
		io.Closer
	}{&bombGuard{r: plain, packed: read, budget: &budget{limits: limits}}, closer(func() error { done(); return r.Close() })}, !asItWas, nil
}

type closer func() error

func (c closer) Close() error { return c() }
