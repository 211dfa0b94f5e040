package detect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	logs     map[event.Source]*Log
}

// Load reads the rules in the folders below detect/ of each file system. An id
// must not come twice.
func Load(logs []Log, from ...fs.FS) (*Rules, error) {
	var all []*Rule
	var wrong []error
	files := map[string]string{}
	for folder, fsys := range from {
		loaded, err := loadFS(logs, fsys)
		wrong = append(wrong, err)
		for _, r := range loaded {
			r.folder = folder
			if first, twice := files[r.ID]; twice {
				wrong = append(wrong, fmt.Errorf("%s: id %q is that of %s already", r.File, r.ID, first))
				continue
			}
			files[r.ID] = r.File
			all = append(all, r)
		}
	}
	if len(all) > 0 {
		wrong = append(wrong, linkAll(all))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, fmt.Errorf("load detection rules: %w", err)
	}
	return newRules(all), nil
}

// maxChain is how many correlations may be of each other.
const maxChain = 4

// linkAll gives correlations their rules: those about events first, then those of such, and so on.
func linkAll(all []*Rule) error {
	var wrong []error
	find := func(name string) (found *Rule, err error) {
		for _, r := range all {
			switch {
			case !r.is(name) || r == found:
			case found != nil:
				return nil, fmt.Errorf("%s and %s are both called %q", found.File, r.File, name)
			default:
				found = r
			}
		}
		switch {
		case found == nil:
			return nil, fmt.Errorf("no rule is called %q", name)
		case found.link != nil:
			return nil, errLater
		}
		return found, nil
	}
	for range maxChain {
		var linked []*Rule
		for _, r := range all {
			if r.link == nil {
				continue
			}
			err := r.link(find)
			if errors.Is(err, errLater) {
				r.correlation.rules = nil
				continue
			}
			wrong = append(wrong, err)
			linked = append(linked, r)
		}
		for _, r := range linked { // not before: who is of another one comes after it
			r.link = nil
			r.joins()
		}
	}
	for _, r := range all {
		if r.link != nil {
			wrong = append(wrong, fmt.Errorf("%s: its rules are correlations of each other, or of more than %d others in a row", r.File, maxChain-1))
		}
	}
	return errors.Join(wrong...)
}

// errLater says that a rule is a correlation that does not have its own rules yet.
var errLater = errors.New("its rules are not known yet")

// joins tells the rules of a correlation that they are part of it. They alert by themselves if it says so, or if they are from
// elsewhere: what we ship is not silenced by a rule beside it.
func (r *Rule) joins() {
	for at, one := range r.correlation.rules {
		one.uses = append(one.uses, use{r, at})
		one.silent = one.silent || r.correlation.silent && one.folder == r.folder
	}
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
	r := &Rules{all: all, bySource: map[event.Source]*index{}, logs: map[event.Source]*Log{}}
	for _, one := range all {
		r.logs[one.log.Source] = one.log
		if one.condition == nil {
			continue // a correlation is found by its rules
		}
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

// Undecided says which rules could not be judged how often, most often first; "" if there are none.
func Undecided(by map[string]int) string {
	ids := slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Or(by[b]-by[a], strings.Compare(a, b)) })
	if len(ids) == 0 {
		return ""
	}
	const most = 10
	var out []string
	for _, id := range ids[:min(len(ids), most)] {
		out = append(out, fmt.Sprintf("%s (%d)", id, by[id]))
	}
	if more := len(ids) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return " They could not be judged: " + strings.Join(out, ", ") + "."
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
