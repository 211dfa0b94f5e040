package image

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/breakwater-sec/breakwater/backoff"
)

// laidOut writes an image as an OCI layout.
func laidOut(t *testing.T, img v1.Image) string {
	t.Helper()
	dir := t.TempDir()
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendImage(img); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAPipeInALayoutIsNotWaitedFor(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}))
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"index.json", "blobs/sha256/" + m.Config.Digest.Hex, "blobs/sha256/" + m.Layers[0].Digest.Hex} {
		dir := laidOut(t, img)
		at := filepath.Join(dir, file)
		if err := os.Remove(at); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(at, 0o600); err != nil {
			t.Skip(err)
		}
		if _, err := scanOf(t.Context(), "oci:"+dir, Options{}); err == nil || !strings.Contains(err.Error(), "want a regular file") {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestALayoutWhoseFilesWereChangedIsRefused(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}))
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, blob, want string
		content          []byte
	}{
		{"another layer", m.Layers[0].Digest.Hex, "corrupt, cut short or was tampered",
			gzipped(t, tarOf(t, entry{name: "etc/os-release", content: alpine}))},
		{"another configuration", m.Config.Digest.Hex, "not what its manifest says", []byte(`{"os":"linux"}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := laidOut(t, img)
			if err := os.WriteFile(filepath.Join(dir, "blobs", "sha256", test.blob), test.content, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := scanOf(t.Context(), "oci:"+dir, Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestAnArtifactIsNoImage(t *testing.T) {
	chart := mutate.ConfigMediaType(imageOf(t, tarOf(t, entry{name: "Chart.yaml", content: "name: x"})),
		"application/vnd.cncf.helm.config.v1+json")
	_, err := scanOf(t.Context(), "oci:"+laidOut(t, chart), Options{})
	if err == nil || !strings.Contains(err.Error(), "an artifact, no container image") {
		t.Errorf("error %v", err)
	}
}

func TestAnEmptiedDatabaseIsUnknownNotClean(t *testing.T) {
	for _, content := range []string{"", "\n\n", "Package: a\nStatus: deinstall ok config-files\nVersion: 1\n"} {
		img := imageOf(t, tarOf(t, entry{name: "etc/os-release", content: debian}, entry{name: status, content: content}))
		inv, err := scanOf(t.Context(), "oci:"+laidOut(t, img), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if inv.Understood || len(inv.Gaps) == 0 {
			t.Errorf("%q: understood %v, gaps %v", content, inv.Understood, inv.Gaps)
		}
	}
}

func TestARegistryThatAsksForPatienceIsAskedAgain(t *testing.T) {
	inner, refusals := registry.New(registry.Logger(discard)), 2
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") && refusals > 0 {
			refusals--
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	defer s.Close()
	_, err := scanOf(t.Context(), strings.TrimPrefix(s.URL, "http://")+"/shop/web:1", Options{Backoff: time.Hour})
	if refusals != 0 || err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%d refusals left, error %v", refusals, err)
	}
}

// TestARegistryIsLeftAloneAsLongAsItAsks in seconds or until a date, whatever nonsense it says: then it is asked again as
// usual, or the caller is told when.
func TestARegistryIsLeftAloneAsLongAsItAsks(t *testing.T) {
	tests := []struct {
		name, header string
		asked        int           // how often, for one request
		busy         time.Duration // what the caller is told, about
	}{
		{"an hour", "3600", 1, time.Hour},
		{"until a date", "in two hours", 1, 2 * time.Hour},
		{"until a date that is over", "an hour ago", 4, 0},
		{"for ever", "999999999999999999999999", 1, backoff.MostAsked},
		{"until the end of time", "Fri, 31 Dec 9999 23:59:59 GMT", 1, backoff.MostAsked},
		{"less than no time", "-5", 4, time.Millisecond},
		{"nothing", "", 4, time.Millisecond},
		{"in words", "when I am back", 4, time.Millisecond},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				header := test.header
				switch header {
				case "in two hours":
					header = time.Now().Add(2 * time.Hour).UTC().Format(http.TimeFormat)
				case "an hour ago":
					header = time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
				}
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
			}))
			defer s.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := Retry(http.DefaultTransport, time.Millisecond).RoundTrip(r)
			if err == nil {
				_ = resp.Body.Close()
			}
			var busy *Busy
			if !errors.As(err, &busy) || busy.For > test.busy || busy.For < test.busy-10*time.Minute || asked != test.asked {
				t.Errorf("asked %d times, %v, want %d times and busy for %s", asked, err, test.asked, test.busy)
			}
		})
	}
}
