package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/store"
)

// resolvedFor is how long resolved paths stay in lists.
const resolvedFor = 30 * 24 * time.Hour

// life is a stored path with its decoded body.
type life struct {
	store.PathLife
	path *analyse.Path
}

// pathCache keeps decoded bodies: most do not change from one question to the next.
type pathCache struct {
	mu   sync.Mutex
	body map[string]string
	path map[string]*analyse.Path
}

func (c *pathCache) decode(l store.PathLife) (*analyse.Path, error) {
	key := l.Cluster + "\x00" + l.ID + "\x00" + l.FirstSeen.String()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == nil {
		c.path, c.body = map[string]*analyse.Path{}, map[string]string{}
	}
	if c.path[key] != nil && c.body[key] == string(l.Body) {
		return c.path[key], nil
	}
	p := &analyse.Path{}
	if err := json.Unmarshal(l.Body, p); err != nil {
		return nil, fmt.Errorf("read stored path %s of %s: %w", l.ID, l.Cluster, err)
	}
	c.path[key], c.body[key] = p, string(l.Body)
	return p, nil
}

// lives lists every path, worst first, open ones before resolved ones.
func (s *server) lives(ctx context.Context) ([]life, error) {
	stored, err := s.Store.PathLives(ctx, time.Now().Add(-resolvedFor))
	if err != nil {
		return nil, err
	}
	known := s.Live.World().Clusters
	out := make([]life, 0, len(stored))
	for _, l := range stored {
		c := known[l.Cluster]
		if c == nil {
			continue // of a cluster that is no longer watched
		}
		if l.Status == store.Active && c.AsOf.After(l.LastSeen) {
			l.LastSeen = c.AsOf
		}
		p, err := s.paths.decode(l)
		if err != nil {
			return nil, err
		}
		out = append(out, life{l, p})
	}
	slices.SortStableFunc(out, func(a, b life) int {
		return cmp.Or(cmp.Compare(rankOf(a.Status), rankOf(b.Status)), cmp.Compare(b.path.RiskScore, a.path.RiskScore),
			cmp.Compare(a.path.Title, b.path.Title), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func rankOf(s store.Status) int {
	if s == store.Resolved {
		return 1
	}
	return 0
}

func rowOf(l life) PathRow {
	p := l.path
	r := PathRow{Cluster: l.Cluster, Namespace: p.Namespace, Id: l.ID, Title: p.Title, Type: p.Type, Risk: p.Risk, RiskScore: p.RiskScore,
		Status: PathStatus(l.Status), StaleReason: text(l.StaleReason), FirstSeen: l.FirstSeen, LastSeen: l.LastSeen,
		Entry: refOfThing(p.Entry), Foothold: refOfThing(p.Foothold), Target: refOfThing(p.Target), Steps: len(p.Steps),
		Pods: p.Pods, Workloads: p.Workloads, Vulnerabilities: p.VulnerabilitiesTotal, Uncertain: new(len(p.Uncertain) > 0)}
	for _, v := range p.Vulnerabilities {
		r.Exploited = r.Exploited || v.KEV
	}
	return r
}

func refOfThing(t analyse.Thing) Ref {
	return Ref{Kind: t.Kind, Id: t.ID, Name: t.Name, Cluster: text(t.Cluster), Namespace: text(t.Namespace)}
}

func (l life) opensBy(vulnerability string) bool {
	return slices.ContainsFunc(l.path.Vulnerabilities, func(v analyse.Vulnerability) bool { return v.ID == vulnerability })
}

func (l life) says(words string) bool {
	p := l.path
	all := strings.ToLower(strings.Join([]string{p.Title, p.Cluster, p.Namespace, p.Foothold.Name, p.Foothold.Workload, p.Target.Name, p.Entry.Name}, " "))
	for _, w := range strings.Fields(strings.ToLower(words)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}

func (l life) fits(q ListPathsParams) bool {
	is := func(want *string, have string) bool { return want == nil || *want == "" || *want == have }
	return is(q.Type, l.path.Type) && is(q.Cluster, l.Cluster) && is(q.Namespace, l.path.Namespace) &&
		(q.Risk == nil || severity.Compare(l.path.Risk, *q.Risk) >= 0) &&
		(q.Entity == nil || *q.Entity == "" || l.path.Has(*q.Entity)) &&
		(q.Vulnerability == nil || *q.Vulnerability == "" || l.opensBy(*q.Vulnerability)) &&
		(q.Q == nil || l.says(*q.Q))
}

// ListPaths implements StrictServerInterface.
func (s *server) ListPaths(ctx context.Context, r ListPathsRequestObject) (ListPathsResponseObject, error) {
	lives, err := s.lives(ctx)
	if err != nil {
		return nil, err
	}
	statuses := []PathStatus{PathStatusActive, PathStatusStale}
	if r.Params.Status != nil {
		statuses = *r.Params.Status
	}
	out := PathList{Counts: map[string]int{"active": 0, "stale": 0, "resolved": 0}, AsOf: asOf(s.Live.World())}
	var rows []PathRow
	for _, l := range lives {
		if !l.fits(r.Params) {
			continue
		}
		out.Counts[string(l.Status)]++
		if slices.Contains(statuses, PathStatus(l.Status)) {
			rows = append(rows, rowOf(l))
		}
	}
	out.Total = len(rows)
	out.Items, out.Next, err = page(rows, r.Params.Cursor, r.Params.Limit, func(p PathRow) string { return p.Cluster + "/" + p.Id })
	if err != nil {
		return nil, err
	}
	return ListPaths200JSONResponse(out), nil
}

// GetPath implements StrictServerInterface.
func (s *server) GetPath(ctx context.Context, r GetPathRequestObject) (GetPathResponseObject, error) {
	l, err := s.life(ctx, r.Params.Cluster, r.Params.Id)
	if err != nil {
		return nil, err
	}
	history, err := s.Store.PathHistory(ctx, l.Cluster, l.ID)
	if err != nil {
		return nil, err
	}
	out := PathPage{Path: *l.path, Status: PathStatus(l.Status), StaleReason: l.StaleReason, FirstSeen: l.FirstSeen, LastSeen: l.LastSeen, History: []PathEvent{}}
	for _, h := range history {
		out.History = append(out.History, PathEvent{At: h.At, What: h.What})
	}
	return GetPath200JSONResponse(out), nil
}

func (s *server) life(ctx context.Context, cluster, id string) (life, error) {
	lives, err := s.lives(ctx)
	if err != nil {
		return life{}, err
	}
	for _, l := range lives {
		if l.Cluster == cluster && l.ID == id {
			return l, nil
		}
	}
	return life{}, missing(fmt.Sprintf("no attack path %s in cluster %s", id, cluster))
}

// rowsWhere lists open paths that fit, worst first.
func (s *server) rowsWhere(ctx context.Context, fits func(life) bool) ([]PathRow, error) {
	lives, err := s.lives(ctx)
	if err != nil {
		return nil, err
	}
	rows := []PathRow{}
	for _, l := range lives {
		if l.Status != store.Resolved && fits(l) {
			rows = append(rows, rowOf(l))
		}
	}
	return rows, nil
}
