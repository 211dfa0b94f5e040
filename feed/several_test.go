package feed

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const exploited = `{"catalogVersion":"1","count":3,"vulnerabilities":[` +
	`{"cveID":"CVE-2024-0001"},{"cveID":"CVE-2024-0002"},{"cveID":"CVE-2024-0003"}]}`

// TestEachFeedIsCountedByItself, under whatever address, and the next one is fetched though one before it failed.
func TestEachFeedIsCountedByItself(t *testing.T) {
	four, five := archive(t, 4, "2.0.0"), archive(t, 5, "2.0.0")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, there := map[string][]byte{"/four.zip": four, "/five.zip": five, "/kev.json": []byte(exploited)}[r.URL.Path]
		switch {
		case !there:
			w.WriteHeader(http.StatusNotFound)
		case r.Header.Get("If-None-Match") == r.URL.Path:
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("ETag", r.URL.Path)
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	u := Updater{Dir: filepath.Join(dir, "advisories"), Folder: filepath.Join(dir, "feeds"),
		wait: func(context.Context, time.Duration) bool { return true }}
	var feeds []Feed
	for _, name := range []string{"four.zip", "none.zip", "five.zip", "kev.json"} {
		feeds = append(feeds, Feed{Name: name, URL: server.URL + "/" + name, Path: name})
	}
	for _, fresh := range []bool{true, false} {
		began := time.Now().Add(-time.Second)
		out, err := u.Update(t.Context(), feeds)
		if err != nil || len(out) != 4 {
			t.Fatalf("%+v, %v", out, err)
		}
		for i, want := range []int{4, 0, 5, 3} {
			if out[i].Records != want || out[i].Fresh != (fresh && want > 0) || (out[i].Problem == "") != (want > 0) {
				t.Errorf("fresh %v: %+v, want %d records", fresh, out[i], want)
			}
		}
		m, err := readMemory(u.Folder)
		if err != nil {
			t.Fatal(err)
		}
		if !m.of("five.zip").Checked.After(began) || !m.of("none.zip").Checked.IsZero() || m.of("none.zip").Problem == "" {
			t.Errorf("fresh %v: remembered are %+v and %+v", fresh, m.of("five.zip"), m.of("none.zip"))
		}
	}
}

func TestWhoIsCalledBackAsksNoMore(t *testing.T) {
	s := &site{statuses: slices.Repeat([]int{500}, 9)}
	u, _ := updating(t, s)
	u.wait = func(context.Context, time.Duration) bool { return false }
	if got := u.updated(t); len(s.asked) != 1 || got.Fresh {
		t.Errorf("asked %d times, and nobody waits any more: %+v", len(s.asked), got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	u.wait = func(context.Context, time.Duration) bool { cancel(); return true }
	s.asked = nil
	if out, err := u.Update(ctx, append(slices.Clone(npm), npm...)); !errors.Is(err, context.Canceled) || len(out) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	torn := errors.New("no route")
	client := &http.Client{Transport: failing{torn}}
	fresh, err := download(t.Context(), client, Feed{URL: "http://feed.example/a"}, filepath.Join(t.TempDir(), "a"), &known{}, nil)
	var again errAgain
	if fresh || !errors.Is(err, torn) || !errors.As(err, &again) || again.after != 0 {
		t.Errorf("a site that is not reached: %v, %v", fresh, err)
	}
}

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// TestOneByteIsSomethingBegun already.
func TestOneByteIsSomethingBegun(t *testing.T) {
	f := Feed{URL: "http://feed.example/all.zip"}
	k := known{URL: f.URL, Partial: `"a"`}
	r, err := http.NewRequest(http.MethodGet, f.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if k.condition(r, f, 1); r.Header.Get("Range") != "bytes=1-" {
		t.Errorf("asked for %q", r.Header.Get("Range"))
	}
	for code, want := range map[int]string{http.StatusRequestedRangeNotSatisfiable: "begun anew", http.StatusPartialContent: ""} {
		name := filepath.Join(t.TempDir(), "file")
		if _, _, err := write(strings.NewReader("x"), name, 0); err != nil {
			t.Fatal(err)
		}
		k := known{URL: f.URL, Partial: `"a"`}
		client := &http.Client{Transport: answering(func(*http.Request) *http.Response {
			w := httptest.NewRecorder()
			w.Header().Set("Content-Range", "bytes 1-4/5")
			w.WriteHeader(code)
			_, _ = w.WriteString("body")
			return w.Result()
		})}
		fresh, err := download(t.Context(), client, f, name, &k, func() error { return nil })
		if fresh != (want == "") || err != nil && !strings.Contains(err.Error(), want) || fresh && k.Bytes != 5 {
			t.Errorf("%d: %v, %v, %d bytes", code, fresh, err, k.Bytes)
		}
	}
}
