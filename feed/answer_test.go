package feed

import (
	"bytes"
	"crypto/md5" //nolint:gosec // what publishers say of a file
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatASiteIsAskedFor: the rest of what was begun, else what is other than last time, and nothing of another address.
func TestWhatASiteIsAskedFor(t *testing.T) {
	f := Feed{URL: "https://feed.example/all.zip"}
	for _, c := range []struct {
		name string
		k    known
		have int64
		want http.Header
	}{
		{"for the first time", known{}, 0, http.Header{}},
		{"with a tag", known{URL: f.URL, Tag: `"a"`, Modified: "then"}, 0, http.Header{"If-None-Match": {`"a"`}}},
		{"with a time alone", known{URL: f.URL, Modified: "then"}, 0, http.Header{"If-Modified-Since": {"then"}}},
		{"with neither", known{URL: f.URL}, 0, http.Header{}},
		{"of another address", known{URL: "https://other.example", Tag: `"a"`, Modified: "then"}, 0, http.Header{}},
		{"for the rest", known{URL: f.URL, Tag: `"a"`, Partial: `"b"`}, 5, http.Header{"Range": {"bytes=5-"}, "If-Range": {`"b"`}}},
	} {
		r, err := http.NewRequest(http.MethodGet, f.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.k.condition(r, f, c.have)
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("%s: encoded as %q", c.name, got)
		}
		r.Header.Del("Accept-Encoding")
		if len(r.Header) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, r.Header, c.want)
		}
		for name, values := range c.want {
			if !slices.Equal(r.Header[name], values) {
				t.Errorf("%s: %s is %v, want %v", c.name, name, r.Header[name], values)
			}
		}
	}
}

func TestWhatWasBegunIsTakenUpIfItIsSureToBeTheSame(t *testing.T) {
	f, name := Feed{URL: "https://feed.example/all.zip"}, filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		k    known
		name string
		want int64
	}{
		{known{URL: f.URL, Partial: `"a"`}, name, 3}, {known{URL: f.URL, Partial: `W/"a"`}, name, 0}, {known{URL: f.URL}, name, 0},
		{known{URL: "https://other.example", Partial: `"a"`}, name, 0}, {known{URL: f.URL, Partial: `"a"`}, name + "-none", 0},
	} {
		if got := c.k.resumable(f, c.name); got != c.want {
			t.Errorf("%+v: from %d on, want %d", c.k, got, c.want)
		}
	}
	for part, want := range map[string]bool{"bytes 3-9/10": true, "bytes 30-39/40": false, "bytes 0-9/10": false, "": false} {
		if err := continues(&http.Response{Header: http.Header{"Content-Range": {part}}}, 3); (err == nil) != want {
			t.Errorf("%q goes on behind three bytes: %v", part, err)
		}
	}
}

func TestWhatASiteSaysIsBounded(t *testing.T) {
	if long := strings.Repeat("a", maxTag); clipped(long) != long || clipped(long+"a") != "" {
		t.Error("a tag of 512 bytes is kept, a longer one is not")
	}
	for said, want := range map[string]time.Duration{"": 0, "soon": 0, "-1": 0, "0": 0, "1": time.Second, "600": 10 * time.Minute,
		"601": 10 * time.Minute, "99999999": 10 * time.Minute} {
		if got := retryAfter(&http.Response{Header: http.Header{"Retry-After": {said}}}); got != want {
			t.Errorf("after %q: %s, want %s", said, got, want)
		}
	}
}

// TestWhatComesIsHeldToEverySum that the site sends, in whatever header, and to its length.
func TestWhatComesIsHeldToEverySum(t *testing.T) {
	body := []byte("advisories")
	code := func(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }
	of := func(body []byte) (sha, md, crc string) {
		a, b := sha256.Sum256(body), md5.Sum(body) //nolint:gosec // see above
		return code(a[:]), code(b[:]), code(binary.BigEndian.AppendUint32(nil, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
	}
	sha, md, crc := of(body)
	otherSHA, otherMD, otherCRC := of([]byte("others"))
	for _, c := range []struct {
		name   string
		header http.Header
		length int64
		before int64
		want   string
	}{
		{"nothing is said", nil, -1, 0, ""},
		{"its length", nil, 10, 0, ""},
		{"another length", nil, 9, 0, "want 9 bytes, got 10"},
		{"the length of the rest", nil, 6, 4, ""},
		{"another rest", nil, 10, 4, "want 14 bytes, got 10"},
		{"nothing should come", nil, 0, 0, "want 0 bytes, got 10"},
		{"Google's sums", http.Header{"X-Goog-Hash": {"crc32c=" + crc, "md5=" + md}}, 10, 0, ""},
		{"the second of Google's", http.Header{"X-Goog-Hash": {"crc32c=" + crc, "md5=" + otherMD}}, 10, 0, "its md5 is another"},
		{"the first of them", http.Header{"X-Goog-Hash": {"crc32c=" + otherCRC + ", md5=" + md}}, 10, 0, "its crc32c is another"},
		{"a digest of the file", http.Header{"Repr-Digest": {"sha-256=:" + sha + ":"}}, 10, 0, ""},
		{"of another file", http.Header{"Repr-Digest": {"sha-256=:" + otherSHA + ":"}}, 10, 0, "its sha-256 is another"},
		{"an older header", http.Header{"Digest": {"SHA-256=" + otherSHA}}, 10, 0, "its SHA-256 is another"},
		{"several in one line", http.Header{"Digest": {"md5=" + md + ", sha-256=" + otherSHA}}, 10, 0, "its sha-256 is another"},
		{"sums that are not ours", http.Header{"Digest": {"sha-512=" + otherSHA, "unixsum=1"}}, 10, 0, ""},
		{"what is no sum", http.Header{"Digest": {"sha-256=wha"}}, 10, 0, ""},
	} {
		s := newSums()
		_, _ = s.writer().Write(body)
		err := s.check(&http.Response{Header: c.header, ContentLength: c.length}, int64(len(body)), c.before)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAFileGoesOnWhereItEnds(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	for _, c := range []struct {
		comes, want string
		have        int64
	}{{"abcdef", "abcdef", 0}, {"xyz", "abcxyz", 3}, {"new", "new", 0}} {
		s, size, err := write(strings.NewReader(c.comes), name, c.have)
		text, readErr := os.ReadFile(name)
		if err != nil || readErr != nil || string(text) != c.want || size != int64(len(c.want)) {
			t.Errorf("%q behind %d bytes: %q, %d bytes, %v", c.comes, c.have, text, size, err)
		}
		if sum := sha256.Sum256([]byte(c.want)); !bytes.Equal(s.sha256.Sum(nil), sum[:]) {
			t.Errorf("%q: the sum is not of all of it", c.want)
		}
	}
	if _, _, err := write(strings.NewReader(""), filepath.Join(name, "below a file"), 0); err == nil {
		t.Error("a file is below a file")
	}
}

func TestASiteIsAskedAsOftenAsIsSaidAndLaterEachTime(t *testing.T) {
	for _, c := range []struct {
		attempts, asked int
		waited          []time.Duration
	}{{0, 4, []time.Duration{1, 2, 4}}, {1, 1, nil}, {2, 2, []time.Duration{1}}} {
		s := &site{body: archive(t, 1, "2.0.0"), statuses: slices.Repeat([]int{500}, 9)}
		u, waited := updating(t, s)
		u.Attempts = c.attempts
		got := u.updated(t)
		for i := range c.waited {
			c.waited[i] *= time.Second
		}
		if len(s.asked) != c.asked || !slices.Equal(*waited, c.waited) || !strings.Contains(got.Problem, "500 Internal Server Error") {
			t.Errorf("%d attempts: asked %d times, after %v: %s", c.attempts, len(s.asked), *waited, got.Problem)
		}
	}
	for _, code := range []int{400, 403, 404, 499} { // asking again does not help
		s := &site{statuses: slices.Repeat([]int{code}, 9)}
		u, _ := updating(t, s)
		if got := u.updated(t); len(s.asked) != 1 || got.Problem == "" {
			t.Errorf("%d: asked %d times: %s", code, len(s.asked), got.Problem)
		}
	}
}

func TestWhatIsRememberedMayBeLost(t *testing.T) {
	folder := t.TempDir()
	for _, text := range []string{"", "null", "{", "[]", `{"a":1}`} {
		if err := os.WriteFile(filepath.Join(folder, memoryName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readMemory(folder)
		if err != nil || m == nil || len(m) != 0 {
			t.Errorf("%q: %v, %v", text, m, err)
		}
		m.of("a").Tag = "x" // and can be written
		if m.of("a").Tag != "x" {
			t.Error("what is remembered of a feed is forgotten at once")
		}
	}
	m := memory{}
	m.of("a").Tag = "x"
	if err := m.write(folder); err != nil {
		t.Fatal(err)
	}
	if back, err := readMemory(folder); err != nil || back.of("a").Tag != "x" {
		t.Errorf("%v, %v", back, err)
	}
	if err := os.Remove(filepath.Join(folder, memoryName)); err != nil {
		t.Fatal(err)
	}
	if m, err := readMemory(folder); err != nil || len(m) != 0 {
		t.Errorf("a folder of nothing: %v, %v", m, err)
	}
	if err := os.Mkdir(filepath.Join(folder, memoryName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := readMemory(folder); err == nil {
		t.Error("what cannot be read is nothing")
	}
}

func TestAnArchiveIsReadToItsEnd(t *testing.T) {
	good := archive(t, 3, "2.0.0")
	name := filepath.Join(t.TempDir(), "a.zip")
	for _, damaged := range []bool{false, true} {
		data := bytes.Clone(good)
		if damaged {
			data[60] ^= 1 // of the first member's text
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := whole(name); (err == nil) == damaged {
			t.Errorf("damaged: %v: %v", damaged, err)
		}
	}
	if err := whole(filepath.Join(t.TempDir(), "a.csv.gz")); err != nil {
		t.Errorf("what is no archive is not looked at: %v", err)
	}
	if err := whole(filepath.Join(t.TempDir(), "none.zip")); err == nil {
		t.Error("an archive that is not there is whole")
	}
}

func TestAFeedsFileHasTheFeedsName(t *testing.T) {
	if got := (Feed{Name: "osv/Red Hat", Path: "Red Hat/all.zip"}).file(); got != "osv-Red-Hat-all.zip" {
		t.Error(got)
	}
	one, err := Named([]string{"osv/debian", "kev"})
	if err != nil || len(one) != 2 || one[0].Name != "osv/Debian" {
		t.Errorf("%v, %v", one, err)
	}
	if _, err := Named([]string{"kev", "os"}); err == nil || !strings.Contains(err.Error(), `"os"`) {
		t.Errorf("the beginning of a name is a feed: %v", err)
	}
	for _, mirror := range []string{"https://", "https://m.example/#a", "%zz", "https://u@m.example"} {
		if f, err := npm[0].Under(mirror); err == nil || f.URL != npm[0].URL {
			t.Errorf("%q is a mirror: %s", mirror, f.URL)
		}
	}
	if f, err := npm[0].Under("http://mirror.example"); err != nil || f.URL != "http://mirror.example/npm/all.zip" {
		t.Errorf("%s, %v", f.URL, err)
	}
	if _, err := (Feed{URL: "%zz"}).host(); err == nil {
		t.Error("what is no address has a host")
	}
}
