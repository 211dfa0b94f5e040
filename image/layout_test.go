package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// named is an image for a platform that says what it is for.
func named(t testing.TB, platform, packages string) v1.Image {
	t.Helper()
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: packages}))
	c := withPlatform(t, img)
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	c.OS, c.Architecture, c.Variant = p.OS, p.Architecture, p.Variant
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	return img
}

// member is an entry of index.json.
type member struct {
	add           mutate.Appendable
	platform, tag string
	annotations   map[string]string
}

func layoutOf(t *testing.T, members ...member) string {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, m := range members {
		d := v1.Descriptor{Annotations: map[string]string{}}
		for k, v := range m.annotations {
			d.Annotations[k] = v
		}
		if m.tag != "" {
			d.Annotations["org.opencontainers.image.ref.name"] = m.tag
		}
		if m.platform != "" {
			d.Platform, _ = v1.ParsePlatform(m.platform)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: m.add, Descriptor: d})
	}
	dir := t.TempDir()
	if _, err := layout.Write(dir, index); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestALayoutGivesTheImageThatIsMeant(t *testing.T) {
	amd, arm := named(t, "linux/amd64", openssl), named(t, "linux/arm64", zlib)
	attestation := mutate.ConfigMediaType(imageOf(t, tarOf(t, entry{name: "x"})), "application/vnd.in-toto+json")
	attests := map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	both := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	digest, err := arm.Digest()
	if err != nil {
		t.Fatal(err)
	}
	several := []member{{amd, "linux/amd64", "", nil}, {arm, "linux/arm64", "", nil}}
	for _, c := range []struct {
		name          string
		members       []member
		at, platform  string
		want, refuses string
	}{
		{"the only one", []member{{arm, "", "", nil}}, "", "", "zlib1g", ""},
		{"one for another platform than is asked for", []member{{arm, "", "", nil}}, "", "linux/amd64", "", "it is for linux/arm64"},
		{"one that is asked for in other words", []member{{arm, "", "", nil}}, "", "linux/arm64/v8", "zlib1g", ""},
		{"index.json lists the platforms", several, "", "", "libssl3", ""},
		{"and another is asked for", several, "", "linux/arm64", "zlib1g", ""},
		{"and one that is not there", several, "", "linux/s390x", "", "not built for linux/s390x; it is for linux/amd64, linux/arm64"},
		{"one of them by its digest", several, "@" + digest.String(), "", "zlib1g", ""},
		{"an index within the index", []member{{both, "", "", nil}}, "", "linux/arm64", "zlib1g", ""},
		{"beside an attestation", []member{{attestation, "unknown/unknown", "", attests}, {arm, "linux/arm64", "", nil}}, "", "", "zlib1g", ""},
		{"beside an attestation that says no platform", []member{{attestation, "", "", attests}, {arm, "", "", nil}}, "", "", "zlib1g", ""},
		{"twice the same", []member{{arm, "", "1", nil}, {arm, "", "2", nil}}, "", "", "zlib1g", ""},
		{"by its tag", []member{{arm, "", "1", nil}, {amd, "", "2", nil}}, ":2", "", "libssl3", ""},
		{"by a tag with platforms", []member{{arm, "linux/arm64", "1", nil}, {amd, "linux/amd64", "1", nil}, {both, "", "2", nil}}, ":1",
			"linux/arm64", "zlib1g", ""},
		{"of several without a tag", []member{{arm, "", "1", nil}, {amd, "", "2", nil}}, "", "", "", ":TAG, of 1, 2"},
		{"of several that have none", []member{{arm, "", "", nil}, {amd, "", "", nil}}, "", "", "", "@DIGEST, such as sha256:"},
		{"two for one platform", []member{{arm, "linux/arm64", "", nil}, {amd, "linux/arm64/v8", "", nil}}, "", "", "", "name one as"},
		{"an unknown tag", several, ":3", "", "", `no image "3" among 2`},
		{"a platform that is none", several, "", "a/b/c/d", "", "want OS/ARCHITECTURE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layoutOf(t, c.members...)
			for _, ref := range []string{"oci:" + dir, "oci-archive:" + write(t, packedUp(t, dir)),
				"oci-archive:" + write(t, gzipped(t, packedUp(t, dir)))} {
				inv, err := scanOf(t.Context(), ref+c.at, Options{Platform: c.platform})
				if c.refuses != "" {
					if err == nil || !strings.Contains(err.Error(), c.refuses) {
						t.Errorf("%s: %v, want %q", ref, err, c.refuses)
					}
				} else if err != nil || len(inv.Packages) != 1 || inv.Packages[0].Name != c.want {
					t.Errorf("%s: %+v, %v; want %s", ref, inv, err, c.want)
				}
			}
		})
	}
}

// packedUp is the files of a layout as one archive.
func packedUp(t *testing.T, dir string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := tar.NewWriter(&out)
	if err := z.AddFS(os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsNoLayoutInAnArchiveIsRefusedWithWhatToWrite(t *testing.T) {
	saved := write(t, tarOf(t, savedAs(t, []string{"a:1"}, layerOf(t, openssl))...))
	text, dir := write(t, []byte("hello")), laidOut(t, named(t, "linux/amd64", openssl))
	for ref, want := range map[string]string{
		"oci-archive:" + saved: "name it as docker-archive:" + saved, "oci-archive:" + text: "want an archive of an OCI layout",
		"oci-archive:/nowhere.tar:1": "no such file", "oci-archive:" + write(t, tarOf(t, entry{name: "a"})): "want an OCI layout",
		// A path alone names no registry.
		dir: "want oci:" + dir, t.TempDir(): "want rootfs:/", saved: "or oci-archive:" + saved,
		"./nowhere": "no such file", "../nowhere": "no such file",
	} {
		if _, err := scanOf(t.Context(), ref, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
	}
}

func TestALayoutOfSeveralPlatformsTellsItsBuilds(t *testing.T) {
	dir := layoutOf(t, member{named(t, "linux/amd64", openssl), "linux/amd64", "", nil},
		member{named(t, "linux/arm64", zlib), "linux/arm64", "", nil})
	inv, err := scanOf(t.Context(), "oci:"+dir, Options{})
	if err != nil || len(inv.Builds) != 2 || inv.Builds[1].Platform != "linux/arm64" || inv.Manifest != inv.Builds[0].Digest {
		t.Errorf("%+v, %v", inv, err)
	}
}

// TestMediaTypesAreReadInAnyCase changes how index and manifest write theirs.
func TestMediaTypesAreReadInAnyCase(t *testing.T) {
	dir := layoutOf(t, member{named(t, "linux/amd64", openssl), "linux/amd64", "", nil})
	rewrite := func(file string, change func(map[string]any)) []byte {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err = json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	loud := func(of any) {
		d := of.(map[string]any)
		d["mediaType"] = strings.ToUpper(d["mediaType"].(string)) + "; charset=utf-8"
	}
	var img v1.Hash
	index := rewrite(filepath.Join(dir, "index.json"), func(m map[string]any) {
		d := m["manifests"].([]any)[0].(map[string]any)
		img, _ = v1.NewHash(d["digest"].(string))
		raw := rewrite(filepath.Join(dir, "blobs", "sha256", img.Hex), func(m map[string]any) {
			loud(m)
			loud(m["config"])
			loud(m["layers"].([]any)[0])
		})
		now, size, err := v1.SHA256(strings.NewReader(string(raw)))
		if err != nil {
			t.Fatal(err)
		}
		d["digest"], d["size"] = now.String(), size
		loud(d)
		if err := os.WriteFile(filepath.Join(dir, "blobs", "sha256", now.Hex), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "index.json"), index, 0o600); err != nil {
		t.Fatal(err)
	}
	if inv, err := scanOf(t.Context(), "oci:"+dir, Options{}); err != nil || !inv.Understood {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestABrokenLayoutIsRefused(t *testing.T) {
	arm := named(t, "linux/arm64", zlib)
	digest, err := arm.Digest()
	if err != nil {
		t.Fatal(err)
	}
	huge := `{"manifests":[],"x":"` + strings.Repeat("a", maxManifest) + `"}`
	for _, c := range []struct{ name, file, content, want string }{
		{"a manifest that is another", "blobs/sha256/" + digest.Hex, `{"layers":[]}`, "corrupt or was tampered with"},
		{"a manifest that is not there", "blobs/sha256/" + digest.Hex, "", "and does not have it"},
		{"a huge manifest", "blobs/sha256/" + digest.Hex, huge, "past its bounds"},
		{"a huge index", "index.json", huge, "past its bounds"},
		{"an index of nothing", "index.json", `{}`, `no image "" among 0`},
		{"no JSON", "index.json", `<html>`, "want an OCI layout"},
		{"a digest that leads out", "index.json", `{"manifests":[{"digest":"sha256:../../x"}]}`, "hex"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layoutOf(t, member{arm, "", "", nil})
			file := filepath.Join(dir, c.file)
			err := os.WriteFile(file, []byte(c.content), 0o600)
			if c.content == "" {
				err = os.Remove(file)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err = scanOf(t.Context(), "oci:"+dir, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestIndexesOfIndexesEnd(t *testing.T) {
	var index v1.ImageIndex = mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: named(t, "linux/amd64", zlib)})
	for range maxNested {
		index = mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index})
	}
	if _, err := scanOf(t.Context(), "oci:"+layoutOf(t, member{index, "", "", nil}), Options{}); !errors.Is(err, errBound) {
		t.Error(err)
	}
}
