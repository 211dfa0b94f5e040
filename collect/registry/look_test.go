package registry

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestALookAsksForTheTagsThatAreNamedAndForNoOthers(t *testing.T) {
	var asked atomic.Value
	asked.Store("")
	h := host(t, when(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/manifests/") || strings.HasSuffix(r.URL.Path, "/list") {
			asked.Store(asked.Load().(string) + r.URL.Path[strings.LastIndex(r.URL.Path, "/"):])
		}
		return false
	}))
	one := push(t, h+"/shop/web:1.9")
	two := push(t, h+"/shop/web:1.10", h+"/shop/web:latest")
	known := map[string]string{"1.9": one, "old": "sha256:was"}
	for _, test := range []struct {
		name  string
		what  collect.Registry
		tags  []string
		known map[string]string
		want  string
		asked string
	}{
		{"a new tag", collect.Registry{}, []string{"1.10"}, known, "1.9 " + one + ", 1.10 " + two + ", old sha256:was", "/1.10"},
		{"a tag that is gone", collect.Registry{}, []string{"old"}, known, "1.9 " + one, "/old"},
		{"all tags", collect.Registry{}, nil, known, "1.9 " + one + ", 1.10 " + two + ", latest " + two, "/list/1.9/1.10/latest"},
		{"a newer one pushes out the oldest", collect.Registry{Tags: 1}, []string{"1.10"}, map[string]string{"1.9": one}, "1.10 " + two, "/1.10"},
		{"one that is not among the newest", collect.Registry{Tags: 1}, []string{"1.9"}, map[string]string{"1.10": two}, "1.10 " + two, ""},
		{"a repository that is not there", collect.Registry{Repositories: []string{"none"}}, []string{"1"}, nil, "", "/1"},
	} {
		asked.Store("")
		repository := "shop/web"
		if len(test.what.Repositories) > 0 {
			repository = test.what.Repositories[0]
		}
		test.what.Host = h
		found, err := reader().Look(t.Context(), test.what, repository, test.tags, test.known)
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprint(f.Name, " ", f.Digest))
		}
		if err != nil || strings.Join(got, ", ") != test.want {
			t.Errorf("%s: %v, %v; want %s", test.name, got, err, test.want)
		}
		if a := asked.Load().(string); len(a) != len(test.asked) || strings.HasPrefix(a, "/list") != strings.HasPrefix(test.asked, "/list") {
			t.Errorf("%s: asked %s, want %s", test.name, a, test.asked) // tags in any order
		}
	}
}

func TestALookThatTheRegistryRefusesIsARefusal(t *testing.T) {
	h := host(t, when(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	}))
	if found, err := reader().Look(t.Context(), collect.Registry{Host: h}, "shop/web", []string{"1"}, nil); err == nil || found != nil {
		t.Errorf("%v, %v", found, err)
	} else if _, refused := err.(collect.Refusal); !refused {
		t.Errorf("%v is no refusal", err)
	}
}
