package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// maxValues bounds the values of one field of one selection.
const maxValues = 4096

// misplaced is an error that knows the line it is about.
type misplaced struct {
	error
	line int
}

func wrong(n *strictyaml.Node, err error) *misplaced { return &misplaced{err, n.Line} }

func (m *misplaced) at(f *rule.File, n *strictyaml.Node) error {
	return fmt.Errorf("%s:%d: %w", f.Path, max(m.line, n.Line), m.error)
}

// selection compiles a mapping of fields to values, all of which must hold, or a
// list of such mappings, one of which must.
func (r *Rule) selection(n *strictyaml.Node) (expr, *misplaced) {
	switch n.Kind {
	case strictyaml.Mapping:
		return r.mapping(n)
	case strictyaml.Sequence:
		var any or
		for _, item := range n.Content {
			if item.Kind != strictyaml.Mapping {
				return nil, wrong(item, errors.New("want a field and its value: words without a field are not searched for"))
			}
			e, err := r.mapping(item)
			if err != nil {
				return nil, err
			}
			any = append(any, e)
		}
		if len(any) > 0 {
			return any, nil
		}
	}
	return nil, wrong(n, errors.New("want fields and their values"))
}

func (r *Rule) mapping(n *strictyaml.Node) (expr, *misplaced) {
	var all and
	for i := 0; i < len(n.Content); i += 2 {
		t, err := r.test(n.Content[i].Value, n.Content[i+1])
		if err != nil {
			return nil, wrong(n.Content[i], err)
		}
		all = append(all, t)
	}
	if len(all) == 0 {
		return nil, wrong(n, errors.New("want fields and their values"))
	}
	return alone(all.cheapestFirst()), nil
}

// test compiles one line: field|modifiers: value, or a list of values.
func (r *Rule) test(key string, n *strictyaml.Node) (*test, error) {
	words := strings.Split(key, "|")
	field, err := r.ask(words[0])
	if err != nil {
		return nil, err
	}
	t := &test{field: field, plain: true, missing: r.log.known(field) != nil}
	m, err := parseModifiers(words[1:])
	if err != nil {
		return nil, err
	}
	values := []*strictyaml.Node{n}
	if n.Kind == strictyaml.Sequence {
		values = n.Content
	}
	switch {
	case len(values) == 0 || len(values) > maxValues:
		return nil, fmt.Errorf("want 1 to %d values", maxValues)
	case m.all && len(values) < 2:
		return nil, errors.New("all wants a list of values")
	}
	var matches []match
	for _, v := range values {
		one, err := t.value(m, v, r.log.known)
		if err != nil {
			return nil, err
		}
		matches = append(matches, one)
	}
	t.match = anyOf(matches)
	if m.all {
		t.match = allOf(matches)
	}
	t.cost = costOf(m, len(matches))
	if t.plain && !m.all && !m.cased && !slices.Contains(t.values, "") {
		t.match, t.cost = oneOf(t.values, t.match), 1
	}
	r.compares(t)
	return t, nil
}

func (t *test) value(m modifiers, v *strictyaml.Node, known func(string) error) (match, error) {
	if v.Kind != strictyaml.Scalar {
		return nil, errors.New("want a value or a list of values")
	}
	if v.Tag == "!!null" {
		if m.compare != "" {
			return nil, fmt.Errorf("%s wants a value", m.compare)
		}
		t.values = append(t.values, "")
		return func(values []string, _ event.Fields) bool { return len(values) == 0 }, nil
	}
	t.plain = t.plain && m.plain(v.Value)
	t.values = append(t.values, strings.ToLower(v.Value))
	return m.compile(v.Value, known)
}
