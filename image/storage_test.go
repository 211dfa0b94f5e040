package image

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/sys/unix"
)

// hexOf is an id.
func hexOf(n int) string { return fmt.Sprintf("%064x", n) }

// laid writes files below a folder.
func laid(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// keptImage writes what a storage keeps of an image beside its layers, and returns its line of images.json.
func keptImage(t testing.TB, dir, driver string, n int, layer string, names ...string) stored {
	t.Helper()
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":[]},"x":%d,
		"history":[{"created_by":"ADD base"},{"created_by":"RUN more"}]}`, n)
	digest, size, err := v1.SHA256(strings.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	id := hexOf(1000 + n)
	laid(t, filepath.Join(dir, driver+"-images", id), map[string]string{
		"manifest": fmt.Sprintf(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",
			"digest":"%s","size":%d},"layers":[]}`,
			digest, size),
		"=" + base64.StdEncoding.EncodeToString([]byte(digest.String())): config})
	return stored{ID: id, Names: names, Layer: layer}
}

// lists writes the lists of a storage.
func lists(t testing.TB, dir, driver string, images []stored, layers []storedLayer) {
	t.Helper()
	for name, list := range map[string]any{"images/images.json": images, "layers/layers.json": layers} {
		b, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		laid(t, dir, map[string]string{driver + "-" + name: string(b)})
	}
}

const storedStatus = "Package: %s\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"

// ofStatus are the packages of a layer by dpkg's folder of one file for each, as distroless images have them.
func ofStatus(names ...string) map[string]string {
	files := map[string]string{}
	for _, n := range names {
		files["var/lib/dpkg/status.d/"+n] = fmt.Sprintf(storedStatus, n)
	}
	return files
}

// TestAStorageOfPodmanIsReadWithoutIt: layers of an overlay lie over each other, and take away what they mark.
func TestAStorageOfPodmanIsReadWithoutIt(t *testing.T) {
	dir := t.TempDir()
	at := func(n int) string { return filepath.Join(dir, "overlay", hexOf(n), "diff") }
	laid(t, at(1), map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n"})
	laid(t, at(1), ofStatus("bash", "old"))
	laid(t, at(2), ofStatus("curl"))
	if err := unix.Mknod(filepath.Join(at(2), "var/lib/dpkg/status.d/old"), syscall.S_IFCHR, 0); err != nil {
		t.Skip("marks of overlays cannot be made here: ", err)
	}
	laid(t, at(3), ofStatus("zsh"))
	if err := unix.Setxattr(filepath.Join(at(3), "var/lib/dpkg/status.d"), string(marksOf(dir))+"overlay.opaque", []byte("y"), 0); err != nil {
		t.Skip("marks of overlays cannot be made here: ", err)
	}
	laid(t, at(4), ofStatus("zsh"))
	other := ofUser
	if marksOf(dir) == ofUser {
		other = ofRoot
	}
	if err := unix.Setxattr(filepath.Join(at(4), "var/lib/dpkg/status.d"), string(other)+"overlay.opaque", []byte("y"), 0); err != nil {
		t.Skip("marks of overlays cannot be made here: ", err)
	}
	images := []stored{keptImage(t, dir, "overlay", 1, hexOf(2), "docker.io/library/web:1", "localhost/web:latest"),
		keptImage(t, dir, "overlay", 2, hexOf(3), "quay.io/shop/api:2"), keptImage(t, dir, "overlay", 3, hexOf(4), "quay.io/shop/sly:2")}
	lists(t, dir, "overlay", images, []storedLayer{{ID: hexOf(1), Diff: "sha256:" + hexOf(1)}, {ID: hexOf(2), Parent: hexOf(1),
		Diff: "sha256:" + hexOf(2)},
		{ID: hexOf(3), Parent: hexOf(2)}, {ID: hexOf(4), Parent: hexOf(2)}})
	for _, test := range []struct{ name, want, fails string }{
		{"", "", "3 images are in the storage: name one as containers-storage:" + dir + ":NAME, of docker.io/library/web:1, quay.io/shop/api:2"},
		{":web:1", "bash curl", ""},
		{":docker.io/library/web:1", "bash curl", ""},
		{"@" + hexOf(1001), "bash curl", ""},
		{"@sha256:" + hexOf(1002), "zsh", ""},
		{":quay.io/shop/api:2", "zsh", ""},
		{":quay.io/shop/sly:2", "bash curl zsh", ""}, // its mark is of another kind of overlay: the kernel takes nothing away
		{":none:1", "", `no image "none:1" among 3 in the storage; it has docker.io/library/web:1`},
	} {
		inv, err := scanOf(t.Context(), "containers-storage:"+dir+test.name, Options{})
		if test.fails != "" {
			if err == nil || !strings.Contains(err.Error(), test.fails) {
				t.Errorf("%s: %v, want %s", test.name, err, test.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var got []string
		for _, p := range inv.Packages {
			got = append(got, p.Name)
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want || inv.Platform != "linux/amd64" || inv.Config == "" || inv.Digest != inv.Manifest ||
			inv.Digest == "" {
			t.Errorf("%s: %v, %+v, want %s", test.name, got, inv, test.want)
		}
		if test.name == ":web:1" && (len(inv.Layers) != 2 || inv.Layers[0].Command != "ADD base" || inv.Layers[1].Digest != "sha256:"+hexOf(2)) {
			t.Errorf("layers %+v", inv.Layers)
		}
	}
	if _, err := scanOf(t.Context(), "containers-storage:"+dir+":web:1", Options{Platform: "linux/arm64"}); err == nil ||
		!strings.Contains(err.Error(), "not built for") {
		t.Errorf("for another platform: %v", err)
	}
	if _, _, err := ParseLocal(dir); err == nil || !strings.Contains(err.Error(), "want containers-storage:"+dir) {
		t.Errorf("a path alone: %v", err)
	}
}

func TestAStorageOfWholeFoldersIsReadFromTheTopmost(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "vfs", "dir", hexOf(2))
	laid(t, whole, map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n"})
	laid(t, whole, ofStatus("bash", "curl"))
	lists(t, dir, "vfs", []stored{keptImage(t, dir, "vfs", 1, hexOf(2))}, []storedLayer{{ID: hexOf(1)}, {ID: hexOf(2), Parent: hexOf(1)}})
	inv, err := scanOf(t.Context(), "containers-storage:"+dir, Options{})
	if err != nil || len(inv.Packages) != 2 || len(inv.Layers) != 1 {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestABrokenStorageIsRefused(t *testing.T) {
	for want, breaks := range map[string]func(dir string, images []stored, layers []storedLayer) ([]stored, []storedLayer){
		"is no id": func(_ string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			i[0].ID = "../../etc"
			return i, l
		},
		"what is no id": func(_ string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			i[0].Layer = "../x"
			return i, l
		},
		"at most 1000 layers": func(_ string, i []stored, _ []storedLayer) ([]stored, []storedLayer) {
			return i, []storedLayer{{ID: hexOf(1), Parent: hexOf(1)}}
		},
		"has no layer": func(_ string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			l[0].Parent = "../../../etc"
			return i, l
		},
		"there is no image": func(_ string, _ []stored, l []storedLayer) ([]stored, []storedLayer) { return nil, l },
		"read its configuration": func(dir string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			files, _ := filepath.Glob(filepath.Join(dir, "overlay-images", "*", "=*"))
			_ = os.Remove(files[0])
			return i, l
		},
		"is not what its manifest says": func(dir string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			files, _ := filepath.Glob(filepath.Join(dir, "overlay-images", "*", "=*"))
			_ = os.WriteFile(files[0], []byte(`{"os":"linux"}`), 0o600)
			return i, l
		},
		"is not one of an image": func(dir string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			_ = os.WriteFile(filepath.Join(dir, "overlay-images", i[0].ID, "manifest"), []byte(`{"manifests":[]}`), 0o600)
			return i, l
		},
		"no such file": func(dir string, i []stored, l []storedLayer) ([]stored, []storedLayer) {
			_ = os.RemoveAll(filepath.Join(dir, "overlay"))
			return i, l
		},
	} {
		dir := t.TempDir()
		laid(t, filepath.Join(dir, "overlay", hexOf(1), "diff"), ofStatus("bash"))
		images, layers := breaks(dir, []stored{keptImage(t, dir, "overlay", 1, hexOf(1))}, []storedLayer{{ID: hexOf(1)}})
		lists(t, dir, "overlay", images, layers)
		if _, err := scanOf(t.Context(), "containers-storage:"+dir, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := scanOf(t.Context(), "containers-storage:"+t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(),
		"other drivers are not read") {
		t.Error(err)
	}
}

// oneForEach is an image for each of two platforms, with a package of its name.
func oneForEach(t *testing.T) (arm, amd v1.Image) {
	t.Helper()
	return named(t, "linux/arm64", fmt.Sprintf(storedStatus, "arm")), named(t, "linux/amd64", fmt.Sprintf(storedStatus, "amd"))
}

// TestAContentStoreOfContainerdIsReadWithoutIt: of an index the builds that are there count.
func TestAContentStoreOfContainerdIsReadWithoutIt(t *testing.T) {
	arm, amd := oneForEach(t)
	dir := layoutOf(t, member{add: arm})
	other := layoutOf(t, member{add: amd})
	store := filepath.Join(t.TempDir(), "io.containerd.content.v1.content")
	copyBlobs(t, dir, store)
	inv, err := scanOf(t.Context(), "containerd:"+filepath.Dir(store), Options{})
	if err != nil || inv.Platform != "linux/arm64" || len(inv.Packages) != 1 || inv.Packages[0].Name != "arm" {
		t.Fatalf("%+v, %v", inv, err)
	}
	copyBlobs(t, other, store)
	_, err = scanOf(t.Context(), "containerd:"+store, Options{})
	digest, hashErr := amd.Digest()
	if hashErr != nil || err == nil || !strings.Contains(err.Error(), "2 images are in it") || !strings.Contains(err.Error(),
		digest.String()) {
		t.Errorf("%v, %v", err, hashErr)
	}
	if inv, err = scanOf(t.Context(), "containerd:"+store+"@"+digest.String(), Options{}); err != nil || inv.Packages[0].Name != "amd" {
		t.Errorf("%+v, %v", inv, err)
	}
	if _, err = scanOf(t.Context(), "containerd:"+store+"@sha256:"+hexOf(7), Options{}); err == nil || !strings.Contains(err.Error(),
		"does not have it") {
		t.Errorf("a digest that is not there: %v", err)
	}
	if _, err = scanOf(t.Context(), "containerd:"+store+"@../../x", Options{}); err == nil {
		t.Error("what is no digest names an image")
	}
	if _, err = scanOf(t.Context(), "containerd:"+t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(),
		"want containerd's folder") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, _, err = ParseLocal(filepath.Dir(store)); err == nil || !strings.Contains(err.Error(), "want containerd:") {
		t.Errorf("a path alone: %v", err)
	}
}

// TestAnIndexIsReadForTheBuildsThatAreThere, as containerd pulls those of its node and exports an index of all.
func TestAnIndexIsReadForTheBuildsThatAreThere(t *testing.T) {
	arm, amd := oneForEach(t)
	var index v1.ImageIndex = mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for platform, img := range map[string]v1.Image{"linux/amd64": amd, "linux/arm64": arm} {
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}})
	}
	dir := layoutOf(t, member{add: index})
	if inv, err := scanOf(t.Context(), "oci:"+dir, Options{}); err != nil || inv.Packages[0].Name != "amd" {
		t.Fatalf("both are there: %+v, %v", inv, err)
	}
	gone, err := amd.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "blobs", "sha256", gone.Hex)); err != nil {
		t.Fatal(err)
	}
	if inv, err := scanOf(t.Context(), "oci:"+dir, Options{}); err != nil || inv.Packages[0].Name != "arm" {
		t.Errorf("one is there: %+v, %v", inv, err)
	}
	if _, err := scanOf(t.Context(), "oci:"+dir, Options{Platform: "linux/amd64"}); err == nil || !strings.Contains(err.Error(),
		"does not have it") {
		t.Errorf("the one that is not there is asked for: %v", err)
	}
}

// copyBlobs puts the blobs of a layout into a content store.
func copyBlobs(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(to, "blobs"), os.DirFS(filepath.Join(from, "blobs"))); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
}

// FuzzStorage reads lists of a storage that anybody may have written.
func FuzzStorage(f *testing.F) {
	f.Add([]byte(`[{"id":"`+hexOf(1001)+`","names":["a:1"],"layer":"`+hexOf(1)+`"}]`),
		[]byte(`[{"id":"`+hexOf(1)+`","parent":"`+hexOf(1)+`"}]`), "a:1")
	f.Add([]byte(`[{"id":"../x"}]`), []byte(`[]`), "")
	f.Add([]byte(`[`), []byte(`{}`), "@")
	dir := f.TempDir()
	laid(f, filepath.Join(dir, "overlay", hexOf(1), "diff"), ofStatus("bash"))
	keptImage(f, dir, "overlay", 1, hexOf(1))
	f.Fuzz(func(t *testing.T, images, layers []byte, want string) {
		laid(t, dir, map[string]string{"overlay-images/images.json": string(images), "overlay-layers/layers.json": string(layers)})
		if strings.ContainsAny(want, "/\x00") {
			return
		}
		img, err := openStorage("x", dir+":"+want, Options{})
		if err != nil {
			return
		}
		for _, l := range img.stack {
			if !strings.HasPrefix(l.dir, dir+string(filepath.Separator)) || strings.Contains(l.dir, "..") {
				t.Errorf("a layer lies at %s", l.dir)
			}
		}
	})
}
