package analyse

import (
	"context"
	"slices"

	"github.com/breakwater-sec/breakwater/rule"
)

// Lone says whether a technique is one of its own: whether one of its tests has
// edges that it alone makes.
type Lone struct {
	Rule string `json:"rule"`
	// Test is the first in which no other technique makes an edge, empty if there is none.
	Test string `json:"test,omitempty"`
	// With are the techniques that make edges in the test in which fewest do.
	With []string `json:"with,omitempty"`
}

// Distinct tries the techniques among some rules, each with its own tests against
// all of them.
func Distinct(ctx context.Context, rules []rule.Rule) (out []Lone, err error) {
	var techniques []*technique
	for _, r := range rules {
		if t, ok := r.(*technique); ok {
			techniques = append(techniques, t)
		}
	}
	for _, t := range techniques {
		d, err := lone(ctx, t, techniques)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func lone(ctx context.Context, t *technique, among []*technique) (Lone, error) {
	d := Lone{Rule: t.ID}
	for _, test := range t.Tests {
		if len(test.Want) == 0 {
			continue
		}
		made, err := firing(ctx, among, test.Given)
		if err != nil {
			return d, err
		}
		others := slices.DeleteFunc(made, func(id string) bool { return id == t.ID })
		if len(others) == 0 {
			return Lone{Rule: t.ID, Test: test.Name}, nil
		}
		if d.With == nil || len(others) < len(d.With) {
			d.With = others
		}
	}
	return d, nil
}

// firing lists the techniques that make an edge in a graph.
func firing(ctx context.Context, among []*technique, given string) (ids []string, err error) {
	v, err := parseGiven(given)
	if err != nil {
		return nil, err
	}
	for _, t := range among {
		some := false
		if err := t.run(ctx, v, func(g gained) bool { some = some || g.prevented == ""; return !some }); err != nil {
			return nil, err
		}
		if some {
			ids = append(ids, t.ID)
		}
	}
	return ids, nil
}
