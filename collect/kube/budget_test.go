package kube

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// herd is the pods and services of an API server, which come as a list in pages and then as events.
type herd struct {
	mu     sync.Mutex
	pods   []string
	lists  int
	events chan string // "ADDED pod", "DELETED pod"
}

func podOf(namespace, name string, bytes int) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"namespace":%q,"labels":{"l":%q}},"spec":{"containers":[{"name":"c","image":"i"}]}}`,
		name, namespace, strings.Repeat("x", bytes))
}

func (h *herd) list(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, more := min(from+limit, len(h.pods)), ""
	if to < len(h.pods) {
		more = strconv.Itoa(to)
	} else {
		h.lists++
	}
	_, _ = fmt.Fprintf(w, `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":%q},"items":[%s]}`, more,
		strings.Join(h.pods[from:to], ","))
}

func (h *herd) watch(w http.ResponseWriter, r *http.Request) {
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-h.events:
			how, pod, _ := strings.Cut(e, " ")
			_, _ = fmt.Fprintf(w, `{"type":%q,"object":%s}`+"\n", how, pod)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (h *herd) serve(t *testing.T, budget int64) *seen {
	t.Helper()
	h.events = make(chan string)
	services := func(w http.ResponseWriter, _ *http.Request) {
		var items []any
		for n := range 5 {
			items = append(items, map[string]any{"kind": "Service", "apiVersion": "v1", "metadata": map[string]string{
				"name": fmt.Sprint("s", n), "namespace": "flood"}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "ServiceList", "apiVersion": "v1",
			"metadata": map[string]string{"resourceVersion": "1"}, "items": items})
	}
	s := servant(t, map[string]http.HandlerFunc{"/api/v1/pods": h.list, "/api/v1/pods watch": h.watch, "/api/v1/services": services})
	return watching(t, s, func(c *Config) { c.Budget, c.RetryDenied = budget, time.Millisecond })
}

// podsIn is how many pods a namespace has among the facts.
func podsIn(f *collect.Facts, namespace string) (n int) {
	for k := range f.Pods {
		if k.Namespace == namespace {
			n++
		}
	}
	return n
}

var podsGap = collect.GapKey{Source: "api", What: "pods"}

// TestAFloodOfOneNamespaceIsAGapAndPushesOutNothingOfOthers: objects come under names that sort before those of others,
// in a list and while it is watched.
func TestAFloodOfOneNamespaceIsAGapAndPushesOutNothingOfOthers(t *testing.T) {
	const flood, honest, budget = 3000, 100, 2 << 20
	for _, as := range []string{"a list", "events"} {
		t.Run(as, func(t *testing.T) {
			h := &herd{}
			var floods []string
			for n := range flood {
				floods = append(floods, podOf("flood", fmt.Sprint("a", n), 4000))
			}
			if as == "a list" {
				h.pods = append(h.pods, floods...)
			}
			for n := range honest {
				h.pods = append(h.pods, podOf("shop", fmt.Sprint("z", n), 10))
			}
			h.pods = append(h.pods, podOf("flood", "small", 10))
			s := h.serve(t, budget)
			if as == "events" {
				for _, p := range floods {
					h.events <- "ADDED " + p
				}
				h.events <- "ADDED " + podOf("shop", "last", 10)
				s.when(t, "the last pod is there", func(f *collect.Facts) bool {
					return f.Pods[collect.Key{Namespace: "shop", Name: "last"}] != nil
				})
			}
			s.until(t, "pods", "not kept: the budget of 2 MiB for the objects of this cluster is full; ")
			s.mu.Lock()
			defer s.mu.Unlock()
			if n := podsIn(s.facts, "shop"); n < honest {
				t.Errorf("of %d pods of others %d are kept", honest, n)
			}
			if s.facts.Pods[collect.Key{Namespace: "flood", Name: "small"}] == nil {
				t.Error("beside large ones, a small one of the same namespace is not kept")
			}
			if n := len(s.facts.Services); n != 5 {
				t.Errorf("of 5 services in the namespace of the flood %d are kept", n)
			}
			var bytes int64
			for _, p := range s.facts.Pods {
				bytes += sizeOf(p)
			}
			if bytes > budget {
				t.Errorf("%d bytes are kept of a budget of %d", bytes, budget)
			}
			kept, gap := podsIn(s.facts, "flood"), s.facts.Gaps[podsGap]
			if kept < 100 {
				t.Errorf("%d of the flood are kept: there is room for more", kept)
			}
			if want := fmt.Sprintf("%d objects are not kept", flood+1-kept); as == "a list" && !strings.Contains(gap.Why, want) {
				t.Errorf("%q, want %q", gap.Why, want)
			}
			if !strings.Contains(gap.Why, "of namespace flood") || gap.Consequence == "" || len(gap.Kinds) == 0 {
				t.Errorf("%+v", gap)
			}
		})
	}
}

// TestWhatWasNotKeptIsReadWhenThereIsRoom: the flood is deleted, and the gap ends.
func TestWhatWasNotKeptIsReadWhenThereIsRoom(t *testing.T) {
	h := &herd{}
	var floods []string
	for n := range 1000 {
		floods = append(floods, podOf("flood", fmt.Sprint("a", n), 4000))
	}
	honest := podOf("flood", "honest", 20_000) // the largest of its namespace
	h.pods = append(floods, honest)
	s := h.serve(t, 1<<20)
	s.until(t, "pods", "not kept")
	h.mu.Lock()
	h.pods = []string{honest}
	h.mu.Unlock()
	for _, p := range floods {
		select {
		case h.events <- "DELETED " + p:
			continue
		case <-time.After(time.Second): // it has left to read the list again
		}
		break
	}
	s.when(t, "the gap is over", func(f *collect.Facts) bool {
		_, open := f.Gaps[podsGap]
		return !open && f.Pods[collect.Key{Namespace: "flood", Name: "honest"}] != nil && len(f.Pods) == 1
	})
}

// TestWhoMakesLargeObjectsHidesNoOthersOfTheKind: a page that is too large is asked for in smaller ones.
func TestWhoMakesLargeObjectsHidesNoOthersOfTheKind(t *testing.T) {
	with(t, &maxPage, 1<<20)
	h := &herd{}
	for n := range 50 {
		h.pods = append(h.pods, podOf("flood", fmt.Sprint("a", n), 200_000))
	}
	h.pods = append(h.pods, podOf("shop", "web", 10))
	s := h.serve(t, 64<<20)
	s.when(t, "all are read", func(f *collect.Facts) bool {
		_, open := f.Gaps[podsGap]
		return len(f.Pods) == 51 && !open && !f.AsOf.IsZero()
	})
}

// TestKindsOfCustomResourcesAreToldUpToABound: who may define them may define many.
func TestKindsOfCustomResourcesAreToldUpToABound(t *testing.T) {
	with(t, &maxCustom, 10)
	s := servant(t, map[string]http.HandlerFunc{
		"/apis": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"a.example","versions":[{"groupVersion":"a.example/v1",
				"version":"v1"}],"preferredVersion":{"groupVersion":"a.example/v1","version":"v1"}}]}`)
		},
		"/apis/a.example/v1": func(w http.ResponseWriter, _ *http.Request) {
			var many []string
			for n := range 100 {
				many = append(many, fmt.Sprintf(`{"name":"r%d","kind":"R","verbs":["list","watch"]}`, n))
			}
			_, _ = fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"a.example/v1","resources":[%s]}`, strings.Join(many, ","))
		}})
	seen := watching(t, s)
	seen.until(t, "custom resources", "want at most 10 kinds")
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if n := len(seen.facts.Unread); n != 10 {
		t.Errorf("%d kinds are told", n)
	}
}

func TestWhoHasLessThanTheLevelKeepsAll(t *testing.T) {
	for _, c := range []struct {
		sizes      []int64
		most, want int64
	}{
		{[]int64{1, 2, 3}, 100, 94}, {[]int64{10, 100, 1000}, 500, 390}, {[]int64{300, 300, 300}, 300, 100}, {[]int64{5}, 3, 3}, {nil, 7, 7},
	} {
		if got := level(c.sizes, c.most); got != c.want {
			t.Errorf("of %d, with %d together: %d, want %d", c.sizes, c.most, got, c.want)
		}
	}
}
