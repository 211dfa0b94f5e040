package image

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// storage is where podman, buildah and CRI-O keep images unpacked (containers/storage), read without them: its graph root,
// such as /var/lib/containers/storage.
type storage struct{ dir, driver string }

// stored is what images.json says of an image, and storedLayer what layers.json says of a layer.
type stored struct {
	ID    string   `json:"id"`
	Names []string `json:"names"`
	Layer string   `json:"layer"`
}

type storedLayer struct {
	ID         string `json:"id"`
	Parent     string `json:"parent"`
	Diff       string `json:"diff-digest"`
	Compressed string `json:"compressed-diff-digest"`
	Size       int64  `json:"compressed-size"`
}

// diff is a layer that lies unpacked in a folder.
type diff struct {
	dir   string
	is    Layer
	marks overlay // "" where it is whole
}

// maxStored bounds the lists of a storage, in bytes; those of thousands of layers have some megabytes.
const maxStored = 64 << 20

// storedID is what names a layer or an image: it becomes part of a path.
var storedID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// openStorage takes containers-storage:DIR, containers-storage:DIR:NAME and containers-storage:DIR@ID.
func openStorage(ref, rest string, _ Options) (*opened, error) {
	dir, want := cutPlace(rest, ":@")
	want = strings.TrimLeft(want, ":@")
	s, images, err := storageAt(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: want the storage of podman, buildah or CRI-O, such as /var/lib/containers/storage: %w", ref, err)
	}
	is, err := chooseStored(images, want, dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out, err := s.image(is)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", ref, err)
	}
	out.reference = ref
	return out, nil
}

// cutPlace takes apart what is there and what names an image inside, with the separator before it.
func cutPlace(rest, separators string) (place, want string) {
	for i := len(rest); i > 0; i = strings.LastIndexAny(rest[:i], separators) {
		if _, err := os.Stat(rest[:i]); err == nil {
			return rest[:i], rest[i:]
		}
	}
	return rest, ""
}

// storageAt finds out how a storage keeps its layers.
func storageAt(dir string) (s storage, images []stored, err error) {
	for _, driver := range []string{"overlay", "vfs"} {
		s = storage{dir, driver}
		err = s.list("images/images.json", &images)
		if !errors.Is(err, fs.ErrNotExist) {
			return s, images, err
		}
	}
	return s, nil, errors.New("there is no overlay-images/images.json, and no vfs-images/images.json; other drivers are not read")
}

// list reads a list of the storage.
func (s storage) list(file string, to any) error {
	text, err := s.read(s.driver+"-"+file, maxStored)
	if err != nil {
		return err
	}
	if err := bounded(text, maxDepth, 500_000, 5_000_000); err != nil {
		return fmt.Errorf("read %s-%s: %w", s.driver, file, err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("read %s-%s: %w", s.driver, file, err)
	}
	return nil
}

func (s storage) read(file string, most int64) ([]byte, error) {
	f, err := regular(filepath.Join(s.dir, filepath.FromSlash(file)))
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

// chooseStored finds the image that is asked for, by a name, or by its id.
func chooseStored(images []stored, want, dir string) (stored, error) {
	if want == "" && len(images) == 1 {
		return images[0], nil
	}
	var have []string
	for _, is := range images {
		byID := storedID.MatchString(is.ID) && len(want) >= 12 && strings.HasPrefix(is.ID, strings.TrimPrefix(want, "sha256:"))
		if want != "" && (byID || slices.ContainsFunc(is.Names, func(name string) bool { return sameTag(name, want) })) {
			return is, nil
		}
		switch {
		case len(is.Names) > 0:
			have = append(have, is.Names[0])
		case storedID.MatchString(is.ID):
			have = append(have, is.ID[:12])
		}
	}
	few := strings.Join(have[:min(len(have), 20)], ", ")
	switch {
	case len(images) == 0:
		return stored{}, errors.New("there is no image in it")
	case want == "":
		return stored{}, fmt.Errorf("%d images are in the storage: name one as containers-storage:%s:NAME, of %s", len(images), dir, few)
	}
	return stored{}, fmt.Errorf("no image %q among %d in the storage; it has %s", want, len(images), few)
}

// image puts an image together from what is kept of it and the folders of its layers.
func (s storage) image(is stored) (*opened, error) {
	if !storedID.MatchString(is.ID) || is.Layer != "" && !storedID.MatchString(is.Layer) {
		return nil, errors.New("images.json names an image or a layer by what is no id")
	}
	at := s.driver + "-images/" + is.ID + "/"
	raw, err := s.read(at+"manifest", maxManifest)
	if err != nil {
		return nil, err
	}
	if kind, err := kindOf("", raw); err != nil || !kind.IsImage() {
		return nil, errors.Join(fmt.Errorf("the manifest of %s is not one of an image", is.ID), err)
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read its manifest: %w", err)
	}
	text, err := s.read(at+"="+base64.StdEncoding.EncodeToString([]byte(m.Config.Digest.String())), maxConfig)
	if err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	if !has(text, m.Config.Digest) {
		return nil, fmt.Errorf("its configuration is not what its manifest says (%s): the image is corrupt or was tampered with", m.Config.Digest)
	}
	if err := modest(text); err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read its configuration: %w", err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	out := &opened{digest: digest.String(), config: config, configDigest: m.Config.Digest.String()}
	out.stack, err = s.stack(is.Layer)
	return out, err
}

// stack are the layers of an image, the lowest first. What vfs keeps of the topmost holds all beneath.
func (s storage) stack(top string) (out []diff, err error) {
	all, marks := map[string]storedLayer{}, marksOf(s.dir)
	for _, file := range []string{"layers/layers.json", "layers/volatile-layers.json"} {
		var layers []storedLayer
		if err := s.list(file, &layers); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, l := range layers {
			all[l.ID] = l
		}
	}
	for id := top; id != ""; {
		l, there := all[id]
		switch {
		case !there || !storedID.MatchString(id):
			return nil, fmt.Errorf("layers.json has no layer %.80q that the image names", id)
		case len(out) >= maxLayers:
			return nil, fmt.Errorf("want at most %d layers: %w", maxLayers, errBound)
		}
		is := Layer{Digest: l.Compressed, DiffID: l.Diff, Size: max(0, l.Size)}
		if Digest(is.Digest) != nil {
			is.Digest = l.Diff
		}
		if Digest(is.Digest) != nil || Digest(is.DiffID) != nil {
			is.Digest, is.DiffID = "", ""
		}
		if s.driver == "vfs" {
			return []diff{{filepath.Join(s.dir, "vfs", "dir", id), is, ""}}, nil
		}
		out = append(out, diff{filepath.Join(s.dir, "overlay", id, "diff"), is, marks})
		id = l.Parent
	}
	slices.Reverse(out)
	return out, nil
}
