package cli

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/vuln"
)

// onTop adds a layer of one file to an image.
func onTop(t *testing.T, below v1.Image, name, content string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range [][2]string{{"etc/os-release", "ID=debian\nVERSION_ID=12\n"}, {name, content}} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Size: int64(len(f[1])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(below, l)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func written(t *testing.T, img v1.Image) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "layout")
	if _, err := layout.Write(dir, mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: img})); err != nil {
		t.Fatal(err)
	}
	return "oci:" + dir
}

func TestTheBaseThatFixesMostComesFirst(t *testing.T) {
	data := t.TempDir()
	advisory := func(id, fixed string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`{"id":"` + id + `","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12",` +
			`"name":"openssl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"` + fixed + `"}]}]}]}`)}
	}
	if _, err := vuln.Import(t.Context(), datadir.Dir(data).Advisories(), []vuln.Source{{Name: "test", FS: fstest.MapFS{
		"a.json": advisory("CVE-2026-0001", "2"), "b.json": advisory("CVE-2026-0002", "3")}}}, nil); err != nil {
		t.Fatal(err)
	}
	base := func(version string) v1.Image {
		return onTop(t, empty.Image, "var/lib/dpkg/status", "Package: openssl\nStatus: install ok installed\nVersion: "+version+
			"\nArchitecture: amd64\n")
	}
	web := written(t, onTop(t, base("1"), "app/readme", "own"))
	old, newer, newest := written(t, base("1")), written(t, base("2")), written(t, base("3"))
	out, said, code := command(t, "scan", "base", web, newer, old, newest, "-o", "json", "--data", data)
	var got scan.Rebase
	if err := json.Unmarshal([]byte(out), &got); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, said)
	}
	if got.Base == nil || got.Base.Name != old || got.Base.How != scan.SameLayers || got.FromBase != 2 || got.Own != 0 || len(got.Bumps) != 2 {
		t.Fatalf("%+v", got)
	}
	if first := got.Bumps[0]; first.Name != newest || scan.Tally(first.Removes) != "2 unknown" || first.Stays != 0 {
		t.Errorf("first is %+v", first)
	}
	table, _, _ := command(t, "scan", "base", web, old, newest, filepath.Join("oci:", t.TempDir()), "--data", data)
	for _, want := range []string{": the base is " + old, "2 come with the base, 0 with the image's own layers", newest + "  ", "unknown"} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, table)
		}
	}
	if _, said, code := command(t, "scan", "base", web, "--data", data); code == 0 || !strings.Contains(said, "want the image's base") {
		t.Errorf("without a base: %d, %s", code, said)
	}
	if out, _, _ := command(t, "scan", "base", web, newer, "--data", data); !strings.Contains(out, ": the base is not known") {
		t.Errorf("of a base that is not among those given:\n%s", out)
	}
}
