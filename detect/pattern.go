package detect

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pattern is a text with wildcards, taken apart at its stars: a value begins with
// the first part, ends with the last and has the others between them, in order.
type pattern struct {
	parts []part
	fold  bool
}

// part is text between stars; any marks the characters that ? stands for.
type part struct {
	text []rune
	any  []bool
}

func (p *pattern) parse(s string) {
	var now part
	runes := []rune(s)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case r == '\\' && i+1 < len(runes) && strings.ContainsRune(`*?\`, runes[i+1]):
			i++
			now.add(runes[i], false)
		case r == '*':
			p.parts = append(p.parts, now)
			now = part{}
		default:
			now.add(r, r == '?')
		}
	}
	p.parts = append(p.parts, now)
}

// open lets anything come before the pattern, openEnd after it.
func (p *pattern) open()    { p.parts = slices.Insert(p.parts, 0, part{}) }
func (p *pattern) openEnd() { p.parts = append(p.parts, part{}) }

func (t *part) add(r rune, any bool) {
	t.text = append(t.text, r)
	t.any = append(t.any, any)
}

// matches looks for each part at its first place after the one before. It does not
// allocate.
func (p *pattern) matches(s string) bool {
	n, ok := p.at(s, &p.parts[0])
	if !ok {
		return false
	}
	rest, last := s[n:], len(p.parts)-1
	if last == 0 {
		return rest == ""
	}
	for i := range p.parts[1:last] {
		n, ok := p.find(rest, &p.parts[1+i])
		if !ok {
			return false
		}
		rest = rest[n:]
	}
	return p.ends(rest, &p.parts[last])
}

// at says whether a text begins with a part, and how long that is.
func (p *pattern) at(s string, t *part) (length int, ok bool) {
	for i, want := range t.text {
		if length < len(s) && s[length] < utf8.RuneSelf && want < utf8.RuneSelf { // most texts have no others
			if !t.any[i] && !p.same(s[length], byte(want)) {
				return length, false
			}
			length++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[length:])
		if n == 0 || !t.any[i] && r != want && !(p.fold && equalFold(r, want)) {
			return length, false
		}
		length += n
	}
	return length, true
}

// same says whether one character of ASCII is another, in its case or any.
func (p *pattern) same(a, b byte) bool {
	small := a | 0x20
	return a == b || p.fold && small == b|0x20 && 'a' <= small && small <= 'z'
}

// find gives where a part first ends.
func (p *pattern) find(s string, t *part) (end int, ok bool) {
	if len(t.text) > 0 && t.text[0] < utf8.RuneSelf && !t.any[0] && (!p.fold || hasOwnCase(byte(t.text[0]), s)) {
		return p.findByte(s, t)
	}
	for i := range s {
		if n, ok := p.at(s[i:], t); ok {
			return i + n, true
		}
	}
	return len(s), len(t.text) == 0
}

// hasOwnCase says that a character of ASCII is in a text in no case but its own two: k is also the sign for kelvin, and s
// has a long one, which begin with these bytes.
func hasOwnCase(c byte, s string) bool {
	switch c | 0x20 {
	case 'k':
		return strings.IndexByte(s, 0xe2) < 0
	case 's':
		return strings.IndexByte(s, 0xc5) < 0
	}
	return true
}

// findByte gives where a part that begins with a character of ASCII first ends.
func (p *pattern) findByte(s string, t *part) (end int, ok bool) {
	c := byte(t.text[0])
	cases := [2]byte{c, c}
	if small := c | 0x20; p.fold && 'a' <= small && small <= 'z' {
		cases = [2]byte{small, small &^ 0x20}
	}
	var next [2]int // where each case comes next
	for at := 0; ; at++ {
		for i, c := range cases {
			if next[i] < at || at == 0 {
				if next[i] = len(s); i == 0 || c != cases[0] {
					if n := strings.IndexByte(s[at:], c); n >= 0 {
						next[i] = at + n
					}
				}
			}
		}
		if at = min(next[0], next[1]); at >= len(s) {
			return len(s), false
		}
		if n, ok := p.at(s[at:], t); ok {
			return at + n, true
		}
	}
}

// ends says whether a text ends with a part: as many characters back as it has.
func (p *pattern) ends(s string, t *part) bool {
	i := len(s)
	for range t.text {
		_, n := utf8.DecodeLastRuneInString(s[:i])
		i -= n
	}
	_, ok := p.at(s[i:], t)
	return ok
}

// equalFold says whether one character is another in another case.
func equalFold(a, b rune) bool {
	r := unicode.SimpleFold(a)
	for r != a && r != b {
		r = unicode.SimpleFold(r)
	}
	return r == b
}
