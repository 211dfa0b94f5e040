package detect

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// expr is a condition, or a part of one.
type expr interface {
	holds(event.Fields) bool
	// may says whether it holds where some fields were not told.
	may(f event.Fields, unseen func(field string) bool) truth
	never() bool
	// needs gives the values of which a field must hold one for the expression to
	// hold; ok is false where it may hold with any value of the field. An absent field
	// is the value "".
	needs(field string) (values []string, ok bool)
}

type (
	and []expr
	or  []expr
	not struct{ of expr }
	// test is one line of a selection.
	test struct {
		field string
		match match
		// values are all that the field may be, if they are plain.
		values []string
		plain  bool
		// cost is about what asking costs, so that what is cheap is asked first.
		cost int
		// missing is a field that the log does not have; impossible is a value that the
		// field never has.
		missing, impossible bool
	}
)

func (a and) holds(f event.Fields) bool {
	for _, e := range a {
		if !e.holds(f) {
			return false
		}
	}
	return true
}

// cheapestFirst orders parts by what they cost to ask. Which of them is asked first changes no answer.
func (a and) cheapestFirst() and {
	slices.SortStableFunc(a, func(x, y expr) int { return cmp.Compare(costs(x), costs(y)) })
	return a
}

// costs is about what asking costs.
func costs(e expr) (n int) {
	switch e := e.(type) {
	case *test:
		return e.cost
	case not:
		return costs(e.of)
	case and:
		for _, one := range e {
			n += costs(one)
		}
	case or:
		for _, one := range e {
			n += costs(one)
		}
	}
	return n
}

func (o or) holds(f event.Fields) bool {
	for _, e := range o {
		if e.holds(f) {
			return true
		}
	}
	return false
}

func (n not) holds(f event.Fields) bool   { return !n.of.holds(f) }
func (t *test) holds(f event.Fields) bool { return t.match(f[t.field], f) }

// truth is no, yes, or perhaps.
type truth int8

const (
	no truth = iota
	perhaps
	yes
)

func (a and) may(f event.Fields, unseen func(string) bool) truth {
	all := yes
	for _, e := range a {
		all = min(all, e.may(f, unseen))
	}
	return all
}

func (o or) may(f event.Fields, unseen func(string) bool) truth {
	any := no
	for _, e := range o {
		any = max(any, e.may(f, unseen))
	}
	return any
}

func (n not) may(f event.Fields, unseen func(string) bool) truth { return yes - n.of.may(f, unseen) }

// may says yes of a field that was not told where what is there of it is enough.
func (t *test) may(f event.Fields, unseen func(string) bool) truth {
	switch holds := t.match(f[t.field], f); {
	case unseen(t.field) && !(holds && len(f[t.field]) > 0):
		return perhaps
	case holds:
		return yes
	}
	return no
}

func (a and) needs(field string) (values []string, ok bool) {
	for _, e := range a {
		if v, some := e.needs(field); some && (!ok || len(v) < len(values)) {
			values, ok = v, true
		}
	}
	return values, ok
}

func (o or) needs(field string) (values []string, ok bool) {
	for _, e := range o {
		v, some := e.needs(field)
		if !some || len(values)+len(v) > maxKeys {
			return nil, false
		}
		values = append(values, v...)
	}
	return values, true
}

func (n not) needs(string) ([]string, bool) { return nil, false }

func (t *test) needs(field string) ([]string, bool) {
	return t.values, t.plain && t.field == field
}

// maxNesting bounds parentheses and nots of a condition.
const maxNesting = 32

// parser reads a condition: names of selections, and, or, not, parentheses,
// "1 of x*", "all of x*", "1 of them".
type parser struct {
	words      []string
	selections map[string]expr
	used       map[string]bool
	depth      int
}

// parseCondition also wants every selection to be used: one that is not is a
// mistake of who wrote the rule.
func parseCondition(text string, selections map[string]expr) (expr, error) {
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text)
	p := &parser{words: strings.Fields(spaced), selections: selections, used: map[string]bool{}}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if len(p.words) > 0 {
		return nil, fmt.Errorf("condition: %q comes where and, or or the end was wanted", p.words[0])
	}
	for _, name := range slices.Sorted(maps.Keys(selections)) {
		if !p.used[name] {
			return nil, fmt.Errorf("condition: selection %q is not used", name)
		}
	}
	return e, nil
}

func (p *parser) take(word string) bool {
	if len(p.words) > 0 && strings.EqualFold(p.words[0], word) {
		p.words = p.words[1:]
		return true
	}
	return false
}

// alone is the one part of an expression that has no other, or the expression.
func alone[E interface {
	~[]expr
	expr
}](all E) expr {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (p *parser) or() (expr, error) {
	var all or
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if !p.take("or") {
			return alone(all), nil
		}
	}
}

func (p *parser) and() (expr, error) {
	var all and
	for {
		e, err := p.term()
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if !p.take("and") {
			return alone(all.cheapestFirst()), nil
		}
	}
}

func (p *parser) term() (expr, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("condition: nested deeper than %d", maxNesting)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("not"):
		e, err := p.term()
		return not{e}, err
	case p.take("("):
		e, err := p.or()
		if err == nil && !p.take(")") {
			err = errors.New("condition: want )")
		}
		return e, err
	case p.take("1"), p.take("any"):
		of, err := p.of()
		return or(of), err
	case p.take("all"):
		of, err := p.of()
		return and(of).cheapestFirst(), err
	case len(p.words) == 0:
		return nil, errors.New("condition: ends where a selection was wanted")
	}
	name := p.words[0]
	e, ok := p.selections[name]
	if !ok {
		return nil, fmt.Errorf("condition: no selection is named %q", name)
	}
	p.words = p.words[1:]
	p.used[name] = true
	return e, nil
}

// of reads "of PATTERN" and gives the selections it names.
func (p *parser) of() (out []expr, err error) {
	if !p.take("of") || len(p.words) == 0 {
		return nil, errors.New("condition: want 1 of or all of, and a pattern or them")
	}
	glob := p.words[0]
	p.words = p.words[1:]
	like := func(name string) (bool, error) { return path.Match(glob, name) }
	if glob == "them" {
		like = func(name string) (bool, error) { return !strings.HasPrefix(name, "_"), nil }
	}
	for _, name := range slices.Sorted(maps.Keys(p.selections)) {
		switch ok, err := like(name); {
		case err != nil:
			return nil, fmt.Errorf("condition: pattern %q: %w", glob, err)
		case ok:
			p.used[name] = true
			out = append(out, p.selections[name])
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("condition: no selection is like %q", glob)
	}
	return out, nil
}
