package detect

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
)

// Rules are compiled rules, found by what an event is about.
type Rules struct {
	all      []*Rule
	bySource map[event.Source]*index
}

// Load reads the rules in the folders below detect/ of each file system. An id
// must not come twice.
func Load(logs []Log, from ...fs.FS) (*Rules, error) {
	var all []*Rule
	var wrong []error
	files := map[string]string{}
	for _, fsys := range from {
		loaded, err := loadFS(logs, fsys)
		wrong = append(wrong, err)
		for _, r := range loaded {
			if first, twice := files[r.ID]; twice {
				wrong = append(wrong, fmt.Errorf("%s: id %q is that of %s already", r.File, r.ID, first))
				continue
			}
			files[r.ID] = r.File
			all = append(all, r)
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("load detection rules: %w", err)
	}
	return newRules(all), nil
}

func loadFS(logs []Log, fsys fs.FS) (out []*Rule, err error) {
	folders, err := fs.ReadDir(fsys, "detect")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, d := range folders {
		if !d.IsDir() {
			continue
		}
		c := compiler{logs: logs, fsys: fsys}
		rules, err := rule.Load(fsys, path.Join("detect", d.Name()), nil, c.compile)
		wrong = append(wrong, err)
		for _, r := range rules {
			out = append(out, r.(*Rule))
		}
	}
	return out, errors.Join(wrong...)
}

func newRules(all []*Rule) *Rules {
	slices.SortFunc(all, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	r := &Rules{all: all, bySource: map[event.Source]*index{}}
	for _, one := range all {
		i := r.bySource[one.log.Source]
		if i == nil {
			i = newIndex(one.log.Index)
			r.bySource[one.log.Source] = i
		}
		i.add(one)
	}
	return r
}

// All lists every rule, so that their tests can be run.
func (r *Rules) All() (out []rule.Rule) {
	for _, one := range r.all {
		out = append(out, one)
	}
	return out
}

// Sources are what the rules are about, by their ids.
func (r *Rules) Sources() map[string]event.Source {
	out := map[string]event.Source{}
	for _, one := range r.all {
		out[one.ID] = one.log.Source
	}
	return out
}

// Match is a rule that holds for an event: its place among those asked about.
type Match struct {
	Event int
	Rule  *Rule
}

// Match says which rules hold for which events, in the order of the events.
func (r *Rules) Match(events []event.Event) (out []Match) {
	for i := range events {
		r.match(&events[i], func(one *Rule) { out = append(out, Match{i, one}) })
	}
	return out
}

// Blind counts the events of which the log leaves out what decides whether a rule holds, by the rule's id.
func (r *Rules) Blind(events []event.Event) (out map[string]int) {
	for i := range events {
		e := &events[i]
		of := r.bySource[e.Source]
		if len(e.Unseen) == 0 || of == nil {
			continue
		}
		unseen := func(field string) bool {
			return slices.ContainsFunc(e.Unseen, func(begin string) bool { return strings.HasPrefix(field, begin) })
		}
		of.candidates(e.Fields, func(one *Rule) {
			if one.condition.may(e.Fields, unseen) != perhaps {
				return
			}
			if out == nil {
				out = map[string]int{}
			}
			out[one.ID]++
		})
	}
	return out
}

// match hands on each rule that holds for an event.
func (r *Rules) match(e *event.Event, found func(*Rule)) {
	i := r.bySource[e.Source]
	if i == nil {
		return
	}
	i.candidates(e.Fields, func(one *Rule) {
		if one.condition.holds(e.Fields) {
			found(one)
		}
	})
}
