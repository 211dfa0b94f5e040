package detect

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/breakwater-sec/breakwater/event"
)

// match says whether the values of one field, in an event, are what is wanted.
// A field that is absent has no values.
type match func(values []string, all event.Fields) bool

// one lifts a test of one value: some value of the field must pass.
func one(test func(string) bool) match {
	return func(values []string, _ event.Fields) bool {
		for _, v := range values {
			if test(v) {
				return true
			}
		}
		return false
	}
}

// oneOf is a match of whole values that stand for themselves, without regard to case. What is not ASCII is left to slow,
// for letters that are no ASCII may be those of a value in another case.
func oneOf(values []string, slow match) match {
	set := make(map[string]bool, len(values))
	for _, v := range values {
		set[v] = true
	}
	first := values[0]
	return func(values []string, all event.Fields) bool {
		for _, v := range values {
			switch small := isSmall(v); {
			case len(set) == 1 && small:
				if v == first {
					return true
				}
			case small:
				if set[v] {
					return true
				}
			default:
				if slow([]string{v}, all) {
					return true
				}
			}
		}
		return false
	}
}

// isSmall says that a text is ASCII without capital letters.
func isSmall(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// costOf is about what a match of so many values costs to ask.
func costOf(m modifiers, values int) int {
	switch m.compare {
	case "exists":
		return 1
	case "re", "cidr":
		return 8 * values
	case "contains", "endswith":
		return 4 * values
	}
	return 2 * values
}

func anyOf(of []match) match {
	if len(of) == 1 {
		return of[0]
	}
	return func(values []string, all event.Fields) bool {
		for _, m := range of {
			if m(values, all) {
				return true
			}
		}
		return false
	}
}

func allOf(of []match) match {
	return func(values []string, all event.Fields) bool {
		for _, m := range of {
			if !m(values, all) {
				return false
			}
		}
		return true
	}
}

// modifiers of a field's name, such as |contains|all.
type modifiers struct {
	compare string // contains, startswith, endswith, re, cidr, exists, gt, gte, lt, lte, fieldref
	all     bool
	cased   bool
}

func parseModifiers(words []string) (m modifiers, err error) {
	for _, w := range words {
		switch w {
		case "all":
			m.all = true
		case "cased":
			m.cased = true
		case "contains", "startswith", "endswith", "re", "cidr", "exists", "gt", "gte", "lt", "lte", "fieldref":
			if m.compare != "" {
				return m, fmt.Errorf("modifiers %s and %s do not go together", m.compare, w)
			}
			m.compare = w
		default:
			return m, fmt.Errorf("unknown modifier %q: want contains, startswith, endswith, all, cased, re, cidr, exists, gt, "+
				"gte, lt, lte or fieldref", w)
		}
	}
	return m, nil
}

// compile makes the match of one value as a rule writes it.
func (m modifiers) compile(value string, known func(string) error) (match, error) {
	switch m.compare {
	case "re":
		r, err := regexp.Compile(value)
		if err != nil {
			return nil, err
		}
		return one(r.MatchString), nil
	case "cidr":
		p, err := netip.ParsePrefix(value)
		if err != nil {
			return nil, err
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 { // IPv4 written as IPv6: addresses are compared as IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		// What is no address is the zero one, which no network contains.
		return one(func(v string) bool { a, _ := netip.ParseAddr(v); return p.Contains(a.Unmap()) }), nil
	case "exists":
		want, err := strconv.ParseBool(value)
		if err != nil {
			return nil, errors.New("exists wants true or false")
		}
		return func(values []string, _ event.Fields) bool { return (len(values) > 0) == want }, nil
	case "gt", "gte", "lt", "lte":
		return compareNumber(m.compare, value)
	case "fieldref":
		if err := known(value); err != nil {
			return nil, err
		}
		return sameAs(value), nil
	}
	return m.text(value), nil
}

func compareNumber(how, value string) (match, error) {
	bound, ok := number(value)
	if !ok {
		return nil, fmt.Errorf("%s wants a number, not %q", how, value)
	}
	return one(func(v string) bool {
		n, ok := number(v)
		switch {
		case !ok:
			return false
		case how == "gt":
			return n > bound
		case how == "gte":
			return n >= bound
		case how == "lt":
			return n < bound
		}
		return n <= bound
	}), nil
}

// number reads a number; nothing is more or less than what is none.
func number(s string) (n float64, ok bool) {
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsNaN(n)
}

func sameAs(other string) match {
	return func(values []string, all event.Fields) bool {
		for _, v := range values {
			for _, w := range all[other] {
				if strings.EqualFold(v, w) {
					return true
				}
			}
		}
		return false
	}
}

// text matches as Sigma does: whole values, without regard to case, where * is
// any text and ? any character, unless a backslash takes their meaning.
func (m modifiers) text(value string) match {
	p := pattern{fold: !m.cased}
	p.parse(value)
	switch m.compare {
	case "contains":
		p.open()
		p.openEnd()
	case "startswith":
		p.openEnd()
	case "endswith":
		p.open()
	}
	return one(p.matches)
}

// plain says that a value stands for itself in one case or another: nothing in it
// has a meaning of its own. Only ASCII has one lower case for all that is equal.
func (m modifiers) plain(value string) bool {
	return m.compare == "" && !strings.ContainsAny(value, `*?\`) && ascii(value)
}
