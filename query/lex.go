package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // a name or a keyword
	tokQuoted           // `a name in backticks`
	tokString
	tokNumber
	tokParam
	tokPunct
)

type token struct {
	kind tokenKind
	text string // names, strings and parameters without their quotes
	pos  Pos
}

func (t token) String() string {
	switch t.kind {
	case tokEnd:
		return "the end of the query"
	case tokString:
		return quote(t.text)
	case tokParam:
		return "$" + t.text
	}
	return t.text
}

// keywords cannot name a variable unless in backticks.
var keywords = map[string]bool{"MATCH": true, "OPTIONAL": true, "WHERE": true, "RETURN": true, "DISTINCT": true,
	"ORDER": true, "BY": true, "SKIP": true, "LIMIT": true, "MERGE": true, "AND": true, "OR": true, "NOT": true,
	"IN": true, "IS": true, "NULL": true, "CONTAINS": true, "STARTS": true, "ENDS": true, "WITH": true, "AS": true,
	"EXISTS": true, "COUNT": true, "TRUE": true, "FALSE": true, "DESC": true, "ASC": true, "TOLOWER": true}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// plain says that a name needs no backticks.
func plain(s string) bool {
	if s == "" || !isLetter(s[0]) || keywords[strings.ToUpper(s)] {
		return false
	}
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// name is a name as a text writes it.
func name(s string) string {
	if plain(s) {
		return s
	}
	return "`" + strings.ReplaceAll(s, "`", "``") + "`"
}

var pairs = []string{"<=", ">=", "<>", ".."}

type lexer struct {
	text string
	at   int
	pos  Pos
}

func problemAt(p Pos, suggestion, format string, args ...any) *Problem {
	return &Problem{Line: p.Line, Col: p.Col, Message: fmt.Sprintf(format, args...), Suggestion: suggestion}
}

func lex(text string) ([]token, *Problem) {
	if len(text) > MaxText {
		return nil, &Problem{Message: fmt.Sprintf("a query text may have at most %d bytes", MaxText)}
	}
	if !utf8.ValidString(text) {
		return nil, &Problem{Message: "a query text must be UTF-8"}
	}
	l := &lexer{text: text, pos: Pos{1, 1}}
	var out []token
	for {
		t, p := l.next()
		if p != nil {
			return nil, p
		}
		out = append(out, t)
		if t.kind == tokEnd {
			return out, nil
		}
	}
}

// advance moves n bytes on and keeps line and column.
func (l *lexer) advance(n int) {
	for _, r := range l.text[l.at : l.at+n] {
		if r == '\n' {
			l.pos = Pos{l.pos.Line + 1, 1}
		} else {
			l.pos.Col++
		}
	}
	l.at += n
}

func (l *lexer) skipSpace() {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.ContainsRune(" \t\r\n", rune(rest[0])):
			l.advance(1)
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.advance(end)
		default:
			return
		}
	}
}

func (l *lexer) next() (token, *Problem) {
	l.skipSpace()
	pos, rest := l.pos, l.text[l.at:]
	if rest == "" {
		return token{kind: tokEnd, pos: pos}, nil
	}
	take := func(kind tokenKind, n int) (token, *Problem) {
		l.advance(n)
		return token{kind, rest[:n], pos}, nil
	}
	switch c := rest[0]; {
	case isLetter(c):
		return take(tokWord, wordLength(rest))
	case isDigit(c):
		return take(tokNumber, numberLength(rest))
	case c == '\'' || c == '"':
		return l.quoted()
	case c == '`':
		s, n := backticked(rest)
		if n == 0 {
			return token{}, problemAt(pos, "", "this ` is never closed")
		}
		l.advance(n)
		return token{tokQuoted, s, pos}, nil
	case c == '$':
		return l.param()
	case slices.ContainsFunc(pairs, func(p string) bool { return strings.HasPrefix(rest, p) }):
		return take(tokPunct, 2)
	case strings.IndexByte("()[]{}:|,.*-<>=", c) >= 0:
		return take(tokPunct, 1)
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return token{}, problemAt(pos, "", "%q means nothing here", r)
}

func wordLength(s string) int {
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n])) {
		n++
	}
	return n
}

// numberLength stops before "..", so that 1..3 is three tokens.
func numberLength(s string) int {
	digits := func(n int) int {
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		return n
	}
	n := digits(0)
	if n+1 < len(s) && s[n] == '.' && isDigit(s[n+1]) {
		n = digits(n + 1)
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		e := n + 1
		if e < len(s) && (s[e] == '-' || s[e] == '+') {
			e++
		}
		if end := digits(e); end > e {
			n = end
		}
	}
	return n
}

func backticked(s string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		return b.String(), i + 1
	}
	return "", 0
}

func (l *lexer) param() (token, *Problem) {
	pos, rest := l.pos, l.text[l.at+1:]
	n := 0
	s := ""
	if rest != "" && rest[0] == '`' {
		s, n = backticked(rest)
	} else if rest != "" && isLetter(rest[0]) {
		n = wordLength(rest)
		s = rest[:n]
	}
	if n == 0 {
		return token{}, problemAt(pos, "", "a parameter is $ and a name")
	}
	l.advance(n + 1)
	return token{tokParam, s, pos}, nil
}

var escapes = map[byte]string{'\\': "\\", '\'': "'", '"': "\"", 'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f"}

func (l *lexer) quoted() (token, *Problem) {
	pos, s := l.pos, l.text[l.at:]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			l.advance(i + 1)
			return token{tokString, b.String(), pos}, nil
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 >= len(s):
		case s[i+1] == 'u':
			r, ok := hexRune(s[i+2:])
			if !ok {
				return token{}, problemAt(pos, "", `\u in a string wants four hexadecimal digits of a character`)
			}
			b.WriteRune(r)
			i += 5
		default:
			e, ok := escapes[s[i+1]]
			if !ok {
				return token{}, problemAt(pos, `write \\ for a backslash`, `a string knows no \%c`, s[i+1])
			}
			b.WriteString(e)
			i++
		}
	}
	return token{}, problemAt(pos, "", "this string is never closed")
}

func hexRune(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[:4]) {
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, utf8.ValidRune(r)
}
