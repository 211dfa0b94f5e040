package image

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/breakwater-sec/breakwater/collect"
)

// secretOf is of the shape of npm's, put together here.
func secretOf(letter string) string { return "npm_" + strings.Repeat(letter+"1B2", 9) }

// keptLayers keeps what is cached of layers, to look at it.
type keptLayers map[string][]byte

func (s keptLayers) Layer(_ context.Context, key string) ([]byte, error) {
	if b, there := s[key]; there {
		return b, nil
	}
	return nil, os.ErrNotExist
}

func (s keptLayers) PutLayer(_ context.Context, key string, b []byte) error {
	s[key] = slices.Clone(b)
	return nil
}

// leaky is an image with secrets in files, in files that are gone, in packages' files and in its configuration; its values are all
// that must be told nowhere.
func leaky(t *testing.T) (img v1.Image, values []string) {
	t.Helper()
	kept, gone, replaced, packaged, changed, built := secretOf("k"), secretOf("g"), secretOf("r"), secretOf("p"), secretOf("c"), secretOf("b")
	const paragraphs = "Package: tool\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n"
	img = imageOf(t,
		tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: paragraphs},
			entry{name: "var/lib/dpkg/info/tool.list", content: "/usr/share/tool/test.key\n/etc/tool.conf\n"},
			entry{name: "usr/share/tool/test.key", content: "token " + packaged + "\n"}, entry{name: "etc/tool.conf", content: "# nothing is set\n\n\n"},
			entry{name: "app/left.env", content: "A=1\nTOKEN=" + kept + "\n"}, entry{name: "tmp/build/.npmrc", content: "_authToken=" + gone + "\n"},
			entry{name: "app/old.env", content: "TOKEN=" + replaced + "\n"}, entry{name: "app/node_modules/x/package.json", content: `{"name":"x","version":"1"}`},
			entry{name: "app/node_modules/x/test/key.txt", content: "the test's token: " + secretOf("x") + "\n"}),
		tarOf(t, entry{name: "tmp/.wh.build", content: ""}, entry{name: "app/old.env", content: "TOKEN is not set here\n"},
			entry{name: "etc/tool.conf", content: "token = " + changed + "\n"}))
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c.Config.Env = []string{"PATH=/bin", "DB_PASSWORD=hunter2hunter2", "SPACE=ENV"}
	c.Config.Cmd = []string{"app", "--password", "swordfish99"}
	c.History = []v1.History{{CreatedBy: "COPY . /"}, {CreatedBy: "|1 NPM=" + built + " /bin/sh -c npm ci"}, {CreatedBy: "ENV DB_PASSWORD=hunter2hunter2", EmptyLayer: true}}
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	return img, []string{kept, gone, replaced, packaged, changed, built, secretOf("x"), "hunter2hunter2", "swordfish99"}
}

func TestSecretsAreFoundInEveryLayerAndInTheConfigurationAndNeverTold(t *testing.T) {
	img, values := leaky(t)
	dir := layoutOf(t, member{add: img})
	cache := keptLayers{}
	var inv *Inventory
	for round := range 2 {
		var err error
		if inv, err = ScanLocal(t.Context(), Local{"oci", dir}, Options{Cache: cache, Salt: []byte("salt")}); err != nil {
			t.Fatal(err)
		}
		if round == 0 && len(cache) == 0 {
			t.Fatal("nothing was kept of its layers")
		}
	}
	var got []string
	for _, s := range inv.Secrets {
		got = append(got, fmt.Sprintf("%s in %s:%d removed=%t published=%t", s.Kind, s.File, s.Line, s.Removed, s.Published))
		if s.Hash == "" || (s.Layer == "") != (s.Line == 0) {
			t.Errorf("%+v", s)
		}
	}
	want := []string{
		"secret in a command in CMD:0 removed=false published=false",
		"secret in an environment variable in ENV DB_PASSWORD:0 removed=false published=false",
		"npm access token in app/left.env:2 removed=false published=false",
		"npm access token in app/old.env:1 removed=true published=false",
		"npm access token in build command 2:0 removed=false published=false",
		"npm access token in etc/tool.conf:1 removed=false published=false",
		"account of an npm registry in tmp/build/.npmrc:1 removed=true published=false",
		"npm access token in tmp/build/.npmrc:1 removed=true published=false",
		"npm access token in app/node_modules/x/test/key.txt:1 removed=false published=true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	told := map[string][]byte{}
	for key, packed := range cache {
		c, err := unpackContent(packed)
		if err != nil {
			t.Fatal(err)
		}
		if told["layer "+key], err = json.Marshal(c); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if told["inventory"], err = json.Marshal(inv); err != nil {
		t.Fatal(err)
	}
	for where, text := range told {
		for _, v := range values {
			if strings.Contains(string(text), v) || strings.Contains(string(text), v[4:]) {
				t.Errorf("%s tells %s…", where, v[:6])
			}
		}
	}
}

func TestASecretHasTheSameHashInEveryImageThatIsReadWithTheSalt(t *testing.T) {
	hash := func(salt, file string) string {
		dir := t.TempDir()
		for name, content := range map[string]string{"etc/os-release": debian, file: "x\n\n" + secretOf("k") + "\n"} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		inv, err := ScanLocal(t.Context(), Local{"rootfs", dir}, Options{Salt: []byte(salt)})
		if err != nil || len(inv.Secrets) != 1 {
			t.Fatalf("%v, %+v", err, inv)
		}
		return inv.Secrets[0].Hash
	}
	if a, b, c := hash("one", "a"), hash("one", "srv/b"), hash("two", "a"); a != b || a == c {
		t.Errorf("%s %s %s", a, b, c)
	}
}

func TestAnImageFullOfSecretsIsReadWithinBoundsAndSaysSo(t *testing.T) {
	var entries []entry
	for i := range mostSecrets + 20 {
		entries = append(entries, entry{name: fmt.Sprintf("app/%d.env", i), content: fmt.Sprintf("TOKEN=npm_%036d\n", i)})
	}
	inv, err := ScanLocal(t.Context(), Local{"oci", layoutOf(t, member{add: imageOf(t, tarOf(t, entries...))})}, Options{})
	if err != nil || len(inv.Secrets) != mostSecrets {
		t.Fatalf("%v, %d secrets", err, len(inv.Secrets))
	}
	if !slices.ContainsFunc(inv.Gaps, func(g collect.Gap) bool { return g.What == "secrets" }) {
		t.Errorf("%+v", inv.Gaps)
	}
}
