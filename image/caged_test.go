package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/breakwater-sec/breakwater/cage"
)

// TestMain is the child if a test reads an image in a cage.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == CagedCommand {
		if err := ReadCaged(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// textOf is an inventory without the time at which it was made.
func textOf(inv *Inventory) string {
	if inv == nil {
		return "none"
	}
	b, err := json.Marshal(inv)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(b), inv.ScannedAt.Format(time.RFC3339Nano), "")
}

func TestAnImageIsInACageWhatItIsOutside(t *testing.T) {
	ref := parsed(t, pushed(t, imageOf(t, tarOf(t, entry{name: "lib/apk/db/installed", content: apkDB}),
		tarOf(t, entry{name: "etc/os-release", content: "ID=alpine\nVERSION_ID=3.20.1\n"}))))
	want, err := Scan(t.Context(), ref, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache, layers := newKept(), 0
	c := Caged{Options: Options{Cache: cache, Progress: func(p Progress) {
		if layers++; p.Reference != ref.String() || p.Of != 2 {
			t.Errorf("%+v", p)
		}
	}}}
	for _, kept := range []int{2, 2} {
		got, err := c.Scan(t.Context(), ref)
		if err != nil || textOf(got) != textOf(want) || !got.Understood {
			t.Errorf("%v: %s\nwant %s", err, textOf(got), textOf(want))
		}
		if len(cache.content) != kept {
			t.Errorf("%d layers are kept", len(cache.content))
		}
	}
	if layers != 4 || cache.found != 2 {
		t.Errorf("%d layers were told, %d found in the cache", layers, cache.found)
	}
}

// kept is a cache in memory.
type kept struct {
	mu      sync.Mutex
	content map[string][]byte
	found   int
	full    error
}

func newKept() *kept { return &kept{content: map[string][]byte{}} }

func (k *kept) Layer(_ context.Context, key string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, there := k.content[key]
	if !there {
		return nil, errors.New("not there")
	}
	k.found++
	return b, nil
}

func (k *kept) PutLayer(_ context.Context, key string, content []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.content[key] = content
	return k.full
}

func TestWhatCannotBeKeptIsToldFromOutsideTheCage(t *testing.T) {
	ref, cache := parsed(t, pushed(t, imageOf(t, tarOf(t, entry{name: "lib/apk/db/installed", content: apkDB})))), newKept()
	cache.full = errors.New("the disk is full")
	if inv, err := (Caged{Options: Options{Cache: cache}}).Scan(t.Context(), ref); err == nil || !errors.Is(err, cache.full) {
		t.Errorf("%v, %v", inv, err)
	}
}

func TestAnImageOnThisMachineIsReadInACageThatHasNothingElse(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "lib/apk/db"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "lib/apk/db/installed"), []byte(apkDB), 0o600); err != nil {
		t.Fatal(err)
	}
	layout := laidOut(t, imageOf(t, tarOf(t, entry{name: "lib/apk/db/installed", content: apkDB})))
	for _, named := range []string{"rootfs:" + root, "oci:" + layout} {
		l, _, err := ParseLocal(named)
		if err != nil {
			t.Fatal(err)
		}
		want, err := ScanLocal(t.Context(), l, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (Caged{}).ScanLocal(t.Context(), l); err != nil || textOf(got) != textOf(want) || !got.Understood {
			t.Errorf("%s: %v\n%s\nwant %s", named, err, textOf(got), textOf(want))
		}
	}
}

func TestARefusalMeansTheSameOutsideACage(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/busy/") {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		} else if strings.Contains(r.URL.Path, "/old/") {
			_, _ = io.WriteString(w, `{"schemaVersion":1,"fsLayers":[]}`)
		} else if r.URL.Path != "/v2/" {
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	host := strings.TrimPrefix(s.URL, "http://")
	for repository, is := range map[string]func(error) bool{
		"busy/a": func(err error) bool {
			var b *Busy
			return errors.As(err, &b) && b.Host == host && b.For == time.Hour
		},
		"old/a": func(err error) bool { return errors.Is(err, ErrUnsupported) },
		"none/a": func(err error) bool {
			return strings.Contains(err.Error(), "no such image (404)") && !errors.Is(err, ErrEnded)
		},
	} {
		ref := parsed(t, host+"/"+repository+":1")
		_, want := Scan(t.Context(), ref, Options{})
		if _, err := (Caged{}).Scan(t.Context(), ref); err == nil || !is(err) || want == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", repository, err, want)
		}
	}
}

func TestAChildIsGivenTheAccountOfTheRegistryItAsks(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "reader" || password != "pw" {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.URL.Path != "/v2/" {
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	ref := parsed(t, strings.TrimPrefix(s.URL, "http://")+"/a:1")
	for keychain, want := range map[authn.Keychain]string{one{"reader", "pw"}: "404", one{"reader", "other"}: "401"} {
		if _, err := (Caged{Options: Options{Keychain: keychain}}).Scan(t.Context(), ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want that it says %s", err, want)
		}
	}
}

func TestWhatEndsAReaderIsToldAsThat(t *testing.T) {
	held, err := Caged{}.Held(t.Context())
	if err != nil || held.Memory == 0 {
		t.Skipf("memory is not held here: %v", err)
	}
	c := Caged{Limits: cage.Limits{Memory: 256 << 20, CPU: time.Minute, Wall: time.Minute, Files: 64}}
	var layers [][]byte
	for n := range 3 {
		list := entry{name: fmt.Sprintf("var/lib/dpkg/info/%d.list", n), content: strings.Repeat("a", 64<<20)}
		layers = append(layers, gzipped(t, tarOf(t, list)))
	}
	ref := parsed(t, pushed(t, imageOf(t, layers...)))
	if _, err := c.Scan(t.Context(), ref); !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), "more than 256 MiB of memory") {
		t.Errorf("%v", err)
	}
}

func TestWhatAChildAnswersIsReadAsWhatAStrangerWrote(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":                  "{",
		"too many objects":         `{"packages":[{}` + strings.Repeat(",{}", maxObjects) + `]}`,
		"too deep":                 strings.Repeat("[", 20),
		"a digest that is none":    `{"digest":"../../etc"}`,
		"a build that is none":     `{"builds":[{"digest":"rootfs:/"}]}`,
		"a manifest that is none":  `{"manifest":"x"}`,
		"a config that is no hash": `{"config":"sha256:zz"}`,
	} {
		if inv, err := inventoryFrom([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, inv)
		}
	}
}

func TestAChildReplacesNothingThatItWasNotMissing(t *testing.T) {
	cache := newKept()
	k := keeping{cache, "registry.example/shop/web", map[string]bool{}}
	cache.content[k.at("content-1:a")] = []byte("as it is")
	var said bytes.Buffer
	for _, key := range []string{"content-1:a", "secrets:b"} {
		if err := k.look(t.Context(), &said, key); err != nil {
			t.Fatal(err)
		}
	}
	err := k.put(t.Context(), &said, []byte("content-1:a\x00otherwise"))
	if err == nil || string(cache.content[k.at("content-1:a")]) != "as it is" {
		t.Errorf("%v: %s", err, cache.content)
	}
	if err := k.put(t.Context(), &said, []byte("content-1:never asked for\x00x")); err == nil {
		t.Error("it keeps what it never asked for")
	}
}

// TestWhatAReaderSaysOfALayerIsForImagesOfItsRepositoryAlone: an image may take over who reads it, and name the layers of
// others: what is kept of those must not be its word.
func TestWhatAReaderSaysOfALayerIsForImagesOfItsRepositoryAlone(t *testing.T) {
	cache := newKept()
	var said bytes.Buffer
	taken := keeping{cache, job{Reference: "registry.example/evil/own:1"}.source(), map[string]bool{}}
	if err := taken.look(t.Context(), &said, "content-1:base"); err != nil {
		t.Fatal(err)
	}
	if err := taken.put(t.Context(), &said, []byte("content-1:base\x00nothing is in it")); err != nil {
		t.Fatal(err)
	}
	for reference, want := range map[string]byte{"registry.example/evil/own:2": isCached, "registry.example/shop/web:1": isNot,
		"elsewhere.example/evil/own:1": isNot, "registry.example/evil/own/more:1": isNot} {
		said.Reset()
		k := keeping{cache, job{Reference: reference}.source(), map[string]bool{}}
		if err := k.look(t.Context(), &said, "content-1:base"); err != nil {
			t.Fatal(err)
		}
		if m, err := cage.Receive(&said, heardOfParent); err != nil || m.Kind != want {
			t.Errorf("%s is told %q, %v; want %q", reference, m.Kind, err, want)
		}
	}
	if a, b := (job{Scheme: "oci", Rest: "a"}).source(), (job{Scheme: "oci", Rest: "b"}).source(); a == b {
		t.Errorf("two places of this machine are %s", a)
	}
}

// FuzzAnswer reads answers, refusals and messages of a child that was taken over.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"digest":"","packages":[{"name":"a"}],"layers":[]}`))
	f.Add([]byte(`{"text":"x","busy":"r","busyFor":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if inv, err := inventoryFrom(b); err == nil && inv.Digest != "" && Digest(inv.Digest) != nil {
			t.Fatalf("%q", inv.Digest)
		}
		if refusedWith(b) == nil {
			t.Fatal("a refusal is no error")
		}
	})
}

func TestARegistryThatSendsNextToNothingIsGivenUpSoon(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	for name, drip := range map[string]func(w http.ResponseWriter) bool{
		"nothing at all": func(http.ResponseWriter) bool { time.Sleep(5 * time.Millisecond); return true },
		"a byte now and then": func(w http.ResponseWriter) bool {
			_, err := w.Write([]byte("a"))
			time.Sleep(5 * time.Millisecond)
			return err == nil
		},
		"hundreds now and then": func(w http.ResponseWriter) bool {
			_, err := w.Write(make([]byte, 20))
			time.Sleep(5 * time.Millisecond)
			return err == nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "100000000")
				for flush := w.(http.Flusher); r.Context().Err() == nil && drip(w); {
					flush.Flush()
				}
			}))
			defer s.Close()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v2/a/blobs/"+digest, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := Hurry(http.DefaultTransport, 200*time.Millisecond).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			var slow *Slow
			if !errors.As(err, &slow) || slow.Host != strings.TrimPrefix(s.URL, "http://") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWhoReadsSlowlyIsNotTakenForASlowRegistry(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 64<<10)) }))
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := Hurry(http.DefaultTransport, time.Minute).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	body := resp.Body.(*hurried)
	defer body.Close()
	time.Sleep(50 * time.Millisecond) // it is busy with what it read before
	if n, err := io.Copy(io.Discard, body); n != 64<<10 || err != nil || body.waited > 30*time.Second {
		t.Errorf("%d bytes, %v, after %v", n, err, body.waited)
	}
}

func TestOneBudgetIsForAllLayersOfAnImage(t *testing.T) {
	list := func(name string, bytes int) []byte {
		return gzipped(t, tarOf(t, entry{name: "var/lib/dpkg/info/" + name + ".list", content: strings.Repeat("a", bytes)}))
	}
	plain := func(bytes int) []byte {
		return gzipped(t, tarOf(t, entry{name: "data", content: strings.Repeat("a", bytes)}))
	}
	limits := Limits{Entries: 10, File: 1 << 20, Kept: 1 << 20, Bytes: 4 << 20, Ratio: 1 << 30, RatioFrom: 1 << 30,
		Packages: 10, Listed: 1 << 20}
	for _, test := range []struct {
		name, want string
		times      int // from the cache nothing is unpacked
		limits     func(*Limits)
		layers     [][]byte
	}{
		{"what is kept", "want package databases of at most 1 MiB", 2, nil, [][]byte{list("a", 400<<10), list("b", 400<<10), list("c", 400<<10)}},
		{"what they unpack to", "unpacks to more than", 1, nil, [][]byte{plain(1 << 20), plain(1<<20 + 1), plain(1<<20 + 2), plain(1<<20 + 3)}},
		{"by what it is packed to", "unpacks to more than", 1, func(l *Limits) { l.RatioFrom, l.Ratio = 3<<20, 2 },
			[][]byte{plain(1 << 20), plain(1<<20 + 1), plain(1<<20 + 2)}},
		{"files", "want at most 2 entries", 2, func(l *Limits) { l.Entries = 2 }, [][]byte{plain(1), plain(2), plain(3)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := Options{Limits: limits, Cache: newKept()}
			if test.limits != nil {
				test.limits(&o.Limits)
			}
			ref := parsed(t, pushed(t, imageOf(t, test.layers...)))
			for _, from := range []string{"the registry", "the cache"}[:test.times] {
				if _, err := Scan(t.Context(), ref, o); !errors.Is(err, errBound) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("from %s: %v", from, err)
				}
			}
			for n := range test.layers {
				if _, err := Scan(t.Context(), parsed(t, pushed(t, imageOf(t, test.layers[n]))), o); err != nil {
					t.Errorf("layer %d alone: %v", n, err)
				}
			}
		})
	}
}

func TestNamesOfFilesAreBoundedInAll(t *testing.T) {
	inv := &Inventory{Packages: []Package{{Files: []string{"/a", "/b"}}, {Files: []string{"/c"}}}}
	if err := inv.within(Limits{Listed: 3 * (2 + 16)}); err != nil {
		t.Error(err)
	}
	if err := inv.within(Limits{Listed: 3*(2+16) - 1}); !errors.Is(err, errBound) {
		t.Error(err)
	}
}

func TestJSONThatCostsMoreThanItIsLongIsRefused(t *testing.T) {
	for text, fine := range map[string]bool{
		`{"a":[1,2,{"b":"[[[[,,,,"}]}`:                true,
		strings.Repeat("[", maxDepth):                 true,
		strings.Repeat("[", maxDepth+1):               false,
		"[" + strings.Repeat("1,", maxValues-1):       true,
		"[" + strings.Repeat("1,", maxValues):         false,
		`"` + strings.Repeat(`,\"[`, maxValues) + `"`: true,
		strings.Repeat("{},", maxValues):              false,
		strings.Repeat("[]", 50):                      true,
	} {
		if err := modest([]byte(text)); (err == nil) != fine || err != nil && !errors.Is(err, errBound) {
			t.Errorf("%.20s… of %d bytes: %v", text, len(text), err)
		}
	}
}

func TestSizesThatNoHonestImageHasAreRefused(t *testing.T) {
	img := imageOf(t, tarOf(t, entry{name: "a", content: "b"}))
	for name, change := range map[string]func(*v1.Manifest){
		"a configuration of less than nothing": func(m *v1.Manifest) { m.Config.Size = -1 },
		"a configuration larger than any":      func(m *v1.Manifest) { m.Config.Size = maxConfig + 1 },
		"a layer of less than nothing":         func(m *v1.Manifest) { m.Layers[0].Size = -1 },
	} {
		m, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		m = m.DeepCopy()
		change(m)
		if err := verify(otherwise{img, m}); !errors.Is(err, errBound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := verify(img); err != nil {
		t.Error(err)
	}
}

// otherwise is an image with another manifest.
type otherwise struct {
	v1.Image
	manifest *v1.Manifest
}

func (o otherwise) Manifest() (*v1.Manifest, error) { return o.manifest, nil }
