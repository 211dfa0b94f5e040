package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/image"
)

// past lets pushes by and shows the rest to a func.
func past(answer func(http.ResponseWriter, *http.Request) bool) func(http.Handler) http.Handler {
	return when(func(w http.ResponseWriter, r *http.Request) bool {
		return !strings.HasPrefix(r.UserAgent(), "push") && answer(w, r)
	})
}

// put pushes past what stands before a registry.
func put(t *testing.T, reference string, config types.MediaType) {
	t.Helper()
	img, err := random.Image(10, 1)
	if err != nil {
		t.Fatal(err)
	}
	if config != "" {
		img = mutate.ConfigMediaType(img, config)
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithUserAgent("push")); err != nil {
		t.Fatal(err)
	}
}

// states are what a check found, in its order.
func states(found []collect.Permission) string {
	var out []string
	for _, p := range found {
		out = append(out, string(p.State))
	}
	return strings.Join(out, " ")
}

const allAllowed = "ok ok ok ok ok ok"

// signedIn is a reader with an account, and registries that want it in many ways.
func signedIn(t *testing.T, host string) Reader {
	t.Setenv("REGISTRY_PASSWORD", "pw")
	r := reader()
	r.Logins = map[string]Login{host: {Username: "reader", PasswordEnv: "REGISTRY_PASSWORD"}}
	return r
}

// TestHowARegistryAsksForAnAccount has tokens for one thing and passwords for another.
func TestHowARegistryAsksForAnAccount(t *testing.T) {
	const basic, token = `Basic realm="harbor"`, `Bearer realm="http://HOST/token",service="harbor-registry"`
	for _, c := range []struct {
		name             string
		pull, catalog    []string // what is asked for
		pullBy, catalogs string   // what is taken
	}{
		{"a token for everything", []string{token}, []string{token}, "Bearer", "Bearer"},
		{"a token to pull, a password for the catalog", []string{token}, []string{basic}, "Bearer", "Basic"},
		{"a password is offered before the token", []string{basic, token}, []string{basic, token}, "Bearer", "Bearer"},
		{"both are offered in one header", []string{basic + ", " + token}, []string{basic}, "Bearer", "Basic"},
		{"a password for everything", []string{basic}, []string{basic}, "Basic", "Basic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := host(t, past(func(w http.ResponseWriter, r *http.Request) bool {
				user, password, _ := r.BasicAuth()
				signed := map[string]bool{"Basic": user == "reader" && password == "pw", "Bearer": r.Header.Get("Authorization") == "Bearer good"}
				if r.URL.Path == "/token" {
					if !signed["Basic"] {
						w.WriteHeader(http.StatusUnauthorized)
					}
					fmt.Fprint(w, `{"token":"good"}`)
					return true
				}
				asks, takes := c.pull, c.pullBy
				if r.URL.Path == "/v2/_catalog" {
					asks, takes = c.catalog, c.catalogs
				}
				if signed[takes] {
					return false
				}
				for _, a := range asks {
					w.Header().Add("WWW-Authenticate", strings.ReplaceAll(a, "HOST", r.Host))
				}
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}))
			put(t, h+"/shop/web:1", "")
			r := signedIn(t, h)
			if found := r.Check(t.Context(), collect.Registry{Host: h}); states(found) != allAllowed {
				t.Errorf("%+v", found)
			}
			if got, l, err := read(t, r, collect.Registry{Host: h}, nil); err != nil || len(got) != 1 || !l.Whole || len(l.Gaps) > 0 {
				t.Errorf("%v, %+v, %v", got, l, err)
			}
			ref, err := image.ParseReference(h + "/shop/web:1")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := image.Scan(t.Context(), ref, image.Options{Keychain: r.Keychain()}); err != nil {
				t.Errorf("the check allows all, and a scan says %v", err)
			}
			t.Setenv("REGISTRY_PASSWORD", "wrong")
			if found := r.Check(t.Context(), collect.Registry{Host: h}); strings.Contains(states(found), "ok ok") {
				t.Errorf("with a wrong password: %+v", found)
			}
		})
	}
}

// TestTheCheckSaysWhatAScanMeets has registries in which something of an image cannot be
// read, or whose tags are no images.
func TestTheCheckSaysWhatAScanMeets(t *testing.T) {
	served := func(contentType string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			_, _ = io.WriteString(w, contentType)
			return true
		}
	}
	refused := func(part string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.Contains(r.URL.Path, part) {
				w.WriteHeader(http.StatusForbidden)
				return true
			}
			return false
		}
	}
	const chart = "application/vnd.cncf.helm.config.v1+json"
	for _, c := range []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request) bool
		tags   map[string]types.MediaType
		want   string // of the last two
		why    string
	}{
		{"an image", nil, map[string]types.MediaType{"1": ""}, "ok ok", ""},
		{"an image among charts", nil, map[string]types.MediaType{"1": chart, "2": ""}, "ok ok", ""},
		{"nothing but a chart", nil, map[string]types.MediaType{"1": chart}, "ok unknown", "no container image"},
		{"an image after as many charts as are tried", nil, map[string]types.MediaType{"1": chart, "2": chart, "3": chart, "4": chart,
			"5": chart, "6": ""}, "ok unknown", "no container image"},
		{"an image as the last that is tried", nil, map[string]types.MediaType{"1": chart, "2": chart, "3": chart, "4": chart, "5": ""},
			"ok ok", ""},
		{"no tag", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				fmt.Fprint(w, `{"name":"shop/web","tags":null}`)
				return true
			}
			return false
		}, nil, "unknown unknown", "repository shop/web has no tag"},
		{"manifests are refused", refused("/manifests/"), map[string]types.MediaType{"1": ""}, "refused unknown", "403"},
		{"blobs are refused", refused("/blobs/"), map[string]types.MediaType{"1": ""}, "ok refused", "403"},
		{"a manifest that is two things", served(`{"manifests":[],"layers":[]}`), map[string]types.MediaType{"1": ""},
			"refused unknown", "one that is both"},
		{"a page instead of a manifest", served(`<html>sign in</html>`), map[string]types.MediaType{"1": ""},
			"refused unknown", "perhaps the page of a proxy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer := c.answer
			if answer == nil {
				answer = func(http.ResponseWriter, *http.Request) bool { return false }
			}
			h := host(t, past(answer))
			for tag, config := range c.tags {
				put(t, h+"/shop/web:"+tag, config)
			}
			found := reader().Check(t.Context(), collect.Registry{Host: h, Repositories: []string{"shop/web"}})
			if got := states(found[4:]); got != c.want {
				t.Errorf("%s, want %s: %+v", got, c.want, found[4:])
			}
			if why := found[4].Why + found[5].Why; !strings.Contains(why, c.why) {
				t.Errorf("why %q, want %q", why, c.why)
			}
		})
	}
}

// TestAListGoesOnWhereItsLinkSays has two pages, the second behind links of many forms.
func TestAListGoesOnWhereItsLinkSays(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was asked %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	there := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for _, c := range []struct {
		name  string
		links []string
		fails string
	}{
		{"a path", []string{`</v2/_catalog?last=a&n=1>; rel="next"`}, ""},
		{"relative to the page", []string{`<_catalog?last=a&n=1>; rel=next`}, ""},
		{"a query alone", []string{`<?last=a>;rel=next`}, ""},
		{"on another host, as a registry behind a proxy says", []string{`<` + there + `/v2/_catalog?last=a>; rel="next"`}, ""},
		{"with an account in it", []string{`<http://u:p@localhost/v2/_catalog?last=a>; rel="next"`}, ""},
		{"among others in one header", []string{`<?n=1>; rel="first", <?last=z>; rel="last", <?last=a>; title="a, b"; rel="next"`}, ""},
		{"among others in several headers", []string{`<?n=1>; rel=first`, `<?last=a>; rel="x next"`}, ""},
		{"in capitals", []string{`<?last=a>; REL="NEXT"`}, ""},
		{"after a parameter without a value", []string{`<?last=a>; crossorigin; rel=next`}, ""},
		{"after a parameter of nothing", []string{`<?last=a>; title=; rel=next`}, ""},
		{"after a parameter without a name", []string{`<?last=a>; =x; rel=next`}, ""},
		{"before another parameter", []string{`<?last=a>; rel=next; title="x"`}, ""},
		{"a relation that says nothing", []string{`<?last=a>; rel`}, "none"},
		{"no next page", []string{`<?n=1>; rel="first"`}, "none"},
		{"the first of two relations counts", []string{`<?last=a>; rel=prev; rel=next`}, "none"},
		{"another path", []string{`<` + there + `/other/_catalog?last=a>; rel="next"`}, "goes on elsewhere"},
		{"the page that was read", []string{`<?n=1000>; rel="next"`}, "with the page that was read"},
		{"no link", []string{`?last=a; rel=next`}, "want links as"},
		{"the end of a link", []string{`>; rel=next`}, "want links as"},
		{"a link without its end", []string{`<?last=a`}, "want links as"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := host(t, past(func(w http.ResponseWriter, r *http.Request) bool {
				if u, _, _ := r.BasicAuth(); u != "reader" {
					w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
					w.WriteHeader(http.StatusUnauthorized)
					return true
				}
				if r.URL.Path != "/v2/_catalog" {
					return false
				}
				if r.URL.Query().Get("last") == "a" {
					_ = json.NewEncoder(w).Encode(map[string]any{"repositories": []string{"b"}})
					return true
				}
				for _, l := range c.links {
					w.Header().Add("Link", l)
				}
				fmt.Fprint(w, `{"repositories":null}`)
				return true
			}))
			put(t, h+"/b:1", "")
			got, l, err := read(t, signedIn(t, h), collect.Registry{Host: h}, nil)
			switch {
			case c.fails == "none":
				if err != nil || len(got) > 0 || !l.Whole {
					t.Errorf("%v, %+v, %v", got, l, err)
				}
			case c.fails != "":
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v, %v; want %q", got, err, c.fails)
				}
			case err != nil || len(got) != 1 || !l.Whole:
				t.Errorf("%v, %+v, %v", got, l, err)
			}
		})
	}
}

func FuzzALinkIsFoundAsItWasWritten(f *testing.F) {
	f.Add("/v2/_catalog?last=a", `title="a, b"`, `</x>; rel=prev`)
	f.Add("?n=1", "a=;,", `<`)
	f.Fuzz(func(t *testing.T, target, param, other string) {
		_, _ = linkTo("next", []string{other, param, "<" + target + ">;" + param + ";rel=next"})
		if strings.ContainsAny(target, "<>") || target == "" {
			return
		}
		got, err := linkTo("next", []string{`</x>; rel="prev", <` + target + `>; a="` + url.QueryEscape(param) + `"; rel="next"`})
		if err != nil || got != target {
			t.Errorf("%q, %v; want %q", got, err, target)
		}
	})
}

func TestAPageIsReadUpToItsBound(t *testing.T) {
	for more, want := range map[int]string{0: "", 1: "want at most"} {
		h := host(t, past(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v2/_catalog" {
				return false
			}
			const names = `{"repositories":["b"]}`
			_, _ = io.WriteString(w, names+strings.Repeat(" ", maxPage-len(names)+more))
			return true
		}))
		put(t, h+"/b:1", "")
		got, _, err := read(t, reader(), collect.Registry{Host: h}, nil)
		if want == "" && (err != nil || len(got) != 1) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bytes more than the bound: %v, %v", more, got, err)
		}
	}
}

func TestEveryPageOfTagsIsRead(t *testing.T) {
	h := host(t, pages(250, func(next int) string {
		return fmt.Sprintf(`<https://registry.internal:5000/v2/web/tags/list?last=%d>; rel="next"`, next)
	}))
	_, l, err := read(t, reader(), collect.Registry{Host: h, Repositories: []string{"web"}, Tags: 1}, nil)
	if err != nil || !slices.ContainsFunc(l.Gaps, func(g collect.Gap) bool { return strings.Contains(g.Why, "1 of 250 tags") }) {
		t.Errorf("%v, %s", err, whys(l.Gaps))
	}
}
