package image

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

func uploaded(t testing.TB, change func(*Inventory)) []byte {
	t.Helper()
	inv := &Inventory{Version: InventoryVersion, Digest: "sha256:" + strings.Repeat("a", 64), Reference: "registry.example/shop/web:1",
		Platform: "linux/amd64", Understood: true, ScannedAt: time.Now().Add(-time.Hour), OS: OS{ID: "debian", VersionID: "12"},
		Layers: []Layer{{Digest: "sha256:" + strings.Repeat("b", 64), Command: "RUN make"}},
		Packages: []Package{{PURL: "pkg:deb/debian/openssl@3.0", Name: "openssl", Version: "3.0",
			Ecosystem: "Debian:12", Database: "var/lib/dpkg/status"}}}
	if change != nil {
		change(inv)
	}
	b, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatABuildSaysIsReadAsWhatAStrangerWrote(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Inventory)
		want   string // part of the error, "" for none
	}{
		{"as it is sent", nil, ""},
		{"known by its configuration alone", func(i *Inventory) { i.Digest, i.Config = "", i.Digest }, ""},
		{"no digest", func(i *Inventory) { i.Digest = "" }, "with a digest"},
		{"a digest that is none", func(i *Inventory) { i.Digest = "sha256:../../x" }, "no digest"},
		{"of another version", func(i *Inventory) { i.Version++ }, "version"},
		{"a package without a name", func(i *Inventory) { i.Packages[0].Name = "" }, "name of every package"},
		{"a text without end", func(i *Inventory) { i.OS.PrettyName = strings.Repeat("x", longestTold+1) }, "at most 1000 bytes"},
		{"gaps without end", func(i *Inventory) { i.Gaps = make([]collect.Gap, maxGapsTold+1) }, "200 gaps"},
		{"layers without end", func(i *Inventory) { i.Layers = make([]Layer, maxLayersTold+1) }, "1000 layers"},
	} {
		inv, err := ReadUploaded(uploaded(t, test.change))
		if test.want == "" && (err != nil || inv == nil) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	for body, want := range map[string]string{`nonsense`: "scan image --upload", fmt.Sprintf(`{"version":%d,"layers":%s}`, InventoryVersion,
		strings.Repeat("[", 20)+strings.Repeat("]", 20)): "levels deep", `[]`: "scan image --upload"} {
		if _, err := ReadUploaded([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v, want %q", body, err, want)
		}
	}
}

func TestWhatABuildSaysLosesSecretsAndClaimsAboutOthers(t *testing.T) {
	const secret = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
	inv, err := ReadUploaded(uploaded(t, func(i *Inventory) {
		i.ScannedAt = time.Now().Add(1000 * time.Hour)
		i.Layers[0].Command = "RUN curl -H 'Authorization: Bearer " + secret + "'"
		i.Layers[0].Size = -1
		i.Gaps = []collect.Gap{{Cluster: "prod", Source: "api", What: "a file", Kinds: []string{"Secret"}}}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if l := inv.Layers[0]; strings.Contains(l.Command, secret) || l.Size != 0 || inv.ScannedAt.After(time.Now()) {
		t.Errorf("%+v, read %s", l, inv.ScannedAt)
	}
	if g := inv.Gaps[0]; g.Cluster != "" || g.Source != "image" || strings.Contains(strings.Join(g.Kinds, " "), "Secret") {
		t.Errorf("%+v", g)
	}
}

func FuzzUploaded(f *testing.F) {
	f.Add(uploaded(f, nil))
	f.Add([]byte(`{"version":4,"digest":7}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		inv, err := ReadUploaded(text)
		if err == nil && (inv.Digest == "" && inv.Config == "" || inv.Digest != "" && Digest(inv.Digest) != nil || len(inv.OS.ID) > longestTold) {
			t.Errorf("%+v", inv)
		}
	})
}
