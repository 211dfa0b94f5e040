package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"
)

type entry struct {
	name, content, link string
	typ                 byte
	mode                int64
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: cmp.Or(e.mode, 0o644), Size: int64(len(e.content)), Typeflag: e.typ, Linkname: e.link}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func imageOf(t testing.TB, layers ...[]byte) v1.Image {
	t.Helper()
	img := v1.Image(empty.Image)
	for i, l := range layers {
		layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(l)), nil })
		if err != nil {
			t.Fatal(err)
		}
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: fmt.Sprintf("RUN step %d", i+1)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	img, err := mutate.ConfigFile(img, withPlatform(t, img))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func withPlatform(t testing.TB, img v1.Image) *v1.ConfigFile {
	t.Helper()
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture = "linux", "amd64"
	return c
}

// pushed serves an image from a registry of our own and returns its reference.
func pushed(t testing.TB, img v1.Image) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(discard)))
	t.Cleanup(s.Close)
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	return ref.String()
}

const (
	debian  = "ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"
	openssl = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.11-1\n\n"
	newer   = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\nVersion: 3.0.14-1\n\n"
	zlib    = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib (1:1.2.13)\nVersion: 1:1.2.13.dfsg-1\n\n"
	removed = "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
	alpine  = "ID=alpine\nVERSION_ID=3.18.4\n"
	apkDB   = "P:musl\nV:1.2.4-r1\nA:x86_64\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:libssl3\nV:3.1.3-r0\nA:x86_64\no:openssl\n" +
		"F:lib\nR:libssl.so.3\nF:usr/lib\nR:engine.so\n\n"
)

// told is an inventory as a test wants to see it.
func told(inv *Inventory) string {
	var b strings.Builder
	for _, p := range inv.Packages {
		at := 0
		for i, l := range inv.Layers {
			if l.Digest == p.Layer {
				at = i + 1
			}
		}
		fmt.Fprintf(&b, "%s %s %s/%s layer %d %v\n", p.Name, p.Version, p.Ecosystem, p.Source, at, p.Files)
	}
	for _, g := range inv.Gaps {
		fmt.Fprintf(&b, "gap %s: %s\n", g.What, g.Why)
	}
	return strings.TrimSpace(b.String())
}

func TestLayersAreLaidOverEachOther(t *testing.T) {
	const status = "var/lib/dpkg/status"
	release := entry{name: "etc/os-release", content: debian}
	tests := []struct {
		name   string
		layers [][]entry
		want   string
	}{
		{"a package with its files", [][]entry{{release, {name: status, content: openssl},
			{name: "var/lib/dpkg/info/libssl3:amd64.list", content: "/.\n/usr\n/usr/lib\n/usr/lib/libssl.so.3\n"}}},
			"libssl3 3.0.11-1 Debian:12/openssl layer 1 [/usr/lib/libssl.so.3]"},
		{"an upgrade belongs to the layer that made it", [][]entry{{release, {name: status, content: openssl + zlib}},
			{{name: "app", content: "x"}}, {{name: status, content: newer + zlib}}},
			"libssl3 3.0.14-1 Debian:12/openssl layer 3 []\nzlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"removed packages are not installed", [][]entry{{release, {name: status, content: zlib + removed}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"distroless keeps a file per package",
			[][]entry{{release, {name: "./var/lib/dpkg/status.d/zlib1g",
				content: "Package: zlib1g\nVersion: 1:1.2.13.dfsg-1\nArchitecture: amd64\nSource: zlib\n"},
				{name: "var/lib/dpkg/status.d/zlib1g.md5sums", content: "x"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"a whiteout takes the database away", [][]entry{{release, {name: status, content: openssl}}, {{name: "var/lib/dpkg/.wh.status"}}},
			"gap contents: there is no package database in the image"},
		{"an opaque folder hides what is below it", [][]entry{{release, {name: status, content: openssl}}, {{name: "var/lib/.wh..wh..opq"}}},
			"gap contents: there is no package database in the image"},
		{"Alpine, with a linked os-release",
			[][]entry{{{name: "etc/os-release", typ: tar.TypeSymlink, link: "../usr/lib/os-release"},
				{name: "usr/lib/os-release", content: alpine}, {name: "lib/apk/db/installed", content: apkDB}}},
			"libssl3 3.1.3-r0 Alpine:v3.18/openssl layer 1 [/lib/libssl.so.3 /usr/lib/engine.so]\nmusl 1.2.4-r1 Alpine:v3.18/musl layer 1 " +
				"[/lib/ld-musl-x86_64.so.1]"},
		{"an absolute link stays inside the image",
			[][]entry{{{name: "etc/os-release", typ: tar.TypeSymlink, link: "/usr/lib/os-release"},
				{name: "usr/lib/os-release", content: debian}, {name: status, content: zlib}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"a name that leads out is left out and told",
			[][]entry{{release, {name: "../../etc/passwd", content: "x"}, {name: status, content: zlib}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []\ngap names outside of the image: 1 entries of the image's layers are names " +
				"outside of the image; they were left out"},
		{"a link that Linux would not take is left out and told",
			[][]entry{{release, {name: "opt/x", typ: tar.TypeSymlink, link: strings.Repeat("a/", 3000)}, {name: status, content: zlib}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []\ngap links longer than a name may be: 1 entries of the image's layers are links " +
				"longer than a name may be; they were left out"},
		{"an upper layer moves the database behind a link", [][]entry{{release, {name: status, content: openssl}},
			{{name: "var/lib/dpkg", typ: tar.TypeSymlink, link: "../../opt/db"}, {name: "opt/db/status", content: zlib}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 2 []"},
		{"an upper layer replaces the database by a link to nothing", [][]entry{{release, {name: status, content: openssl}},
			{{name: "var/lib/dpkg", typ: tar.TypeSymlink, link: "../../opt/db"}}},
			"gap contents: there is no package database in the image"},
		{"links lead on, each in a layer of its own", [][]entry{{release, {name: "mnt/db/status", content: zlib}},
			{{name: "opt", typ: tar.TypeSymlink, link: "mnt"}}, {{name: "var/lib/dpkg", typ: tar.TypeSymlink, link: "/opt/db"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 3 []"},
		{"a database that is a link to a file of another name", [][]entry{{release, {name: "opt/list", content: zlib},
			{name: status, typ: tar.TypeSymlink, link: "../../../opt/list"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"a database that is a hard link", [][]entry{{release, {name: "opt/list", content: zlib},
			{name: status, typ: tar.TypeLink, link: "opt/list"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"one folder of two names", [][]entry{{{name: "lib", typ: tar.TypeSymlink, link: "usr/lib"},
			{name: "etc/os-release", content: alpine}, {name: "lib/apk/db/installed", content: "P:musl\nV:1.2.4-r1\n\n"}}},
			"musl 1.2.4-r1 Alpine:v3.18/ layer 1 []"},
		{"a file of distroless that cannot be read loses no other",
			[][]entry{{release, {name: "var/lib/dpkg/status.d/a", content: "Package: a\nnonsense\n"},
				{name: "var/lib/dpkg/status.d/b", content: "Package: b\nVersion: 1\n"}, {name: "var/lib/dpkg/status.d/c"},
				{name: "var/lib/dpkg/status.d/b.md5sums", content: "900150983cd24fb0d6963f7d28e17f72  usr/bin/b\n"}}},
			"b 1 Debian:12/ layer 1 [/usr/bin/b]\ngap package database var/lib/dpkg/status.d: 2 of its packages cannot be read " +
				"(a: a line that is no field: nonsense; c: its file is empty)"},
		{"a whiteout of no name hides nothing and is told", [][]entry{{release, {name: status, content: zlib}},
			{{name: "var/lib/dpkg/.wh."}, {name: "var/lib/dpkg/.wh..wh..opqX"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []\ngap whiteouts of no name: 1 entries of the image's layers are whiteouts of " +
				"no name; they were left out"},
		{"a foreign database that an upper layer takes away", [][]entry{{release, {name: status, content: zlib},
			{name: "nix/var/nix/db/db.sqlite", content: "x"}}, {{name: "nix/var/.wh.nix"}}},
			"zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 1 []"},
		{"links in a circle end", [][]entry{{{name: "etc/os-release", typ: tar.TypeSymlink, link: "../usr/lib/os-release"},
			{name: "usr/lib/os-release", typ: tar.TypeSymlink, link: "../../etc/os-release"}}},
			"gap contents: there is no package database in the image"},
		{"another format is said to be unread", [][]entry{{{name: "nix/var/nix/db/db.sqlite", content: "x"}}},
			"gap Nix database: Breakwater does not read Nix databases yet"},
		{"nothing inside is unknown, not clean", [][]entry{{{name: "app", content: "x"}}},
			"gap contents: there is no package database in the image"},
		{"no distribution", [][]entry{{{name: status, content: zlib}}},
			"zlib1g 1:1.2.13.dfsg-1 Linux/zlib layer 1 []\ngap distribution: the image does not say which distribution it is (no os-release)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var layers [][]byte
			for _, l := range test.layers {
				layers = append(layers, tarOf(t, l...))
			}
			inv, err := scanOf(t.Context(), pushed(t, imageOf(t, layers...)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := told(inv); got != test.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, test.want)
			}
		})
	}
}

func TestEveryWayToNameAnImageFindsTheSame(t *testing.T) {
	files := []entry{{name: "etc/os-release", content: debian}, {name: "var/lib/dpkg/status", content: openssl + zlib}}
	img := imageOf(t, tarOf(t, files...))
	dir := t.TempDir()
	if _, err := layout.Write(filepath.Join(dir, "layout"), mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(filepath.Join(dir, "saved.tar"), tag, img); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		to := filepath.Join(dir, "root", f.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(f.content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []string{pushed(t, img), "oci:" + dir + "/layout", "docker-archive:" + dir + "/saved.tar", "rootfs:" + dir + "/root"} {
		inv, err := scanOf(t.Context(), ref, Options{})
		if err != nil {
			t.Errorf("%s: %v", ref, err)
			continue
		}
		var got []string
		for _, p := range inv.Packages {
			got = append(got, p.Name+" "+p.Version)
		}
		if strings.Join(got, ", ") != "libssl3 3.0.11-1, zlib1g 1:1.2.13.dfsg-1" {
			t.Errorf("%s: %v", ref, got)
		}
	}
}

func TestAnIndexIsAskedForThePlatform(t *testing.T) {
	arm := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: alpine}))
	amd := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: "var/lib/dpkg/status", content: zlib}))
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: arm, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}},
		mutate.IndexAddendum{Add: amd, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	s := httptest.NewServer(registry.New(registry.Logger(discard)))
	defer s.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	inv, err := scanOf(t.Context(), ref.String(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if inv.Digest != want.String() || inv.OS.ID != "debian" {
		t.Errorf("digest %s of %s, want the index's %s", inv.Digest, inv.OS.ID, want)
	}
	if got, err := Resolve(t.Context(), parsed(t, ref.String()), Options{}); err != nil || got != want.String() {
		t.Errorf("resolved to %s, %v", got, err)
	}
	if _, err := scanOf(t.Context(), ref.String(), Options{Platform: "linux/s390x"}); err == nil ||
		!strings.Contains(err.Error(), "not built for linux/s390x") {
		t.Errorf("another platform: %v", err)
	}
}

type memory map[string][]byte

func (m memory) Layer(_ context.Context, k string) ([]byte, error) {
	if b, ok := m[k]; ok {
		return b, nil
	}
	return nil, errors.New("none")
}

func (m memory) PutLayer(_ context.Context, k string, b []byte) error { m[k] = b; return nil }

func TestALayerIsReadOnce(t *testing.T) {
	ref := pushed(t, imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian},
		entry{name: "var/lib/dpkg/status", content: openssl})))
	cache, cached := memory{}, 0
	o := Options{Cache: cache, Progress: func(p Progress) {
		if p.FromCache {
			cached++
		}
	}}
	first, err := scanOf(t.Context(), ref, o)
	if err != nil {
		t.Fatal(err)
	}
	second, err := scanOf(t.Context(), ref, o)
	if err != nil {
		t.Fatal(err)
	}
	if cached != 1 || told(first) != told(second) || len(second.Packages) != 1 {
		t.Errorf("%d layers from the cache; %s, then %s", cached, told(first), told(second))
	}
}

func TestHostileLayersEndWithAReason(t *testing.T) {
	good := tarOf(t, entry{name: "var/lib/dpkg/status", content: openssl})
	small := Limits{Entries: 1000, File: 1 << 20, Kept: 2 << 20, Bytes: 64 << 20, Ratio: 100, RatioFrom: 1 << 20}
	many := make([]entry, 2000)
	for i := range many {
		many[i] = entry{name: fmt.Sprintf("f%d", i)}
	}
	tests := []struct {
		name  string
		layer []byte
		want  string
	}{
		{"not an archive", []byte(strings.Repeat("hello ", 200)), "want a tar archive"},
		{"cut off", gzipped(t, good)[:60], "unexpected EOF"},
		{"a broken checksum", func() []byte { z := gzipped(t, good); z[len(z)-6] ^= 1; return z }(), "checksum"},
		{"a bomb", gzipped(t, tarOf(t, entry{name: "zeros", content: strings.Repeat("\x00", 32<<20)})), "unpacks to more"},
		{"a database larger than any", gzipped(t, tarOf(t, entry{name: "var/lib/dpkg/status", content: strings.Repeat("a", 2<<20)})),
			"at most 1 MiB"},
		{"more files than any", tarOf(t, many...), "at most 1000 entries"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := readLayer(bytes.NewReader(test.layer), &budget{limits: small}, newSearch())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestAMillionFilesAreReadWithinBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<20)
		t := tar.NewWriter(b)
		for i := range 1_000_000 {
			if err := t.WriteHeader(&tar.Header{Name: fmt.Sprintf("var/lib/files/%d", i), Mode: 0o644}); err != nil {
				break
			}
		}
		w.CloseWithError(errors.Join(t.Close(), b.Flush()))
	}()
	c, err := readLayer(r, &budget{limits: DefaultLimits}, newSearch())
	if err != nil || c.Entries != 1_000_000 || len(c.Changes) != 0 {
		t.Error(c, err)
	}
}

func TestARegistrysRefusalSaysWhatToDo(t *testing.T) {
	tests := []struct {
		status int
		want   string
	}{{401, "docker login"}, {403, "docker login"}, {404, "no such image"}, {429, "slow down"}}
	for _, test := range tests {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				return
			}
			w.WriteHeader(test.status)
		}))
		_, err := scanOf(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/shop/web:1", Options{Backoff: time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d: %v, want %q", test.status, err, test.want)
		}
		s.Close()
	}
	for ref, want := range map[string]string{"a b": "[HOST/]REPOSITORY[:TAG]", "rootfs:/no/such": "no such file",
		"oci:/no/such": "want an OCI layout", "docker-archive:/no/such": "want an archive"} {
		if _, err := scanOf(t.Context(), ref, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", ref, err, want)
		}
	}
}

// TestAScanThatEndsBeforeItsRegistryAnswersSaysSo asks a registry of this machine, which is tried both with and without
// TLS: the client puts both errors into one, a list.
func TestAScanThatEndsBeforeItsRegistryAnswersSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scanOf(ctx, "127.0.0.1:1/shop/web:1", Options{Transport: http.DefaultTransport}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was cancelled", err)
	}
}

func TestATamperedLayerIsRefused(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}))
	ls, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := ls[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	inner := registry.New(registry.Logger(discard))
	evil := gzipped(t, tarOf(t, entry{name: "etc/os-release", content: alpine}))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, digest.String()) {
			_, _ = w.Write(evil)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	ref, err := name.ParseReference(strings.TrimPrefix(s.URL, "http://") + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img); err != nil {
		t.Fatal(err)
	}
	if _, err := scanOf(t.Context(), ref.String(), Options{}); err == nil {
		t.Error("a layer with another digest was taken")
	}
}

func FuzzReadLayer(f *testing.F) {
	plain := tarOf(f, entry{name: "etc/os-release", content: debian}, entry{name: "var/lib/dpkg/status", content: openssl + removed},
		entry{name: "var/lib/dpkg/info/libssl3.list", content: "/.\n/a\n"}, entry{name: "lib/apk/db/installed", content: apkDB},
		entry{name: "a/.wh.b"})
	f.Add(plain)
	f.Add(gzipped(f, plain))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readLayer(bytes.NewReader(b), &budget{limits: Limits{Entries: 1000, File: 1 << 20, Kept: 4 << 20, Bytes: 16 << 20, Ratio: 1000,
			RatioFrom: 1 << 20}}, newSearch())
		if err != nil {
			return
		}
		tree := newTree()
		tree.add(c)
		packages, _ := readPackages(t.Context(), tree)
		addFiles(tree, packages)
		readOS(tree)
	})
}

func TestARootFilesystemIsReadAsALayerIs(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{"usr/lib/os-release": debian, "opt/db/status": zlib, "proc/1/status": "x"} {
		to := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"etc/os-release": "/usr/lib/os-release", "var/lib/dpkg": "/opt/db"} {
		to := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Symlink(target, to)); err != nil {
			t.Fatal(err)
		}
	}
	inv, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(inv), "zlib1g 1:1.2.13.dfsg-1 Debian:12/zlib layer 0 []"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scanOf(ctx, "rootfs:"+root, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the reader went away: %v", err)
	}
}
