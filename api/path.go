package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/store"
)

// resolvedFor is how long resolved paths stay in lists.
const resolvedFor = 30 * 24 * time.Hour

func rowOf(l scope.Life) PathRow {
	p := l.Path
	r := PathRow{Cluster: l.Cluster, Namespace: p.Namespace, Id: l.ID, Title: p.Title, Type: p.Type, Risk: p.Risk, RiskScore: p.RiskScore,
		Status: PathStatus(l.Status), StaleReason: text(l.StaleReason), FirstSeen: l.FirstSeen, LastSeen: l.LastSeen,
		Entry: refOfThing(p.Entry), Foothold: refOfThing(p.Foothold), Target: refOfThing(p.Target), Steps: len(p.Steps),
		Pods: p.Pods, Workloads: p.Workloads, Vulnerabilities: p.VulnerabilitiesTotal, Uncertain: new(len(p.Uncertain) > 0),
		EntryClass: EntryClass(p.EntryClass), Confidence: p.Confidence, Alternatives: p.Alternatives}
	for _, v := range p.Vulnerabilities {
		r.Exploited = r.Exploited || v.KEV
	}
	return r
}

func refOfThing(t analyse.Thing) Ref {
	return Ref{Kind: t.Kind, Id: t.ID, Name: t.Name, Cluster: text(t.Cluster), Namespace: text(t.Namespace)}
}

func opensBy(l scope.Life, vulnerability string) bool {
	return slices.ContainsFunc(l.Vulnerabilities, func(v analyse.Vulnerability) bool { return v.ID == vulnerability })
}

func says(l scope.Life, words string) bool {
	p := l.Path
	return hasWords(words, p.Title, p.Cluster, p.Namespace, p.Foothold.Name, p.Foothold.Workload, p.Target.Name, p.Entry.Name)
}

func fits(l scope.Life, q ListPathsParams) bool {
	is := func(want *string, have string) bool { return want == nil || *want == "" || *want == have }
	return is(q.Type, l.Type) && is(q.Cluster, l.Cluster) && is(q.Namespace, l.Namespace) &&
		(q.Risk == nil || severity.Compare(l.Risk, *q.Risk) >= 0) &&
		(q.Entity == nil || *q.Entity == "" || l.Has(*q.Entity)) &&
		(q.Vulnerability == nil || *q.Vulnerability == "" || opensBy(l, *q.Vulnerability)) &&
		(q.Q == nil || says(l, *q.Q)) && by(byTarget).has(l.Path.Path, q.Target) &&
		by(byEntry).has(l.Path.Path, q.Entry) && by(byTechnique).has(l.Path.Path, q.Technique) && by(byFix).has(l.Path.Path, q.Fix)
}

// enters says whether a path begins as the asker wants.
func enters(l scope.Life, q ListPathsParams) bool {
	return q.EntryClass == nil || slices.Contains(*q.EntryClass, EntryClass(l.EntryClass))
}

// lives are the open paths, or those from what is assumed.
func (s session) lives(ctx context.Context, assume *string) ([]scope.Life, error) {
	if deref(assume) == "" {
		return s.Lives(), nil
	}
	if err := s.room(ctx, s.largest()...); err != nil {
		return nil, err
	}
	out, _, err := s.Assumed(ctx, *assume)
	return out, err
}

// ListPaths implements StrictServerInterface.
func (s session) ListPaths(ctx context.Context, r ListPathsRequestObject) (ListPathsResponseObject, error) {
	w := s.World
	statuses := []PathStatus{PathStatusActive, PathStatusStale}
	if r.Params.Status != nil {
		statuses = *r.Params.Status
	}
	out := PathList{Counts: map[string]int{"active": 0, "stale": 0}, Classes: map[string]int{}, AsOf: w.AsOf(), Items: []PathRow{},
		Gaps: s.unseen()}
	all, err := s.lives(ctx, r.Params.Assume)
	if err != nil {
		return nil, err
	}
	var rows []PathRow
	var lives []scope.Life
	for _, l := range all {
		if !fits(l, r.Params) {
			continue
		}
		listed := slices.Contains(statuses, PathStatus(l.Status))
		if listed {
			out.Classes[l.EntryClass]++
		}
		if !enters(l, r.Params) {
			continue
		}
		out.Counts[string(l.Status)]++
		if listed {
			rows, lives = append(rows, rowOf(l)), append(lives, l)
		}
	}
	if g := r.Params.Group; g != nil {
		of, known := groupings[*g]
		if !known {
			return nil, asked{fmt.Errorf("group is %q: want target, entry, technique or fix", *g)}
		}
		out.Groups = new(of.grouped(lives))
	}
	past, inPast := strings.CutPrefix(deref(r.Params.Cursor), inHistory)
	out.Total = len(rows)
	if !inPast {
		if out.Items, out.Next, err = page(rows, r.Params.Cursor, r.Params.Limit,
			func(p PathRow) string { return p.Cluster + "/" + p.Id }); err != nil {
			return nil, err
		}
	}
	if deref(r.Params.Assume) != "" {
		return ListPaths200JSONResponse(out), nil
	}
	wanted, room := slices.Contains(statuses, PathStatusResolved), 0
	if wanted && out.Next == nil {
		room = pageSize(r.Params.Limit) - len(out.Items)
	}
	resolved, next, total, err := s.Resolved(ctx, historyOf(r.Params), func(l scope.Life) bool {
		return fits(l, r.Params) && enters(l, r.Params)
	}, past, room)
	if err != nil {
		return nil, err
	}
	for _, l := range resolved {
		out.Items = append(out.Items, rowOf(l))
	}
	out.Counts["resolved"] = total
	if wanted {
		out.Total += total
		if next != "" || out.Next == nil && room == 0 && total > 0 {
			out.Next = new(inHistory + next)
		}
	}
	return ListPaths200JSONResponse(out), nil
}

// inHistory begins the cursor of a page of resolved paths, which follow the open ones.
const inHistory = "resolved:"

// historyOf asks the same of resolved paths as fits asks of open ones.
func historyOf(q ListPathsParams) store.PathFilter {
	f := store.PathFilter{Cluster: deref(q.Cluster), Type: deref(q.Type), Namespace: deref(q.Namespace), Entity: deref(q.Entity),
		Vulnerability: deref(q.Vulnerability), Words: strings.Fields(deref(q.Q)), Since: time.Now().Add(-resolvedFor)}
	if q.Risk != nil {
		for _, r := range severity.Rated {
			if severity.Compare(r, *q.Risk) >= 0 {
				f.Risks = append(f.Risks, r)
			}
		}
	}
	return f
}

// GetPath implements StrictServerInterface.
func (s session) GetPath(ctx context.Context, r GetPathRequestObject) (GetPathResponseObject, error) {
	if deref(r.Params.Assume) != "" {
		return s.assumedPath(ctx, r.Params)
	}
	l, err := s.life(ctx, r.Params.Cluster, r.Params.Id)
	if err != nil {
		return nil, err
	}
	history, err := s.History(ctx, l)
	if err != nil {
		return nil, err
	}
	coded, err := s.withCode(ctx, *l.Path.Path)
	if err != nil {
		return nil, err
	}
	out := PathPage{Path: coded, Status: PathStatus(l.Status), StaleReason: l.StaleReason, FirstSeen: l.FirstSeen,
		LastSeen: l.LastSeen, Untried: text(untried(l)), History: []PathEvent{}}
	if l.Path.Path != nil {
		if found := s.accepts(ctx).onPath(*l.Path.Path); len(found) > 0 {
			out.Accepted = &found
		}
	}
	for _, h := range history {
		out.History = append(out.History, PathEvent{At: h.At, What: h.What})
	}
	return GetPath200JSONResponse(out), nil
}

// untried says why what a path's fixes would change cannot be tried: of a path that was found
// before, what they end is not known any more.
func untried(l scope.Life) string {
	switch l.Status {
	case store.Stale:
		return "the path could not be judged again, and what its fixes end is known only of paths that were; " +
			"they can be tried once it is judged again"
	case store.Resolved:
		return "the path is gone"
	}
	return ""
}

// assumedPath is one path from what is assumed: it has no history.
func (s session) assumedPath(ctx context.Context, q GetPathParams) (GetPathResponseObject, error) {
	lives, err := s.lives(ctx, q.Assume)
	if err != nil {
		return nil, err
	}
	for _, l := range lives {
		if l.Cluster == q.Cluster && l.ID == q.Id {
			coded, err := s.withCode(ctx, *l.Path.Path)
			return GetPath200JSONResponse(PathPage{Path: coded, Status: PathStatus(l.Status), FirstSeen: l.FirstSeen, LastSeen: l.LastSeen,
				History: []PathEvent{}}), err
		}
	}
	return nil, missing(fmt.Sprintf("no attack path %s in cluster %s from %s", q.Id, q.Cluster, *q.Assume))
}

// withCode is a path with its fixes as code, which is made of all that was read of the
// cluster: who sees a part of it is told so.
func (s session) withCode(ctx context.Context, p analyse.Path) (analyse.Path, error) {
	if s.coded == nil {
		return p, nil
	}
	if !s.Whole(p.Cluster) {
		p.Fixes = slices.Clone(p.Fixes)
		for i := range p.Fixes {
			p.Fixes[i].WithoutCode = "it is written for who sees the whole cluster"
		}
		return p, nil
	}
	var facts *collect.Facts
	if err := s.Facts(ctx, p.Cluster, func(f *collect.Facts) { facts = f.Clone() }); err != nil || facts == nil {
		return p, err
	}
	return s.coded(facts, p), nil
}

// life is a path by its name.
func (s session) life(ctx context.Context, cluster, id string) (scope.Life, error) {
	l, err := s.Life(ctx, cluster, id)
	if errors.Is(err, store.ErrNotFound) {
		err = missing(fmt.Sprintf("no attack path %s in cluster %s", id, cluster))
	}
	return l, err
}

// rowsWhere lists open paths that fit, worst first.
func rowsWhere(w *scope.World, fits func(scope.Life) bool) []PathRow {
	rows := []PathRow{}
	for _, l := range w.Lives() {
		if fits(l) {
			rows = append(rows, rowOf(l))
		}
	}
	return rows
}
