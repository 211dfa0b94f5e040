package netpol

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// calicoSelector is a selector in Calico's language, such as
// "role == 'db' && has(team) || !(tier in {'a', 'b'})".
type calicoSelector struct {
	text string
	is   func(labels.Labels) bool
}

func (s calicoSelector) Matches(l labels.Labels) bool { return s.is(l) }
func (s calicoSelector) String() string               { return s.text }

// Bounds on selectors that strangers write.
const (
	maxSelector = 16 << 10
	maxNesting  = 100
)

// parseCalico reads a selector; an empty one selects everything.
func parseCalico(text string) (calicoSelector, error) {
	if len(text) > maxSelector {
		return calicoSelector{}, fmt.Errorf("selector of %d bytes: want at most %d", len(text), maxSelector)
	}
	p := &calicoParser{rest: strings.TrimSpace(text)}
	if p.rest == "" {
		return calicoSelector{text, func(labels.Labels) bool { return true }}, nil
	}
	is, err := p.either(0)
	if err == nil && p.rest != "" {
		err = errors.New("want the end, && or ||")
	}
	if err != nil {
		return calicoSelector{}, fmt.Errorf("selector %.80q at %.40q: %w", text, p.rest, err)
	}
	return calicoSelector{text, is}, nil
}

type calicoParser struct{ rest string }

type condition = func(labels.Labels) bool

// take reads a token if it comes next, and the space after it.
func (p *calicoParser) take(token string) bool {
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = strings.TrimSpace(rest)
	}
	return ok
}

// either is conditions joined by ||, both those joined by &&.
func (p *calicoParser) either(depth int) (condition, error) {
	return p.joined(depth, "||", true, p.both)
}
func (p *calicoParser) both(depth int) (condition, error) { return p.joined(depth, "&&", false, p.one) }

// joined reads conditions until one is not followed by the operator; one that is
// enough decides.
func (p *calicoParser) joined(depth int, operator string, enough bool, next func(int) (condition, error)) (condition, error) {
	var all []condition
	for {
		is, err := next(depth)
		if err != nil {
			return nil, err
		}
		if all = append(all, is); !p.take(operator) {
			break
		}
	}
	return func(l labels.Labels) bool {
		return slices.ContainsFunc(all, func(is condition) bool { return is(l) == enough }) == enough
	}, nil
}

func (p *calicoParser) one(depth int) (condition, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("want at most %d levels", maxNesting)
	}
	switch {
	case p.take("!"):
		is, err := p.one(depth + 1)
		return func(l labels.Labels) bool { return !is(l) }, err
	case p.take("("):
		is, err := p.either(depth + 1)
		if err == nil && !p.take(")") {
			err = errors.New("want )")
		}
		return is, err
	case p.take("all()"):
		return func(labels.Labels) bool { return true }, nil
	case p.take("global()"): // what is in no namespace: no pod
		return func(labels.Labels) bool { return false }, nil
	case p.take("has("):
		label, err := p.label()
		if err == nil && !p.take(")") {
			err = errors.New("want )")
		}
		return func(l labels.Labels) bool { return l.Has(label) }, err
	}
	label, err := p.label()
	if err != nil {
		return nil, err
	}
	return p.compared(label)
}

var calicoLabel = regexp.MustCompile(`^[a-zA-Z0-9_./-]+`)

func (p *calicoParser) label() (string, error) {
	label := calicoLabel.FindString(p.rest)
	if label == "" || len(label) > 512 {
		return "", errors.New("want a label, has(), all(), global(), ! or (")
	}
	p.take(label)
	return label, nil
}

var calicoOperator = regexp.MustCompile(`^(==|!=|not\s+in\b|in\b|contains\b|starts\s+with\b|ends\s+with\b)`)

// compared is a label and what is asked of its value.
func (p *calicoParser) compared(label string) (condition, error) {
	operator := calicoOperator.FindString(p.rest)
	p.take(operator)
	name := strings.Join(strings.Fields(operator), " ")
	var values []string
	var err error
	switch name {
	case "":
		return nil, errors.New("want ==, !=, in, not in, contains, starts with or ends with")
	case "in", "not in":
		values, err = p.set()
	default:
		var v string
		v, err = p.quoted()
		values = []string{v}
	}
	if err != nil {
		return nil, err
	}
	if name == "!=" || name == "not in" {
		return func(l labels.Labels) bool { v, has := l.Lookup(label); return !has || !slices.Contains(values, v) }, nil
	}
	holds := map[string]func(v, of string) bool{"==": same, "in": same, "contains": strings.Contains, "starts with": strings.HasPrefix,
		"ends with": strings.HasSuffix}[name]
	return func(l labels.Labels) bool {
		v, has := l.Lookup(label)
		return has && slices.ContainsFunc(values, func(of string) bool { return holds(v, of) })
	}, nil
}

func same(a, b string) bool { return a == b }

func (p *calicoParser) quoted() (string, error) {
	if p.rest == "" || p.rest[0] != '\'' && p.rest[0] != '"' {
		return "", errors.New("want a value in quotes")
	}
	value, rest, closed := strings.Cut(p.rest[1:], p.rest[:1])
	if !closed {
		return "", errors.New("want the closing quote")
	}
	p.rest = strings.TrimSpace(rest)
	return value, nil
}

// set is values in braces.
func (p *calicoParser) set() (values []string, err error) {
	if !p.take("{") {
		return nil, errors.New("want {")
	}
	for !p.take("}") {
		if len(values) > 0 && !p.take(",") {
			return nil, errors.New("want , or }")
		}
		v, err := p.quoted()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}
