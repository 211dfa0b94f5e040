package detect

import (
	"slices"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
)

// attack is a test of a rule in which it fires.
type attack struct {
	name string
	read func() ([]event.Event, error)
}

// Lone says whether a rule is one of its own: whether it tells of something that no other tells of.
type Lone struct {
	Rule string `json:"rule"`
	// Test is the first in which no other rule fires, empty if there is none.
	Test string `json:"test,omitempty"`
	// With are the rules that fire beside it in the test in which fewest do.
	With []string `json:"with,omitempty"`
}

// Distinct tries the detections among some rules, each with the events of its own tests
// against all of them.
func Distinct(rules []rule.Rule) (out []Lone, err error) {
	var all []*Rule
	for _, r := range rules {
		if d, ok := r.(*Rule); ok {
			all = append(all, d)
		}
	}
	among := newRules(all)
	for _, r := range all {
		if r.silent { // it is there for a correlation, and tells of nothing itself
			continue
		}
		lone := Lone{Rule: r.ID}
		for _, a := range r.attacks {
			events, err := a.read()
			if err != nil {
				return nil, err
			}
			others := firing(among, events)
			// What a correlation is of fires with it.
			others = slices.DeleteFunc(others, func(id string) bool {
				return slices.ContainsFunc(r.closure(nil), func(of *Rule) bool { return of.ID == id })
			})
			if len(others) == 0 {
				lone.Test, lone.With = a.name, nil
				break
			}
			if lone.With == nil || len(others) < len(lone.With) {
				lone.With = others
			}
		}
		out = append(out, lone)
	}
	return out, nil
}

// firing lists the rules that tell of events, each once.
func firing(among *Rules, events []event.Event) (ids []string) {
	for _, a := range New(among, nil, Options{}).Feed(events) {
		ids = append(ids, a.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
