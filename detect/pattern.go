package detect

import (
	"strings"
	"unicode/utf8"
)

// pattern is a text with wildcards, taken apart at its stars: the parts must
// come in order.
type pattern struct {
	parts []part
	// open and openEnd say that anything may come before the first and after the
	// last part.
	open, openEnd bool
	fold          bool
}

// part is text between stars; any marks the characters that ? stands for.
type part struct {
	text []rune
	any  []bool
}

func (p *pattern) parse(s string) {
	var now part
	flush := func() {
		if len(now.text) > 0 {
			p.parts = append(p.parts, now)
			now = part{}
		}
	}
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && i+1 < len(runes) && strings.ContainsRune(`*?\`, runes[i+1]):
			i++
			now.add(runes[i], false)
		case r == '*':
			flush()
			p.open = p.open || len(p.parts) == 0
			p.openEnd = true
			continue
		case r == '?':
			now.add(r, true)
		default:
			now.add(r, false)
		}
		p.openEnd = false
	}
	flush()
}

func (t *part) add(r rune, any bool) {
	t.text = append(t.text, r)
	t.any = append(t.any, any)
}

// matches looks for each part at its first place after the one before, and for
// the last at the end if nothing may follow. It does not allocate.
func (p *pattern) matches(s string) bool {
	if len(p.parts) == 0 {
		return s == "" || p.open || p.openEnd
	}
	rest := s
	for i := range p.parts {
		part, last := &p.parts[i], i == len(p.parts)-1
		switch {
		case i == 0 && !p.open:
			n, ok := p.at(rest, part)
			if !ok {
				return false
			}
			rest = rest[n:]
			if last {
				return p.openEnd || rest == ""
			}
		case last && !p.openEnd:
			return p.ends(rest, part)
		default:
			n, ok := p.find(rest, part)
			if !ok {
				return false
			}
			rest = rest[n:]
		}
	}
	return true
}

// at says whether a text begins with a part, and how long that is.
func (p *pattern) at(s string, t *part) (length int, ok bool) {
	for i, want := range t.text {
		r, n := utf8.DecodeRuneInString(s[length:])
		if n == 0 || !t.any[i] && r != want && !(p.fold && equalFold(r, want)) {
			return 0, false
		}
		length += n
	}
	return length, true
}

// find gives where a part first ends.
func (p *pattern) find(s string, t *part) (end int, ok bool) {
	for i := 0; i <= len(s); {
		if n, ok := p.at(s[i:], t); ok {
			return i + n, true
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if n == 0 {
			break
		}
		i += n
	}
	return 0, false
}

func (p *pattern) ends(s string, t *part) bool {
	i := len(s)
	for range t.text {
		_, n := utf8.DecodeLastRuneInString(s[:i])
		if n == 0 {
			return false
		}
		i -= n
	}
	n, ok := p.at(s[i:], t)
	return ok && i+n == len(s)
}

func equalFold(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return lower(a) == lower(b)
	}
	return strings.EqualFold(string(a), string(b))
}

func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}
