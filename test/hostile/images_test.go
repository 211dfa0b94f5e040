package hostile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The attacker here is who may create a pod in a watched cluster: the pod names an image,
// and so which registry is asked and what it answers.

// shelf is a registry that serves what it was given, as it was given.
type shelf struct {
	*httptest.Server
	manifests map[string][]byte // by tag and digest
	blobs     map[string][]byte
	// instead answers a path otherwise.
	instead map[string]http.HandlerFunc
	sent    atomic.Int64 // bytes of blobs
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{manifests: map[string][]byte{}, blobs: map[string][]byte{}, instead: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if f := s.instead[at]; f != nil {
		f(w, r)
		return
	}
	if m, is := s.manifests[at]; is {
		w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
		w.Header().Set("Docker-Content-Digest", digestOf(m))
		_, _ = w.Write(m)
		return
	}
	if b, is := s.blobs[at]; is {
		n, _ := w.Write(b)
		s.sent.Add(int64(n))
		return
	}
	if r.URL.Path != "/v2/" {
		http.NotFound(w, r)
	}
}

// host is the registry's address.
func (s *shelf) host() string { return strings.TrimPrefix(s.URL, "http://") }

func digestOf(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }

// blob puts a blob on the shelf and describes it.
func (s *shelf) blob(kind types.MediaType, b []byte) v1.Descriptor {
	h, err := v1.NewHash(digestOf(b))
	if err != nil {
		panic(err)
	}
	s.blobs[h.String()] = b
	return v1.Descriptor{MediaType: kind, Size: int64(len(b)), Digest: h}
}

// put puts a manifest on the shelf and returns its digest.
func (s *shelf) put(tag string, m any) string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	s.manifests[tag], s.manifests[digestOf(text)] = text, text
	return digestOf(text)
}

// image puts an image of layers on the shelf.
func (s *shelf) image(tag string, layers ...[]byte) string {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1}
	c := v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}}
	for _, l := range layers {
		m.Layers = append(m.Layers, s.blob(types.OCILayer, l))
		c.RootFS.DiffIDs = append(c.RootFS.DiffIDs, m.Layers[len(m.Layers)-1].Digest)
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	m.Config = s.blob(types.OCIConfigJSON, text)
	return s.put(tag, m)
}

// packed is a layer of one file.
func packed(file string, size int64, content io.Reader) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: size})
	_, err2 := io.CopyN(w, content, size)
	if err := errors.Join(err, err2, w.Close(), z.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// debian is a layer with a package in it.
func debian() []byte {
	status := "Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.11-1\n\n"
	return packed("var/lib/dpkg/status", int64(len(status)), strings.NewReader(status))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// scan reads an image with the program as people do, and says how much memory it and its
// child had at most, whichever had more.
func (s *shelf) scan(t *testing.T, tag string) (said string, code int, resident int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t), "scan", "image", "registry.example/shop/web:"+tag, "--registry-mirror",
		"registry.example="+s.host(), "--data", t.TempDir())
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("it does not end: %s", out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Fatal("nobody knows its memory")
	}
	return string(out), cmd.ProcessState.ExitCode(), usage.Maxrss << 10
}

func TestAnHonestImageIsReadInACage(t *testing.T) {
	s := newShelf(t)
	s.image("1", debian())
	if said, code, _ := s.scan(t, "1"); code != 0 || !strings.Contains(said, "1 packages") {
		t.Errorf("%d: %s", code, said)
	}
}

// mostResident is what the program, or its child, may have for an image that asks for all.
const mostResident = 1 << 30

func TestAnImageThatAsksForMoreThanHonestOnesEndsItsOwnReadingAlone(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.CopyN(w, zeros{}, 3<<30) }
	tests := []struct {
		name, want string
		make       func(s *shelf)
	}{
		{"its configuration has a size of -1 and no end", "want a configuration of 0 to", func(s *shelf) {
			config := v1.Descriptor{MediaType: types.OCIConfigJSON, Size: -1, Digest: s.blob("", []byte("x")).Digest}
			s.instead[config.Digest.String()] = endless
			s.put("1", v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config})
		}},
		{"a manifest of 30 MiB", "want a manifest of at most 4 MiB", func(s *shelf) {
			s.put("1", map[string]any{"schemaVersion": 2, "layers": []string{}, "annotations": map[string]string{"a": strings.Repeat("a", 30<<20)}})
		}},
		{"a manifest of a million empty layers", "past its bounds", func(s *shelf) {
			s.put("1", json.RawMessage(`{"schemaVersion":2,"layers":[{}`+strings.Repeat(",{}", 1_000_000)+`]}`))
		}},
		{"a manifest that is deep", "levels deep", func(s *shelf) {
			s.put("1", json.RawMessage(`{"schemaVersion":2,"layers":[],"x":`+strings.Repeat("[", 9000)+strings.Repeat("]", 9000)+`}`))
		}},
		{"six layers, each of which alone is nearly too much", "want package databases of at most", func(s *shelf) {
			var layers [][]byte
			for n := range 6 {
				layers = append(layers, packed(fmt.Sprintf("var/lib/dpkg/info/%d.list", n), 100<<20, zeros{}))
			}
			s.image("1", layers...)
		}},
		{"a million packages", "want at most 100000 packages", func(s *shelf) {
			var b bytes.Buffer
			for n := range 300_000 {
				fmt.Fprintf(&b, "Package: p%d\nVersion: 1\nStatus: install ok installed\n\n", n)
			}
			s.image("1", packed("var/lib/dpkg/status", int64(b.Len()), &b))
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newShelf(t)
			test.make(s)
			said, code, resident := s.scan(t, "1")
			if code != 2 || !strings.Contains(said, test.want) {
				t.Errorf("%d: %.500s, want that it says %q", code, said, test.want)
			}
			if resident > mostResident {
				t.Errorf("it had %d MiB", resident>>20)
			}
			t.Logf("%d MiB at most", resident>>20)
		})
	}
}
