package report

import (
	"cmp"
	"context"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
)

// Paths is the attack path document, worst first.
type Paths struct {
	Paths       []analyse.Path       `json:"paths"`
	ChokePoints []analyse.ChokePoint `json:"chokePoints"`
	// WorstToLose are the workloads and identities that lead to most, once an
	// attacker has them, and Losable how many lead to anything. Paths from them are
	// told when they are assumed to be lost.
	WorstToLose []Losable     `json:"worstToLose,omitempty"`
	Losable     int           `json:"losable,omitempty"`
	HelpsMost   *Help         `json:"helpsMost,omitempty"`
	Gaps        []collect.Gap `json:"gaps"`
}

// AssumedPaths are the paths from what an attacker is assumed to have.
func AssumedPaths(ctx context.Context, w *scope.World, what string) (Paths, error) {
	out := Paths{Paths: []analyse.Path{}, ChokePoints: []analyse.ChokePoint{}, Gaps: []collect.Gap{}}
	found, gaps, err := w.Assumed(ctx, what)
	for _, l := range found {
		out.Paths = append(out.Paths, *l.Path.Path)
	}
	out.ChokePoints = append(out.ChokePoints, scope.ChokePoints(out.Paths)...)
	out.Gaps = append(append(out.Gaps, gaps...), w.Gaps()...)
	return out, err
}

// AttackPaths gathers the paths of every cluster, and what would be worst to lose.
func AttackPaths(ctx context.Context, w *scope.World) (out Paths, err error) {
	out = Open(w)
	out.WorstToLose, out.Losable = worstToLose(w)
	var gaps []collect.Gap
	out.HelpsMost, gaps, err = howLost(ctx, w, out.WorstToLose)
	for _, g := range gaps {
		if same := func(o collect.Gap) bool { return o.Cluster == g.Cluster && o.Key() == g.Key() }; !slices.ContainsFunc(out.Gaps, same) {
			out.Gaps = append(out.Gaps, g)
		}
	}
	return out, err
}

// Open gathers the paths that were found of every cluster.
func Open(w *scope.World) Paths {
	out := Paths{Paths: []analyse.Path{}, ChokePoints: []analyse.ChokePoint{}, Gaps: []collect.Gap{}}
	for _, c := range w.Ordered() {
		out.Paths = append(out.Paths, c.Paths...)
	}
	slices.SortStableFunc(out.Paths, func(a, b analyse.Path) int {
		return cmp.Or(cmp.Compare(b.RiskScore, a.RiskScore), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Cluster, b.Cluster),
			cmp.Compare(a.ID, b.ID))
	})
	out.ChokePoints = append(out.ChokePoints, scope.ChokePoints(out.Paths)...)
	out.Gaps = append(out.Gaps, w.Gaps()...)
	return out
}
