package cli

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/report/scan"
)

func TestSecretsInAnImageAreToldAndTheirValuesAreInNoOutputAndInNoFile(t *testing.T) {
	data := t.TempDir()
	st, err := datadir.Dir(data).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	token := "npm_" + strings.Repeat("k1B2", 9)
	img := onTop(t, onTop(t, empty.Image, "app/settings.env", "A=1\nTOKEN="+token+"\n"), "var/lib/dpkg/status",
		"Package: openssl\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n")
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.Config.Env = []string{"DB_PASSWORD=hunter2hunter2"}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	where := written(t, img)
	hashed := ""
	for _, format := range append([]string{"table", "json", "jsonl"}, scan.Formats()...) {
		out, said, code := command(t, "scan", "image", where, "-o", format, "--data", data)
		if code != 0 {
			t.Fatalf("%s: exit code %d: %s", format, code, said)
		}
		for _, value := range []string{token, token[8:], "hunter2"} {
			if strings.Contains(out+said, value) {
				t.Errorf("%s tells the secret", format)
			}
		}
		switch format {
		case "table", "json", "jsonl", "sarif", "junit":
			for _, want := range []string{"npm access token", "app/settings.env", "ENV DB_PASSWORD"} {
				if !strings.Contains(out, want) {
					t.Errorf("%s does not say %q:\n%s", format, want, out)
				}
			}
		}
		if format == "json" {
			_, after, _ := strings.Cut(out, `"hash": "`)
			hash, _, _ := strings.Cut(after, `"`)
			if hash == "" || hashed != "" && hash != hashed {
				t.Errorf("hash %q, before %q", hash, hashed)
			}
			hashed = hash
		}
	}
	if _, said, code := command(t, "scan", "image", where, "--fail-on-secrets", "--data", data); code != 1 || !strings.Contains(said, "secrets") {
		t.Errorf("--fail-on-secrets: exit code %d: %s", code, said)
	}
	err = filepath.WalkDir(data, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(token)) || bytes.Contains(b, []byte("hunter2")) {
			t.Errorf("%s has the secret", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
