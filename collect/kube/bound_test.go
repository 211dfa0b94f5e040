package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/breakwater-sec/breakwater/collect"
)

// servant is an API server of pods, and of Secrets, that answers some paths as somebody chose.
func servant(t *testing.T, answers map[string]http.HandlerFunc) *httptest.Server {
	t.Helper()
	resources := func(group string, names ...string) map[string]any {
		var of []any
		for _, n := range names {
			of = append(of, map[string]any{"name": n, "kind": n, "namespaced": true, "verbs": []string{"list", "watch"}})
		}
		return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": of}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		path := r.URL.Path
		if r.URL.Query().Has("watch") {
			path += " watch"
		}
		var answer any
		switch {
		case answers[path] != nil:
			answers[path](w, r)
			return
		case path == "/version":
			answer = map[string]string{"gitVersion": "v1.34.0"}
		case path == "/api":
			answer = map[string]any{"kind": "APIVersions", "versions": []string{"v1"}}
		case path == "/apis":
			answer = map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{}}
		case path == "/api/v1":
			answer = resources("v1", "pods", "services", "namespaces", "secrets")
		case strings.HasSuffix(path, " watch"):
			<-r.Context().Done()
			return
		default:
			kind := "PodList"
			if strings.HasSuffix(path, "/services") {
				kind = "ServiceList"
			}
			answer = map[string]any{"kind": kind, "apiVersion": "v1", "metadata": map[string]string{"resourceVersion": "1"}, "items": []any{}}
		}
		_ = json.NewEncoder(w).Encode(answer) // who asks may have left
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// seen is what is told of a cluster while it is watched.
type seen struct {
	mu    sync.Mutex
	facts *collect.Facts
	moved chan struct{}
}

func watching(t *testing.T, s *httptest.Server, change ...func(*Config)) *seen {
	t.Helper()
	out := &seen{facts: collect.NewFacts(), moved: make(chan struct{}, 1)}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	cfg := Config{Name: "c", REST: &rest.Config{Host: s.URL}, QPS: 1e6, Burst: 1e6, Secrets: true}
	for _, c := range change {
		c(&cfg)
	}
	go func() {
		ended <- Watch(ctx, cfg, func(c collect.Change) {
			out.mu.Lock()
			defer out.mu.Unlock()
			out.facts.Apply(c)
			select {
			case out.moved <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(func() { end(); <-ended })
	return out
}

// until waits for a gap of a resource that says something.
func (s *seen) until(t *testing.T, what, why string) {
	t.Helper()
	s.when(t, fmt.Sprintf("the gap of %s says %q, and the rest is read", what, why), func(f *collect.Facts) bool {
		got, told := f.Gaps[collect.GapKey{Source: "api", What: what}]
		return told && strings.Contains(got.Why, why) && !f.AsOf.IsZero()
	})
}

// when waits for something to be true of the facts.
func (s *seen) when(t *testing.T, what string, is func(*collect.Facts) bool) {
	t.Helper()
	for late := time.After(2 * time.Minute); ; {
		s.mu.Lock()
		so := is(s.facts)
		s.mu.Unlock()
		if so {
			return
		}
		select {
		case <-s.moved:
		case <-late:
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Fatalf("never: %s; %d pods, gaps %+v", what, len(s.facts.Pods), s.facts.Gaps)
		}
	}
}

// with sets a bound for a test.
func with[T any](t *testing.T, bound *T, to T) {
	was := *bound
	*bound = to
	t.Cleanup(func() { *bound = was }) // after what watches has ended
}

// TestWhatAnAPIServerSaysWithoutEndIsAGapOfThatKindAlone: the holder of an API server can end the reading of a kind of
// its own cluster, and that is told; everything else is read.
func TestWhatAnAPIServerSaysWithoutEndIsAGapOfThatKindAlone(t *testing.T) {
	endless := func(begin, again string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			_, err := io.WriteString(w, begin)
			for err == nil {
				_, err = io.WriteString(w, again)
			}
		}
	}
	pod := func(name string) string {
		return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","namespace":"n"}}`
	}
	for _, c := range []struct {
		name, path, what, why string
		answer                http.HandlerFunc
	}{
		{"a list that never ends", "/api/v1/pods", "pods", "want at most 1 MiB at once",
			endless(`{"kind":"PodList","apiVersion":"v1","items":[`, pod("a")+",")},
		{"a text that never ends", "/api/v1/pods", "pods", "want at most 1 MiB at once",
			endless(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"`, strings.Repeat("1", 1000))},
		{"an event that never ends", "/api/v1/pods watch", "pods", "want events of at most 1 MiB",
			endless(`{"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"`, strings.Repeat("a", 1000))},
		{"pages without end", "/api/v1/pods", "pods", "want a list of at most 20 pages", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"again"},"items":[`+pod("a")+`]}`)
		}},
		{"objects without end", "/api/v1/pods", "pods", "want a list of at most 20 pages", func(w http.ResponseWriter, r *http.Request) {
			var items []string
			for n := range 10 {
				items = append(items, pod(fmt.Sprintf("p%s-%d", r.URL.Query().Get("continue"), n)))
			}
			_, _ = fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"continue":"%s1"},"items":[%s]}`,
				r.URL.Query().Get("continue"), strings.Join(items, ","))
		}},
		{"events without end", "/api/v1/pods watch", "pods", "objects are not kept", func(w http.ResponseWriter, r *http.Request) {
			for n := 0; r.Context().Err() == nil; n++ {
				_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":%s}`+"\n", pod(fmt.Sprint("p", n)))
			}
		}},
		{"nothing that can be read", "/api/v1/pods", "pods", "", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"kind":"Nonsense","apiVersion":"n/v1"}`)
		}},
		{"a table of Secrets with too few cells", "/api/v1/namespaces/n/secrets", "secrets", "a row has no name",
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, `{"kind":"Table","columnDefinitions":[{"name":"Name"}],"rows":[{}]}`)
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			with(t, &maxAnswer, 1<<20)
			with(t, &maxPage, 1<<20)
			with(t, &maxEvent, 1<<20)
			with(t, &maxPages, 20)
			with(t, &maxObjects, 50)
			namespaces := func(w http.ResponseWriter, r *http.Request) {
				list, item := "NamespaceList", "Namespace"
				version := "v1"
				if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
					list, item, version = "PartialObjectMetadataList", "PartialObjectMetadata", "meta.k8s.io/v1"
				}
				_, _ = fmt.Fprintf(w, `{"kind":%q,"apiVersion":%q,"metadata":{"resourceVersion":"1"},
					"items":[{"kind":%q,"apiVersion":%[2]q,"metadata":{"name":"n"}}]}`, list, version, item)
			}
			s := servant(t, map[string]http.HandlerFunc{c.path: c.answer, "/api/v1/namespaces": namespaces})
			watching(t, s).until(t, c.what, c.why)
		})
	}
}

func TestAReadingThatBreaksOffIsAnError(t *testing.T) {
	err := safely(func() error { var none []int; _ = none[len(none)]; return nil })
	if err == nil || !strings.Contains(err.Error(), "broke off") || !strings.Contains(err.Error(), "fault of Breakwater") {
		t.Error(err)
	}
}
