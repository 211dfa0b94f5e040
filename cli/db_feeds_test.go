package cli

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// publisher serves one ecosystem's archive, and nothing else.
func publisher(t *testing.T) *httptest.Server {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	f, err := z.Create("GHSA-1.json")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"left"},
		"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"2.0.0"}]}]}]}`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/osv/npm/all.zip" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(out.Bytes())
	}))
	t.Cleanup(server.Close)
	return server
}

// done is what a command prints that is to succeed.
func done(t *testing.T, args ...string) string {
	t.Helper()
	out, wrong, code := command(t, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d: %s", args, code, wrong)
	}
	return out
}

// TestAdvisoriesAreFetchedAndCarriedToASiteWithoutANetwork: update from a mirror, export, import elsewhere under the printed key.
func TestAdvisoriesAreFetchedAndCarriedToASiteWithoutANetwork(t *testing.T) {
	here, there, at := t.TempDir(), t.TempDir(), publisher(t).URL+"/osv"
	if out := done(t, "db", "update", "--mirror", at, "--data", here, "osv/npm"); !strings.Contains(out, "new, ") {
		t.Errorf("the first time:\n%s", out)
	}
	if out := done(t, "db", "update", "--mirror", at, "--data", here, "osv/npm"); !strings.Contains(out, "as it was") {
		t.Errorf("the second time:\n%s", out)
	}
	if out := done(t, "db", "update", "--list"); !strings.Contains(out, "osv/Debian") || !strings.Contains(out, "kev") {
		t.Errorf("the list:\n%s", out)
	}
	bundle := filepath.Join(t.TempDir(), "advisories.bundle")
	said := done(t, "db", "export", "--data", here, bundle)
	key := regexp.MustCompile(`signed with (\S+)`).FindStringSubmatch(said)
	if key == nil {
		t.Fatalf("no key in %s", said)
	}
	if again := done(t, "db", "export", "--data", here, bundle); !strings.Contains(again, key[1]) {
		t.Errorf("another key: %s", again)
	}
	if info, err := os.Stat(filepath.Join(here, "advisories.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private key: %v, %v", info, err)
	}
	if out := done(t, "db", "import", "--trust", key[1], "--data", there, bundle); !strings.Contains(out, "osv/npm") {
		t.Errorf("elsewhere:\n%s", out)
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"say with --trust KEY whose", []string{"db", "import", "--data", there, bundle}},
		{"none of the trusted keys", []string{"db", "import", "--trust", strings.Repeat("A", 43) + "=", "--data", there, bundle}},
		{"want the public key", []string{"db", "import", "--trust", "secret", "--data", there, bundle}},
		{"404 Not Found", []string{"db", "update", "--mirror", at, "--data", there, "kev"}},
		{"no feed is named", []string{"db", "update", "--data", there, "nobody"}},
		{"imported once only", []string{"db", "restore", "--data", there, "osv/npm"}},
	} {
		if _, wrong, code := command(t, c.args...); code == 0 || !strings.Contains(wrong, c.want) {
			t.Errorf("%v: exit %d, %s, want %q", c.args, code, wrong, c.want)
		}
	}
}
