package feed

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/vuln"
)

// archive is a feed of n records.
func archive(t *testing.T, n int, fixed string) []byte { return dated(t, n, fixed, "2024-01-01") }

// dated is a feed of n records that were all modified on a day.
func dated(t *testing.T, n int, fixed, day string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := range n {
		f, err := z.Create(fmt.Sprintf("GHSA-%d.json", i))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `{"id":"GHSA-%d","modified":"%sT00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"left"},
			"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"%s"}]}]}]}`, i, day, fixed)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// site publishes one file, and breaks as it is told.
type site struct {
	body []byte
	tag  string
	// cut ends an answer after so many bytes; says are headers, statuses are answered one after the other before anything else.
	cut      int
	says     http.Header
	statuses []int
	asked    []*http.Request
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r)
	for name, values := range s.says {
		w.Header()[name] = values
	}
	if len(s.statuses) > 0 {
		code := s.statuses[0]
		s.statuses = s.statuses[1:]
		w.WriteHeader(code)
		return
	}
	w.Header().Set("ETag", s.tag)
	body, code := s.body, http.StatusOK
	switch from := strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"); {
	case r.Header.Get("If-None-Match") == s.tag:
		w.WriteHeader(http.StatusNotModified)
		return
	case from != "" && r.Header.Get("If-Range") == s.tag:
		at, _ := strconv.Atoi(from)
		body, code = body[at:], http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(s.body)-1, len(s.body)))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if s.cut > 0 {
		body, s.cut = body[:s.cut], 0
		_, _ = w.Write(body)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

// updating is an updater from a site, and how long it waited.
func updating(t *testing.T, s *site) (Updater, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dir, waited := t.TempDir(), &[]time.Duration{}
	return Updater{Dir: filepath.Join(dir, "advisories"), Folder: filepath.Join(dir, "feeds"), Mirror: server.URL,
		wait: func(_ context.Context, d time.Duration) bool { *waited = append(*waited, d); return true }}, waited
}

var npm = []Feed{{Name: "osv/npm", Path: "npm/all.zip"}}

func (u Updater) updated(t *testing.T) Outcome {
	t.Helper()
	out, err := u.Update(t.Context(), npm)
	if err != nil || len(out) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	return out[0]
}

func TestAFeedIsFetchedOnceAndAskedForAfterwards(t *testing.T) {
	s := &site{body: archive(t, 4, "2.0.0"), tag: `"one"`}
	u, _ := updating(t, s)
	if got := u.updated(t); !got.Fresh || got.Records != 4 || got.Problem != "" {
		t.Errorf("the first time: %+v", got)
	}
	if got := u.updated(t); got.Fresh || got.Records != 4 || got.Problem != "" || s.asked[1].Header.Get("If-None-Match") != s.tag {
		t.Errorf("the second time: %+v", got)
	}
	if s.asked[0].URL.Path != "/npm/all.zip" {
		t.Errorf("the mirror was asked for %s", s.asked[0].URL.Path)
	}
	s.body, s.tag = archive(t, 5, "3.0.0"), `"two"`
	if got := u.updated(t); !got.Fresh || got.Records != 5 {
		t.Errorf("something new: %+v", got)
	}
	if err := vuln.Forget(u.Dir, "osv/npm"); err != nil {
		t.Fatal(err)
	}
	if got := u.updated(t); !got.Fresh {
		t.Errorf("what is not in force any more is not fetched again: %+v", got)
	}
	left, err := os.ReadDir(u.Folder)
	if err != nil || len(left) != 2 { // what is remembered, and the lock
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestABrokenConnectionGoesOnWhereItBroke(t *testing.T) {
	s := &site{body: archive(t, 200, "2.0.0"), tag: `"one"`, cut: 1000}
	u, waited := updating(t, s)
	if got := u.updated(t); !got.Fresh || got.Records != 200 {
		t.Errorf("%+v", got)
	}
	if len(s.asked) != 2 || s.asked[1].Header.Get("Range") != "bytes=1000-" || len(*waited) != 1 {
		t.Errorf("asked %d times, the second for %q", len(s.asked), s.asked[len(s.asked)-1].Header.Get("Range"))
	}
}

func TestAKilledFetchGoesOnAndAnotherFileIsBegunAnew(t *testing.T) {
	s := &site{body: archive(t, 200, "2.0.0"), tag: `"one"`, cut: 1000}
	u, _ := updating(t, s)
	u.Attempts = 1
	if got := u.updated(t); got.Problem == "" {
		t.Errorf("half a file is in force: %+v", got)
	}
	if got := u.updated(t); !got.Fresh || s.asked[1].Header.Get("Range") != "bytes=1000-" {
		t.Errorf("the next time: %+v, asked for %q", got, s.asked[1].Header.Get("Range"))
	}
	s.body, s.tag, s.cut = archive(t, 201, "2.0.0"), `"two"`, 1000
	u.updated(t)
	s.body, s.tag = archive(t, 202, "2.0.0"), `"three"`
	if got := u.updated(t); !got.Fresh || got.Records != 202 {
		t.Errorf("another file behind the first bytes of the one before: %+v", got)
	}
}

func TestWhatIsNotWholeIsNotInForce(t *testing.T) {
	good := archive(t, 10, "2.0.0")
	broken := bytes.Clone(good)
	broken[len(broken)/3] ^= 0x40
	sum := sha256.Sum256(good)
	for _, c := range []struct {
		name string
		s    site
		want string
	}{
		{"no archive", site{body: []byte("<html>sign in</html>")}, "want a zip archive"},
		{"a bit is another", site{body: broken}, "GHSA-"},
		{"the sum is another's", site{body: broken, says: http.Header{"Repr-Digest": {"sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) +
			":"}}},
			"its sha-256 is another"},
		{"Google's sum is another's", site{body: good, says: http.Header{"X-Goog-Hash": {"crc32c=AAAAAA==", "md5=AAAA"}}},
			"its crc32c is another"},
		{"far fewer records", site{body: archive(t, 1, "2.0.0")}, "holds 1 records, and the one in force 4"},
		{"gone", site{statuses: []int{404, 404, 404, 404}}, "404 Not Found"},
		{"busy for good", site{statuses: []int{503, 503, 503, 503}}, "503 Service Unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, _ := updating(t, &c.s)
			first := &site{body: archive(t, 4, "2.0.0"), tag: `"zero"`}
			seed, _ := updating(t, first)
			seed.Dir, seed.Folder = u.Dir, u.Folder
			if got := seed.updated(t); !got.Fresh {
				t.Fatal(got)
			}
			c.s.tag = `"one"`
			got := u.updated(t)
			if got.Fresh || !strings.Contains(got.Problem, c.want) || got.Records != 4 {
				t.Errorf("%+v, want %q", got, c.want)
			}
			if status, err := vuln.StatusOf(u.Dir); err != nil || status.Records != 4 {
				t.Errorf("in force are %d records, %v", status.Records, err)
			}
		})
	}
}

func TestASiteThatIsBusyIsAskedWhenItSays(t *testing.T) {
	s := &site{body: archive(t, 4, "2.0.0"), tag: `"one"`, statuses: []int{429, 503}, says: http.Header{"Retry-After": {"90"}}}
	u, waited := updating(t, s)
	if got := u.updated(t); !got.Fresh || len(*waited) != 2 || (*waited)[0] != 90*time.Second {
		t.Errorf("%+v after waiting %v", got, *waited)
	}
}

// TestAFeedIsFetchedUnderThePolicyOfTheServer: a mirror that sends readers to the machine's metadata gets nobody there.
func TestAFeedIsFetchedUnderThePolicyOfTheServer(t *testing.T) {
	for _, to := range []string{"http://169.254.169.254/latest", "http://127.0.0.1:1/x", "https://elsewhere.example/x"} {
		s := &site{statuses: []int{302}, says: http.Header{"Location": {to}}}
		u, _ := updating(t, s)
		if got := u.updated(t); got.Fresh || got.Problem == "" || len(s.asked) != 1 {
			t.Errorf("%s: %+v after %d requests", to, got, len(s.asked))
		}
	}
}

func TestFeedsAreNamed(t *testing.T) {
	all, err := Named(nil)
	if err != nil || len(all) < 15 {
		t.Errorf("%d by default, %v", len(all), err)
	}
	osv, err := Named([]string{"osv"})
	if err != nil || len(osv) < 25 || slices.ContainsFunc(osv, func(f Feed) bool { return !strings.HasPrefix(f.Name, "osv/") }) {
		t.Errorf("%d of osv, %v", len(osv), err)
	}
	if one, err := Named([]string{"KEV"}); err != nil || len(one) != 1 {
		t.Errorf("%v, %v", one, err)
	}
	if _, err := Named([]string{"nobody's"}); err == nil {
		t.Error("a feed that is none was found")
	}
	seen := map[string]bool{}
	for _, f := range All() {
		if seen[f.Name] || f.URL == "" || f.Path == "" {
			t.Errorf("%+v", f)
		}
		seen[f.Name] = true
		if _, err := f.host(); err != nil {
			t.Error(err)
		}
		for _, kind := range f.Via {
			if kind != mirrorsLead && kind != repodataLead && kind != latestLead {
				t.Errorf("%s: nothing leads by %s", f.Name, kind)
			}
		}
	}
	for _, mirror := range []string{"", "mirror.example", "ftp://mirror.example", "https://u:p@mirror.example", "https://m.example/?a"} {
		if _, err := npm[0].Under(mirror); err == nil {
			t.Errorf("%q is a mirror", mirror)
		}
	}
	led := Feed{Name: "amazon/2023", Path: "amazon/2023/updateinfo.xml.gz", Via: []string{mirrorsLead}}
	if f, err := led.Under("https://mirror.example"); err != nil || f.URL != "https://mirror.example/amazon/2023/updateinfo.xml.gz" ||
		len(f.Via) > 0 {
		t.Errorf("%+v, %v: a mirror has the file itself", f, err)
	}
	if f, err := npm[0].Under("https://mirror.example/osv/"); err != nil || f.URL != "https://mirror.example/osv/npm/all.zip" {
		t.Errorf("%s, %v", f.URL, err)
	}
}

// FuzzAnswer fetches whatever a site answers; nothing of it is in force but records.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("PK\x05\x06"), `"a"`, "bytes 3-4/5", "sha-256=:AA==:", 200)
	f.Add([]byte(""), "W/\"b\"", "bytes 0-1/*", "crc32c=AAAAAA==,md5=", 206)
	f.Fuzz(func(t *testing.T, body []byte, tag, part, sum string, code int) {
		if code < 200 || code > 599 {
			return
		}
		k := &known{URL: "http://feed.example/all.zip", Partial: `"x"`}
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte("abc"), 0o600); err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: answering(func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			w.Header()["Etag"], w.Header()["Content-Range"], w.Header()["X-Goog-Hash"] = []string{tag}, []string{part}, []string{sum}
			w.WriteHeader(code)
			_, _ = w.Write(body)
			return w.Result()
		})}
		fresh, err := download(t.Context(), client, Feed{URL: k.URL}, name, k, func() error { return nil })
		if fresh && err != nil || len(k.Tag) > maxTag || k.Bytes > int64(len(body))+3 {
			t.Errorf("%v, %v, %+v", fresh, err, k)
		}
	})
}

type answering func(*http.Request) *http.Response

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

// TestWhatIsOlderThanWhatIsInForceIsNotTaken: who can hand out an old file would have what became known since forgotten.
func TestWhatIsOlderThanWhatIsInForceIsNotTaken(t *testing.T) {
	s := &site{body: archive(t, 4, "2.0.0"), tag: `"0"`}
	u, _ := updating(t, s)
	for i, c := range []struct {
		body          []byte
		anyway, fresh bool
	}{{archive(t, 4, "2.0.0"), false, true}, {dated(t, 4, "3.0.0", "2023-12-01"), false, false}, {dated(t, 4, "3.0.0", "2023-12-28"), false, true},
		{dated(t, 4, "3.0.0", "2999-01-01"), false, false}, {dated(t, 4, "3.0.0", "2023-01-01"), true, true}} {
		s.body, s.tag = c.body, fmt.Sprintf("%q", fmt.Sprint("tag", i))
		u.Anyway = c.anyway
		if got := u.updated(t); got.Fresh != c.fresh || !c.fresh && !strings.Contains(got.Problem, "the one in force stays") {
			t.Errorf("file %d: %+v", i, got)
		}
	}
}

// drops is an answer of a byte now and then.
type drops struct{ ctx context.Context }

func (d drops) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Millisecond):
		p[0] = 'x'
		return 1, nil
	}
}

func TestASiteThatSendsAByteNowAndThenIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	n, err := io.Copy(io.Discard, stalling(drops{ctx}, 20*time.Millisecond, cancel))
	if err == nil || n >= leastBrought || !strings.Contains(fmt.Sprint(context.Cause(ctx)), "fewer than 65536 bytes") {
		t.Errorf("%d bytes, %v, %v", n, err, context.Cause(ctx))
	}
	ctx, cancel = context.WithCancelCause(t.Context())
	if n, err := io.Copy(io.Discard, stalling(bytes.NewReader(make([]byte, 10<<20)), time.Hour, cancel)); err != nil || n != 10<<20 {
		t.Errorf("%d bytes, %v, %v", n, err, context.Cause(ctx))
	}
}
