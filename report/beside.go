package report

import (
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/query"
)

// Unseen is what is said beside the rows of an answer: how many there are, and what could
// not be seen of the question or of the estate.
type Unseen struct {
	Roots   int         `json:"roots"`
	Total   int64       `json:"total"`
	Partial string      `json:"partial"`
	Gaps    []query.Gap `json:"gaps"`
}

// Beside gathers what is said beside an answer from a picture with gaps. What was met
// several times is told once with a count.
func Beside(res *query.Result, gaps []collect.Gap) Unseen {
	out := Unseen{Roots: res.Roots, Total: res.Total, Partial: res.Partial, Gaps: append([]query.Gap{}, res.Gaps...)}
	for _, g := range collect.Together(gaps) {
		out.Gaps = append(out.Gaps, query.Gap{Cluster: g.Cluster, Source: g.Source, What: g.What, Why: g.Why, Consequence: g.Consequence,
			Kinds: g.Kinds, Count: g.Times()})
	}
	return out
}
