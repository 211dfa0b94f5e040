package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// host is a registry inside the process with something in front of it.
func host(t *testing.T, front func(http.Handler) http.Handler) string {
	t.Helper()
	h := http.Handler(served.New(served.Logger(log.New(io.Discard, "", 0))))
	if front != nil {
		h = front(h)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func push(t *testing.T, refs ...string) (digest string) {
	t.Helper()
	img, err := random.Image(100, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs {
		r, err := name.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(r, img); err != nil {
			t.Fatal(err)
		}
	}
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// when lets a func answer instead of the registry; it says whether it did.
func when(answer func(http.ResponseWriter, *http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !answer(w, r) {
				next.ServeHTTP(w, r)
			}
		})
	}
}

func reader() Reader { return Reader{PerSecond: 10_000, Backoff: time.Millisecond} }

// read is everything that was found, as repository:tag digest.
func read(t *testing.T, r Reader, what collect.Registry, known map[string]string) ([]string, collect.Listing, error) {
	t.Helper()
	var out []string
	l, err := r.Read(t.Context(), what, func(string) (map[string]string, error) { return known, nil },
		func(repository string, tags []collect.Tag) error {
			for _, tag := range tags {
				out = append(out, repository+":"+tag.Name+" "+tag.Digest)
			}
			return nil
		})
	return out, l, err
}

func whys(gaps []collect.Gap) string {
	var out []string
	for _, g := range gaps {
		if g.Consequence == "" || g.Source != "registry" {
			out = append(out, "GAP WITHOUT CONSEQUENCE")
		}
		out = append(out, g.What+": "+g.Why)
	}
	return strings.Join(out, "\n")
}

func TestEveryTagIsFoundWithItsDigest(t *testing.T) {
	h := host(t, nil)
	one := push(t, h+"/shop/web:1", h+"/shop/web:latest")
	two := push(t, h+"/shop/cart:2")
	index, err := random.Index(50, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(h + "/edge:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		t.Fatal(err)
	}
	three, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	got, l, err := read(t, reader(), collect.Registry{Host: h}, nil)
	want := []string{"edge:1 " + three.String(), "shop/cart:2 " + two, "shop/web:1 " + one, "shop/web:latest " + one}
	if err != nil || !slices.Equal(got, want) || !l.Whole || len(l.Gaps) > 0 || len(l.Repositories) != 3 {
		t.Errorf("%v, %+v, %v; want %v", got, l, err, want)
	}
}

func TestFiltersChooseRepositoriesAndTags(t *testing.T) {
	h := host(t, nil)
	for _, ref := range []string{"shop/web:1.9", "shop/web:1.10", "shop/web:latest", "shop/web:main", "shop/deep/er:1", "edge/proxy:1",
		"edge/log:1", "top:1"} {
		push(t, h+"/"+ref)
	}
	tests := []struct {
		name    string
		filters []string
		tags    int
		want    string
	}{
		{"all", nil, 0, "edge/log:1 edge/proxy:1 shop/deep/er:1 shop/web:1.9 shop/web:1.10 shop/web:latest shop/web:main top:1"},
		{"one by name", []string{"top"}, 0, "top:1"},
		{"everything below a folder", []string{"shop/*"}, 0, "shop/deep/er:1 shop/web:1.9 shop/web:1.10 shop/web:latest shop/web:main"},
		{"a pattern within a part", []string{"edge/p*"}, 0, "edge/proxy:1"},
		{"latest counts as newest", []string{"shop/web"}, 1, "shop/web:latest"},
		{"then versions, as numbers", []string{"shop/web"}, 2, "shop/web:1.10 shop/web:latest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: test.filters, Tags: test.tags}, nil)
			for i := range got {
				got[i], _, _ = strings.Cut(got[i], " ")
			}
			if err != nil || strings.Join(got, " ") != test.want {
				t.Errorf("%v, %v; want %s", got, err, test.want)
			}
			if cut := strings.Contains(whys(l.Gaps), "sort highest"); cut != (test.tags > 0) {
				t.Errorf("gaps %s", whys(l.Gaps))
			}
		})
	}
}

func TestWithoutACatalogRepositoriesMustBeNamed(t *testing.T) {
	for _, status := range []int{401, 403, 404, 405, 501} {
		h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v2/_catalog" {
				w.WriteHeader(status)
				return true
			}
			return false
		}))
		push(t, h+"/shop/web:1")
		if _, l, err := read(t, reader(), collect.Registry{Host: h}, nil); !errors.Is(err, ErrCatalog) ||
			!errors.As(err, new(collect.Refusal)) || l.Whole {
			t.Errorf("%d: %v", status, err)
		}
		got, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"shop/web", "edge/*"}}, nil)
		if err != nil || len(got) != 1 || l.Whole || !strings.Contains(whys(l.Gaps), "does not list its repositories") {
			t.Errorf("%d: %v, %v, %s", status, got, err, whys(l.Gaps))
		}
		if _, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"shop/web"}}, nil); err != nil || !l.Whole ||
			len(l.Gaps) > 0 {
			t.Errorf("%d: all were named, still %v, %s", status, err, whys(l.Gaps))
		}
		p := byName(reader().Check(t.Context(), collect.Registry{Host: h, Repositories: []string{"shop/web"}}))
		if p["list repositories"].State != collect.Refused || p["list repositories"].Blind == "" ||
			p["read layers"].State != collect.Allowed {
			t.Errorf("%d: %+v", status, p)
		}
	}
}

func byName(list []collect.Permission) map[string]collect.Permission {
	out := map[string]collect.Permission{}
	for _, p := range list {
		out[p.What] = p
	}
	return out
}

func TestARegistryThatRefusesOneRepositoryShowsTheOthers(t *testing.T) {
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/v2/secret/") && r.Method != http.MethodPut && r.Method != http.MethodPost &&
			r.Method != http.MethodPatch {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}))
	push(t, h+"/open:1")
	img, _ := random.Image(10, 1)
	ref, _ := name.ParseReference(h + "/secret/one:1")
	if err := remote.Write(ref, img); err == nil || !strings.Contains(err.Error(), "403") {
		t.Logf("pushing: %v", err)
	}
	got, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"open", "secret/one"}},
		map[string]string{"1": "sha256:old"})
	if err != nil || len(got) != 1 || !l.Repositories["secret/one"] || !strings.Contains(whys(l.Gaps), "refuses (403)") {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
	if _, _, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"secret/one"}}, nil); !errors.As(err,
		new(collect.Refusal)) {
		t.Errorf("all is refused, still %v", err)
	}
}

func TestARegistryThatStumblesIsAskedAgain(t *testing.T) {
	var asked atomic.Int64
	var stumbles atomic.Bool
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if !stumbles.Load() {
			return false
		}
		switch asked.Add(1) % 3 {
		case 0:
			return false
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		}
		return true
	}))
	push(t, h+"/shop/web:1")
	stumbles.Store(true)
	got, l, err := read(t, reader(), collect.Registry{Host: h}, nil)
	if err != nil || len(got) != 1 || len(l.Gaps) > 0 || asked.Load() < 9 {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
}

func TestARegistryThatAsksForALongPauseIsLeftAlone(t *testing.T) {
	var busy atomic.Bool
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if busy.Load() && strings.Contains(r.URL.Path, "/manifests/") {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}))
	for i := range 20 {
		push(t, fmt.Sprintf("%s/shop/web:%d", h, i))
	}
	busy.Store(true)
	_, _, err := read(t, reader(), collect.Registry{Host: h}, nil)
	var b *image.Busy
	if !errors.As(err, &b) || b.For != time.Hour {
		t.Errorf("%v", err)
	}
}

func TestATagThatCannotBeAskedKeepsWhatWasKnown(t *testing.T) {
	var down atomic.Bool
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if down.Load() && strings.HasSuffix(r.URL.Path, "/manifests/2") {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	}))
	one := push(t, h+"/web:1")
	push(t, h+"/web:2")
	down.Store(true)
	got, l, err := read(t, reader(), collect.Registry{Host: h}, map[string]string{"2": "sha256:before"})
	if err != nil || !slices.Equal(got, []string{"web:1 " + one, "web:2 sha256:before"}) ||
		!strings.Contains(whys(l.Gaps), "1 of 2 tags") {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
}

func TestWhatIsCutIsSaid(t *testing.T) {
	h := host(t, nil)
	for i := range 6 {
		push(t, fmt.Sprintf("%s/r%d:1", h, i), fmt.Sprintf("%s/r%d:2", h, i))
	}
	r := reader()
	r.Bounds = Bounds{Repositories: 4, Tags: 2, AllTags: 4}
	got, l, err := read(t, r, collect.Registry{Host: h}, nil)
	if err != nil || len(got) != 4 || l.Whole || !strings.Contains(whys(l.Gaps), "more than 4 repositories") ||
		!strings.Contains(whys(l.Gaps), "2 repositories were left out") {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
}

// pages serves lists of many names, as registries do that page.
func pages(n int, link func(next int) string) func(http.Handler) http.Handler {
	return when(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return false
		}
		from := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("last"), &from)
		var tags []string
		for i := from; i < min(n, from+100); i++ {
			tags = append(tags, fmt.Sprintf("v1.0.%d", i))
		}
		if from+100 < n {
			w.Header().Set("Link", link(from+100))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "web", "tags": tags})
		return true
	})
}

func TestThousandsOfTagsArePagedThrough(t *testing.T) {
	var mu sync.Mutex
	heads := map[string]int{}
	front := pages(3000, func(next int) string { return fmt.Sprintf(`</v2/web/tags/list?last=%d&n=100>; rel="next"`, next) })
	h := host(t, func(next http.Handler) http.Handler {
		inner := front(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/v1.0.") {
				mu.Lock()
				heads[r.URL.Path]++
				mu.Unlock()
				w.Header().Set("Docker-Content-Digest", "sha256:"+strings.Repeat("a", 64))
				return
			}
			inner.ServeHTTP(w, r)
		})
	})
	got, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"web"}}, nil)
	if err != nil || len(got) != 3000 || len(l.Gaps) > 0 || len(heads) != 3000 {
		t.Fatalf("%d tags, %d asked, %v, %s", len(got), len(heads), err, whys(l.Gaps))
	}
	for path, n := range heads {
		if n != 1 {
			t.Errorf("%s was asked %d times", path, n)
		}
	}
	got, l, err = read(t, reader(), collect.Registry{Host: h, Repositories: []string{"web"}, Tags: 3}, nil)
	if err != nil || len(got) != 3 || !strings.HasPrefix(got[2], "web:v1.0.2999 ") || !strings.Contains(whys(l.Gaps), "3 of 3000") {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
}

func TestAListThatGoesOnForeverOrElsewhereIsRefused(t *testing.T) {
	elsewhere := host(t, when(func(http.ResponseWriter, *http.Request) bool { t.Error("it was followed elsewhere"); return false }))
	for what, link := range map[string]string{"in place": `</v2/web/tags/list?n=1000>; rel="next"`, "to another host": `<http://` +
		strings.Replace(elsewhere, "127.0.0.1", "localhost", 1) + `/v2/web/tags/list?last=5>; rel="next"`,
		"to another path": `</v2/other/tags/list?last=5>; rel="next"`, "no link": "nonsense"} {
		h := host(t, pages(300, func(int) string { return link }))
		_, _, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"web"}}, nil)
		_, l, err2 := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"web", "other"}}, nil)
		if err == nil && err2 == nil && len(l.Gaps) == 0 {
			t.Errorf("%s: no error and no gap", what)
		}
	}
}

func TestAHugeOrStrangeListIsNotSwallowed(t *testing.T) {
	for what, body := range map[string]string{"huge": `{"repositories":["` + strings.Repeat("a", maxPage) + `"]}`, "no JSON": "<html>",
		"a list of numbers": `{"repositories":[1]}`} {
		h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v2/_catalog" {
				return false
			}
			_, _ = io.WriteString(w, body)
			return true
		}))
		if _, _, err := read(t, reader(), collect.Registry{Host: h}, nil); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v2/_catalog" {
			return false
		}
		_, _ = io.WriteString(w, `{"repositories":["../../etc","UPPER","a b","\u0000"]}`)
		return true
	}))
	got, l, err := read(t, reader(), collect.Registry{Host: h}, nil)
	if err != nil || len(got) > 0 || !strings.Contains(whys(l.Gaps), "4 names") {
		t.Errorf("%v, %v, %s", got, err, whys(l.Gaps))
	}
}

func TestTheCheckSaysWhatIsMissingAndWhatIsBlind(t *testing.T) {
	refuse := func(part string, status int) func(http.Handler) http.Handler {
		return when(func(w http.ResponseWriter, r *http.Request) bool {
			if (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.URL.Path, part) &&
				!strings.HasPrefix(r.UserAgent(), "push") {
				w.WriteHeader(status)
				return true
			}
			return false
		})
	}
	tests := []struct{ part, refused, unknown string }{
		{"/tags/list", "list tags", ""},
		{"/manifests/", "read manifests", "read layers"},
		{"_catalog", "list repositories", "list tags,read manifests,read layers"},
	}
	for _, test := range tests {
		t.Run(test.refused, func(t *testing.T) {
			h := host(t, refuse(test.part, 403))
			img, _ := random.Image(10, 1)
			ref, _ := name.ParseReference(h + "/shop/web:latest")
			if err := remote.Write(ref, img, remote.WithUserAgent("push")); err != nil {
				t.Fatal(err)
			}
			var refused, unknown []string
			for _, p := range reader().Check(t.Context(), collect.Registry{Host: h}) {
				if (p.State == collect.Allowed) != (p.Blind == "") || (p.State == collect.Allowed) != (p.Why == "") {
					t.Errorf("%+v", p)
				}
				switch p.State {
				case collect.Refused:
					refused = append(refused, p.What)
				case collect.Untried:
					unknown = append(unknown, p.What)
				}
			}
			if strings.Join(refused, ",") != test.refused || strings.Join(unknown, ",") != test.unknown {
				t.Errorf("refused %v, unknown %v", refused, unknown)
			}
		})
	}
	if p := reader().Check(t.Context(), collect.Registry{Host: "127.0.0.1:1"}); p[0].State != collect.Refused ||
		p[5].State != collect.Untried {
		t.Errorf("nobody there: %+v", p)
	}
	if p := reader().Check(t.Context(), collect.Registry{Host: "https://x"}); p[0].State != collect.Refused {
		t.Errorf("no host: %+v", p)
	}
}

// guarded wants an account, as most registries do.
func guarded(user, password string) func(http.Handler) http.Handler {
	return when(func(w http.ResponseWriter, r *http.Request) bool {
		if u, p, ok := r.BasicAuth(); ok && u == user && p == password {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
}

func TestThePasswordOfTheConfigurationFileIsUsedAndNeverTold(t *testing.T) {
	t.Setenv("REGISTRY_PASSWORD", "hunter2")
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	h := host(t, guarded("reader", "hunter2"))
	r := reader()
	p := byName(r.Check(t.Context(), collect.Registry{Host: h}))
	if p["reach the registry"].State != collect.Allowed || p["sign in"].State != collect.Refused ||
		!strings.Contains(p["sign in"].Why, "401") {
		t.Errorf("without an account: %+v", p)
	}
	if _, _, err := read(t, r, collect.Registry{Host: h}, nil); !errors.As(err, new(collect.Refusal)) {
		t.Errorf("%v", err)
	}
	r.Logins = map[string]Login{h: {Username: "reader", PasswordEnv: "REGISTRY_PASSWORD"}}
	for _, p := range r.Check(t.Context(), collect.Registry{Host: h})[:3] {
		if p.State != collect.Allowed {
			t.Errorf("%+v", p)
		}
	}
	who, from, err := r.Account(t.Context(), h)
	if who != "reader" || strings.Contains(from, "hunter2") || err != nil {
		t.Errorf("%s, %s, %v", who, from, err)
	}
	r.Logins[h] = Login{Username: "reader", PasswordEnv: "REGISTRY_NO_PASSWORD"}
	if _, _, err := read(t, r, collect.Registry{Host: h}, nil); err == nil ||
		!strings.Contains(err.Error(), "REGISTRY_NO_PASSWORD is not set") {
		t.Errorf("%v", err)
	}
}

func TestAReadingEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	h := host(t, when(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/manifests/2") && r.Method == http.MethodHead && !strings.HasPrefix(r.UserAgent(), "push") {
			stop()
			<-r.Context().Done()
			return true
		}
		return false
	}))
	img, _ := random.Image(10, 1)
	ref, _ := name.ParseReference(h + "/web:2")
	if err := remote.Write(ref, img, remote.WithUserAgent("push")); err != nil {
		t.Fatal(err)
	}
	_, err := reader().Read(ctx, collect.Registry{Host: h, Repositories: []string{"web"}},
		func(string) (map[string]string, error) { return nil, nil },
		func(string, []collect.Tag) error { t.Error("half a repository was told"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"repositories":["a"]}`), `</v2/_catalog?last=a&n=1>; rel="next"`)
	f.Add([]byte(`{"tags":null}`), `<http://[::1>; rel=next`)
	f.Fuzz(func(t *testing.T, body []byte, link string) {
		_, _ = parsePage(body)
		at := &url.URL{Scheme: "http", Host: "registry.example", Path: "/v2/_catalog", RawQuery: "n=1000"}
		if next, err := nextPage(at, []string{link}); err == nil && next != nil && (next.Host != at.Host || next.Path != at.Path ||
			next.User != nil || next.String() == at.String()) {
			t.Errorf("%q leads to %s", link, next)
		}
	})
}

func FuzzVersionsAreInOneOrder(f *testing.F) {
	f.Add("1.9", "1.10", "v2")
	f.Add("", "0", "00")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if compareVersions(a, b) != -compareVersions(b, a) {
			t.Errorf("%q and %q", a, b)
		}
		if compareVersions(a, b) < 0 && compareVersions(b, c) < 0 && compareVersions(a, c) >= 0 {
			t.Errorf("%q < %q < %q", a, b, c)
		}
	})
}

// TestWhoMayPullButNotListIsSignedIn has a token server that gives no token for
// the catalog, as clouds' registries do to accounts of one repository.
func TestWhoMayPullButNotListIsSignedIn(t *testing.T) {
	var h string
	h = host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.UserAgent(), "push"):
			return false
		case r.URL.Path == "/token":
			if strings.Contains(r.URL.RawQuery, "catalog") {
				w.WriteHeader(http.StatusUnauthorized)
			} else {
				fmt.Fprint(w, `{"token": "t"}`)
			}
			return true
		case r.Header.Get("Authorization") != "Bearer t" || strings.Contains(r.URL.Path, "_catalog"):
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+h+`/token",service="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	}))
	img, _ := random.Image(10, 1)
	ref, _ := name.ParseReference(h + "/shop/web:1")
	if err := remote.Write(ref, img, remote.WithUserAgent("push")); err != nil {
		t.Fatal(err)
	}
	for _, p := range reader().Check(t.Context(), collect.Registry{Host: h, Repositories: []string{"shop/web"}}) {
		if (p.State == collect.Refused) != (p.What == "list repositories") {
			t.Errorf("%+v", p)
		}
	}
}

func TestAnAccountThatCannotBeFoundIsASignInThatFails(t *testing.T) {
	h := host(t, func(next http.Handler) http.Handler { return next })
	r := reader()
	r.Logins = map[string]Login{h: {Username: "u", PasswordFile: filepath.Join(t.TempDir(), "nowhere")}}
	if p := r.Check(t.Context(), collect.Registry{Host: h}); p[0].State != collect.Untried || p[1].State != collect.Refused ||
		p[1].What != "sign in" {
		t.Errorf("%+v", p[:2])
	}
}
