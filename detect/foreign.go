package detect

import (
	"fmt"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
)

// isForeign says that a rule was written for other tools: it has none of the keys
// that are ours.
func (b *file) isForeign() bool {
	return b.Why == "" && b.Fix == "" && len(b.Evidence)+len(b.Per)+len(b.Tests) == 0 && b.Baseline == nil && b.Alone == nil
}

// adopt gives a rule of others what ours say themselves.
func (r *Rule) adopt(b *file) {
	r.foreign = &rule.Foreign{}
	r.Why = strings.TrimSpace(b.Description)
	if r.Why == "" {
		r.Why = b.Title
	}
	r.Fix = "Ask who did it whether it was wanted."
	if len(b.References) > 0 {
		r.Fix += " See " + strings.Join(b.References, " ")
	}
	if r.Severity == "informational" {
		r.Severity = "low"
	}
}

// Foreign says what of a rule that was written for other tools cannot hold here; it
// is nil for the others.
func (r *Rule) Foreign() *rule.Foreign { return r.foreign }

// ask finds a field that a selection names. One that a rule of others asks for and
// the log does not have is never there.
func (r *Rule) ask(name string) (field string, err error) {
	field = r.log.field(name)
	if err := r.log.known(field); err != nil && r.foreign == nil {
		return "", err
	} else if err != nil {
		r.miss(fmt.Sprintf("%s has no field %q", title(r.log.Source), name))
	}
	return field, nil
}

func (r *Rule) miss(what string) { add(&r.foreign.Missing, what, maxValues) }

// compares notes where a rule of others wants text of a field that holds numbers.
func (r *Rule) compares(t *test) {
	if r.foreign == nil || !t.plain || !r.log.number(t.field) {
		return
	}
	t.impossible = true
	for _, v := range t.values {
		if _, ok := number(v); ok || v == "" {
			t.impossible = false
		}
	}
	if t.impossible {
		r.miss(fmt.Sprintf("%s is a number, never %s", t.field, strings.Join(t.values, " or ")))
	}
}

// never says that an expression can hold for no event.
func (a and) never() bool {
	for _, e := range a {
		if e.never() {
			return true
		}
	}
	return false
}

func (o or) never() bool {
	for _, e := range o {
		if !e.never() {
			return false
		}
	}
	return true
}

func (n not) never() bool { return false }

// never says so of a field that is never there, unless that is what is wanted.
func (t *test) never() bool {
	return t.impossible || t.missing && !t.match(nil, event.Fields{})
}
