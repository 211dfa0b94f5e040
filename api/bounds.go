package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/breakwater-sec/breakwater/gate"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/query"
)

// Limits are what people may ask at once; zero is the default.
type Limits struct {
	// Queries are the questions, exports, reports and trials at once (6), and EachQueries
	// those of one person (4).
	Queries, EachQueries int
	// Streams are the event streams at once (512), and EachStreams those of one person (128).
	Streams, EachStreams int
	// Memory is what all of them may use at once, in bytes as they estimate it (1 GiB).
	Memory int64
	// Wait is how long one waits for its turn (3 s), Within how long it may take then (60 s).
	Wait, Within time.Duration
	// Recheck is how often an event stream looks whether its session still is (5 s), and Life
	// how long one lasts until its page asks for the next (1 h).
	Recheck, Life time.Duration
}

func (l Limits) orDefault() Limits {
	return Limits{cmp.Or(l.Queries, 6), cmp.Or(l.EachQueries, 4), cmp.Or(l.Streams, 512), cmp.Or(l.EachStreams, 128),
		cmp.Or(l.Memory, 1<<30),
		cmp.Or(l.Wait, 3*time.Second), cmp.Or(l.Within, time.Minute), cmp.Or(l.Recheck, 5*time.Second), cmp.Or(l.Life, time.Hour)}
}

// bounds are the limits and what is taken of them.
type bounds struct {
	Limits
	queries, streams, signIns slots
	senders, uploads          slots // of those that are no person
	memory                    *query.Memory
}

func newBounds(l Limits) *bounds {
	l = l.orDefault()
	return &bounds{Limits: l, queries: slots{all: l.Queries, each: l.EachQueries}, streams: slots{all: l.Streams, each: l.EachStreams},
		signIns: slots{all: 2, each: 2}, senders: slots{all: 4, each: 2}, uploads: slots{all: 2, each: 1}, memory: query.NewMemory(l.Memory)}
}

// slots are places of which everybody may have some.
type slots struct {
	all, each int
	refused   atomic.Uint64
	mu        struct {
		sync.Mutex
		taken int
		by    map[string]int
		freed chan struct{} // closed when a place is free again
	}
}

var (
	errManyOfOne = errors.New("you have asked for too much at once; ask again when something of it is answered")
	errMany      = errors.New("too much is asked at once; ask again in a moment")
)

// take takes a place, if there is one within the time; give gives it back.
func (s *slots) take(ctx context.Context, who string, within time.Duration) (give func(), err error) {
	end := time.NewTimer(within)
	defer end.Stop()
	for {
		freed, err := s.try(who)
		if err == nil {
			return sync.OnceFunc(func() { s.give(who) }), nil
		}
		select {
		case <-freed:
		case <-end.C:
			s.refused.Add(1)
			return nil, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *slots) try(who string) (freed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.by == nil {
		s.mu.by, s.mu.freed = map[string]int{}, make(chan struct{})
	}
	switch {
	case s.mu.by[who] >= s.each:
		return s.mu.freed, errManyOfOne
	case s.mu.taken >= s.all:
		return s.mu.freed, errMany
	}
	s.mu.taken++
	s.mu.by[who]++
	return nil, nil
}

func (s *slots) give(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.taken--
	if s.mu.by[who]--; s.mu.by[who] == 0 {
		delete(s.mu.by, who)
	}
	close(s.mu.freed)
	s.mu.freed = make(chan struct{})
}

// costly are the operations that look at much of the picture, or at all of it.
func costly(r *http.Request) bool {
	switch path := strings.TrimPrefix(r.URL.Path, "/api/v1/"); path {
	case "query", "query/values", "query/facets", "query/export", "cut", "what-if", "diff", "exceptions", "exceptions/trial":
		return true
	default:
		return strings.HasPrefix(path, "report/") || r.URL.Query().Get("assume") != ""
	}
}

// bounded lets costly operations begin as far as there are places, and ends them in time.
func (b *bounds) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !costly(r) {
			next.ServeHTTP(w, r)
			return
		}
		give, err := b.queries.take(r.Context(), sessionOf(r.Context()).who, b.Wait)
		if err != nil {
			crowded(w, r, err)
			return
		}
		defer give()
		ctx, cancel := context.WithTimeoutCause(r.Context(), b.Within, errTooLong)
		defer cancel()
		share := b.memory.Share() // until the answer is written
		defer share.Give()
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, shareKey{}, share)))
	})
}

type shareKey struct{}

// shareOf is what a costly operation takes of the memory that all share.
func shareOf(ctx context.Context) *query.Share {
	share, _ := ctx.Value(shareKey{}).(*query.Share)
	return share
}

// A trial computes a cluster again, or what somebody could do in it: so many bytes for each of its nodes and edges, and
// for what it begins with. See ADR 526 for where they come from.
const trialBase, trialNode, trialEdge = 8 << 20, 3 << 10, 256

// room takes memory for as many copies of clusters as an operation works on at once, before it begins.
func (s session) room(ctx context.Context, clusters ...*live.Cluster) error {
	bytes := int64(trialBase)
	for _, c := range clusters {
		bytes += weigh(c.Segment)
	}
	return shareOf(ctx).Set(bytes)
}

func weigh(g *graph.Segment) (bytes int64) {
	if g == nil { // the cluster was not read yet
		return 0
	}
	for kind := range g.Vocabulary().Kinds() {
		bytes += trialNode * int64(g.Len(kind))
	}
	for edge := range g.Vocabulary().Edges() {
		for _, r := range g.Rels(edge) {
			bytes += trialEdge * int64(r.Len())
		}
	}
	return bytes
}

// largest is the cluster that takes most; none if there is none.
func (s session) largest() []*live.Cluster {
	all := slices.Collect(maps.Values(s.Clusters))
	if len(all) == 0 {
		return nil
	}
	return []*live.Cluster{slices.MaxFunc(all, func(a, b *live.Cluster) int { return cmp.Compare(weigh(a.Segment), weigh(b.Segment)) })}
}

var errTooLong = errors.New("it took longer than it may: narrow it, or ask again when less is asked")

// crowded says that there is no place now.
func crowded(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errManyOfOne):
		later(w, http.StatusTooManyRequests, "too many requests at once", err)
	case errors.Is(err, errMany):
		later(w, http.StatusServiceUnavailable, "too many requests at once", err)
	case r.Context().Err() == nil:
		problem(w, http.StatusInternalServerError, "the server could not do this", err.Error())
	}
}

// askAgain is when who was refused may ask again, in seconds.
const askAgain = 2

func later(w http.ResponseWriter, status int, title string, err error) {
	w.Header().Set("Retry-After", strconv.Itoa(askAgain))
	problem(w, status, title, err.Error())
}

// welcome says that the sender of a request is signed in; who holds too many connections is told so.
func welcome(w http.ResponseWriter, r *http.Request, who string) bool {
	if gate.Known(r.Context(), who) {
		return true
	}
	w.Header().Set("Connection", "close")
	later(w, http.StatusTooManyRequests, "too many connections", errors.New("you hold too many connections; close some"))
	return false
}
