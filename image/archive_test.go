package image

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"
)

// savedAs is what docker save writes of images of one layer each.
func savedAs(t testing.TB, names []string, layers ...[]byte) []entry {
	t.Helper()
	var files []entry
	var all []saved
	for i, layer := range layers {
		diff, _, err := v1.SHA256(strings.NewReader(string(plainOf(t, layer))))
		if err != nil {
			t.Fatal(err)
		}
		config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["%s"]},"x":%d}`, diff, i)
		sum, _, err := v1.SHA256(strings.NewReader(config))
		if err != nil {
			t.Fatal(err)
		}
		is := saved{Config: sum.Hex + ".json", Layers: []string{fmt.Sprintf("%d/layer.tar", i)}}
		if i < len(names) && names[i] != "" {
			is.RepoTags = strings.Split(names[i], " ")
		}
		files = append(files, entry{name: is.Layers[0], content: string(layer)}, entry{name: is.Config, content: config})
		all = append(all, is)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return append(files, entry{name: "manifest.json", content: string(b)})
}

func plainOf(t testing.TB, layer []byte) []byte {
	t.Helper()
	r, _, err := unpacked(io.NopCloser(bytes.NewReader(layer)), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}

func write(t testing.TB, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "saved:1.tar") // a name with a colon, as people have them
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func layerOf(t testing.TB, packages string) []byte {
	t.Helper()
	return tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: packages})
}

func TestAnArchiveIsReadHoweverItIsPacked(t *testing.T) {
	packers := map[string]func(testing.TB, []byte) []byte{"plain": func(_ testing.TB, b []byte) []byte { return b },
		"gzip": gzipped, "zstd": zipped}
	for outer, pack := range packers {
		for inner, packLayer := range packers {
			t.Run(outer+" with a layer in "+inner, func(t *testing.T) {
				file := write(t, pack(t, tarOf(t, savedAs(t, nil, packLayer(t, layerOf(t, openssl)))...)))
				inv, err := scanOf(t.Context(), "docker-archive:"+file, Options{})
				if err != nil || len(inv.Packages) != 1 || inv.Packages[0].Layer != inv.Layers[0].DiffID {
					t.Errorf("%+v, %v", inv, err)
				}
			})
		}
	}
}

func TestAnArchiveOfSeveralImagesIsAskedForOne(t *testing.T) {
	file := write(t, tarOf(t, savedAs(t, []string{"shop/web:1 shop/web:latest", "registry.example:5000/cart:2"},
		layerOf(t, openssl), layerOf(t, zlib), layerOf(t, newer))...))
	for _, c := range []struct{ want, is, fails string }{
		{":shop/web:1", "libssl3 3.0.11-1", ""}, {":docker.io/shop/web:1", "libssl3 3.0.11-1", ""}, {":shop/web", "libssl3 3.0.11-1", ""},
		{":registry.example:5000/cart:2", "zlib1g 1:1.2.13.dfsg-1", ""}, {":@0", "libssl3 3.0.11-1", ""}, {":@2", "libssl3 3.0.14-1", ""},
		{"", "", "3 images are in the archive: name one as docker-archive:" + file + ":NAME, of shop/web:1, registry.example:5000/cart:2, @2"},
		{":@3", "", `no image "@3" among 3`}, {":shop/web:2", "", `no image "shop/web:2" among 3`}, {":A b", "", "no image"},
	} {
		inv, err := scanOf(t.Context(), "docker-archive:"+file+c.want, Options{})
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %q", c.want, err, c.fails)
			}
		} else if err != nil || len(inv.Packages) != 1 || inv.Packages[0].Name+" "+inv.Packages[0].Version != c.is {
			t.Errorf("%s: %+v, %v", c.want, inv, err)
		}
	}
	one := write(t, tarOf(t, savedAs(t, []string{"shop/web:1"}, layerOf(t, openssl))...))
	if _, err := scanOf(t.Context(), "docker-archive:"+one+":shop/cart:1", Options{}); err == nil ||
		!strings.Contains(err.Error(), "it has shop/web:1") {
		t.Errorf("another than the only one: %v", err)
	}
}

func TestLayersOfAnArchiveMayBeLinks(t *testing.T) {
	for _, c := range []struct {
		name, link string
		typ        byte
		fails      string
	}{
		{"a link", "../real/layer.tar", tar.TypeSymlink, ""}, {"a hard link", "real/layer.tar", tar.TypeLink, ""},
		{"a link in a circle", "layer.tar", tar.TypeSymlink, "there is no file"},
		{"a link that leads out", "../../etc/passwd", tar.TypeSymlink, "there is no file"},
	} {
		files := savedAs(t, nil, layerOf(t, openssl))
		real, link := entry{name: "real/layer.tar", content: files[0].content}, entry{name: files[0].name, typ: c.typ, link: c.link}
		files = append([]entry{real, link}, files[1:]...)
		inv, err := scanOf(t.Context(), "docker-archive:"+write(t, tarOf(t, files...)), Options{})
		if c.fails == "" && (err != nil || len(inv.Packages) != 1) || c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %+v, %v", c.name, inv, err)
		}
	}
}

func TestALayerThatIsKeptElsewhereIsAGap(t *testing.T) {
	files := savedAs(t, nil, layerOf(t, openssl))
	diff, _, err := v1.SHA256(strings.NewReader(files[0].content))
	if err != nil {
		t.Fatal(err)
	}
	source := fmt.Sprintf(`{"%s":{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"%[1]s","size":1}}`, diff)
	files[2].content = strings.Replace(files[2].content, `"LayerSources":null`, `"LayerSources":`+source, 1)
	inv, err := scanOf(t.Context(), "docker-archive:"+write(t, tarOf(t, files...)), Options{})
	if err != nil || inv.Understood || !strings.Contains(told(inv), "it is a foreign layer") {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestABrokenArchiveIsRefused(t *testing.T) {
	good := savedAs(t, nil, layerOf(t, openssl))
	with := func(i int, change func(*entry)) []byte {
		files := append([]entry(nil), good...)
		change(&files[i])
		return tarOf(t, files...)
	}
	many := make([]entry, maxArchived+1)
	for i := range many {
		many[i].name = fmt.Sprint(i)
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"another layer than its configuration says", with(0, func(e *entry) { e.content = string(layerOf(t, zlib)) }),
			"corrupt, cut short or was tampered with"},
		{"another configuration than its name says", with(1, func(e *entry) { e.content += " " }), "corrupt or was tampered with"},
		{"a configuration that is none", with(1, func(e *entry) { e.content = "<" }), "read its configuration"},
		{"without its configuration", with(1, func(e *entry) { e.name = "x" }), "there is no file"},
		{"a layer too few", with(2, func(e *entry) { e.content = strings.Replace(e.content, `["0/layer.tar"]`, `[]`, 1) }),
			"names 0 layers and the configuration 1"},
		{"a manifest that is none", with(2, func(e *entry) { e.content = "{}" }), "read manifest.json"},
		{"a huge manifest", with(2, func(e *entry) { e.content = strings.Repeat(" ", maxManifest+1) }), "past its bounds"},
		{"a huge configuration", with(1, func(e *entry) { e.content = strings.Repeat(" ", maxConfig+1) }), "past its bounds"},
		{"more files than any", tarOf(t, many...), "past its bounds"},
		{"nothing inside", tarOf(t), `there is no file "manifest.json"`},
		{"an OCI archive", tarOf(t, entry{name: "./oci-layout"}, entry{name: "index.json"}), "name it as oci-archive:"},
		{"one of an old docker", tarOf(t, entry{name: "repositories"}), "before 1.10"},
		{"no archive", []byte(strings.Repeat("no archive", 100)), "want an archive as docker save writes it"},
		{"packed with xz", []byte("\xfd7zXZ\x00"), "xz -d"},
		{"a bomb", gzipped(t, tarOf(t, entry{name: "x", content: strings.Repeat("\x00", 64<<20)})), "past its bounds"},
		{"cut short", gzipped(t, tarOf(t, good...))[:100], "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := scanOf(t.Context(), "docker-archive:"+write(t, c.content), Options{Limits: Limits{Entries: 100, File: 1 << 20, Kept: 1 << 20,
				Bytes: 128 << 20, Ratio: 100, RatioFrom: 1 << 20}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func FuzzAnArchiveEndsWithAnAnswer(f *testing.F) {
	f.Add(tarOf(f, savedAs(f, []string{"a:1"}, layerOf(f, openssl))...), "a:1")
	f.Add(gzipped(f, tarOf(f, entry{name: "manifest.json", content: `[{"Config":"x","Layers":["manifest.json"]}]`})), "@0")
	f.Fuzz(func(t *testing.T, content []byte, want string) {
		if inv, err := scanOf(t.Context(), "docker-archive:"+write(t, content)+":"+want, Options{Limits: small}); err == nil && inv.Digest == "" {
			t.Errorf("%+v", inv)
		}
	})
}

// TestALayerIsReadHoweverItIsPacked has the forms that tools write layers in.
func TestALayerIsReadHoweverItIsPacked(t *testing.T) {
	release := tarOf(t, entry{name: "etc/os-release", content: debian})
	bz, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWXC2n3UAAH1fgMrQUAL/ggYhmQD+JZ4ACAggAHUREyGg0ABpoPSA9QElEmNJkyYQMmIy" +
		"MJ6j8phqEDuCEIp1qcUyyRoEMBk+jYeu3ypwomBg0eMFyI70WT4QYqSwGhsPznPqGlrk9+iB2MIh4JReH2/NfLE/mkg/i7kinChIOFtPuoA=")
	if err != nil {
		t.Fatal(err)
	}
	skip := func(magic byte, n int) []byte {
		return append([]byte{magic, 0x2a, 0x4d, 0x18, byte(n), 0, 0, 0}, make([]byte, n)...)
	}
	frames := zipped(t, release)
	for name, layer := range map[string][]byte{
		"plain": release, "gzip": gzipped(t, release), "gzip in two members": append(gzipped(t, release[:700]), gzipped(t, release[700:])...),
		"bzip2": bz, "zstd": frames,
		"zstd in two frames":               append(zipped(t, release[:700]), zipped(t, release[700:])...),
		"zstd after a frame to skip":       append(skip(0x50, 4), frames...),
		"zstd after two frames to skip":    append(append(skip(0x5f, 0), skip(0x52, 9)...), frames...),
		"zstd before a frame to skip":      append(zipped(t, release), skip(0x50, 4)...),
		"zstd with a frame to skip within": append(append(zipped(t, release[:700]), skip(0x51, 4)...), zipped(t, release[700:])...),
	} {
		c, err := readLayer(strings.NewReader(string(layer)), &budget{limits: small}, newSearch())
		if err != nil || len(c.Changes) == 0 || !strings.HasPrefix(string(c.Changes[0].Data), "ID=debian") {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for name, layer := range map[string][]byte{"xz": []byte("\xfd7zXZ\x00"), "a frame to skip that never ends": skip(0x50, 200)[:50]} {
		if c, err := readLayer(strings.NewReader(string(layer)), &budget{limits: small}, newSearch()); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}
