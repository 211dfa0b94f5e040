package ingest

import (
	"errors"
	"fmt"
)

// hardDepth is the API server's own bound on nesting: what is deeper did not
// come from one.
const hardDepth = 10000

var errEnd = errors.New("ends too early")

// scan checks JSON text in one pass and builds nothing of it. Strings may hold
// invalid UTF-8, as encoding/json allows. Errors tell a place, never content.
type scan struct {
	b       []byte
	deepest int
	spaced  bool // there is white space between tokens
}

// member is a key of an object, as written between its quotes, and its value.
type member struct {
	key, value []byte
	depth      int // of the value's deepest part, the value itself being 1
}

// eachMember checks an object and tells its members; spaced says whether there
// is white space between tokens.
func eachMember(b []byte, each func(member) error) (spaced bool, err error) {
	s := &scan{b: b}
	i, err := s.object(s.space(0), 0, each)
	return s.spaced, s.done(i, err)
}

// eachElement checks an array and tells its elements.
func eachElement(b []byte, each func([]byte) error) error {
	s := &scan{b: b}
	i, err := s.array(s.space(0), 0, each)
	return s.done(i, err)
}

// done wants nothing but white space behind a value.
func (s *scan) done(i int, err error) error {
	if err == nil {
		if i = s.space(i); i != len(s.b) {
			err = s.wrong(i, "the end")
		}
	}
	return err
}

// value checks the value at i and returns where it ends.
func (s *scan) value(i, depth int) (int, error) {
	s.deepest = max(s.deepest, depth)
	if depth > hardDepth {
		return i, fmt.Errorf("byte %d: nested deeper than %d levels", i, hardDepth)
	}
	if i >= len(s.b) {
		return i, errEnd
	}
	switch s.b[i] {
	case '{':
		return s.object(i, depth, nil)
	case '[':
		return s.array(i, depth, nil)
	case '"':
		return s.text(i)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	}
	return s.number(i)
}

func (s *scan) object(i, depth int, each func(member) error) (int, error) {
	i, err := s.open(i, '{')
	if err != nil || s.b[i] == '}' {
		return i + 1, err
	}
	for {
		key := i
		if i, err = s.text(i); err != nil {
			return i, err
		}
		m := member{key: s.b[key+1 : i-1]}
		if i = s.space(i); !s.at(i, ':') {
			return i, s.wrong(i, "a colon")
		}
		start := s.space(i + 1)
		deepest := s.deepest
		if each != nil {
			s.deepest = 0
		}
		if i, err = s.value(start, depth+1); err != nil {
			return i, err
		}
		if each != nil {
			m.value, m.depth = s.b[start:i], s.deepest-depth
			s.deepest = max(s.deepest, deepest)
			if err := each(m); err != nil {
				return i, err
			}
		}
		if i = s.space(i); s.at(i, '}') {
			return i + 1, nil
		}
		if i, err = s.comma(i); err != nil {
			return i, err
		}
	}
}

func (s *scan) array(i, depth int, each func([]byte) error) (int, error) {
	i, err := s.open(i, '[')
	if err != nil || s.b[i] == ']' {
		return i + 1, err
	}
	for {
		start := i
		if i, err = s.value(i, depth+1); err != nil {
			return i, err
		}
		if each != nil {
			if err := each(s.b[start:i]); err != nil {
				return i, err
			}
		}
		if i = s.space(i); s.at(i, ']') {
			return i + 1, nil
		}
		if i, err = s.comma(i); err != nil {
			return i, err
		}
	}
}

// open goes past an opening bracket to the first thing behind it.
func (s *scan) open(i int, bracket byte) (int, error) {
	if !s.at(i, bracket) {
		return i, s.wrong(i, string(bracket))
	}
	if i = s.space(i + 1); i >= len(s.b) {
		return i, errEnd
	}
	return i, nil
}

func (s *scan) comma(i int) (int, error) {
	if !s.at(i, ',') {
		return i, s.wrong(i, "a comma or a closing bracket")
	}
	return s.space(i + 1), nil
}

func (s *scan) at(i int, c byte) bool { return i < len(s.b) && s.b[i] == c }

func (s *scan) space(i int) int {
	for i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\t' || s.b[i] == '\r') {
		s.spaced = true
		i++
	}
	return i
}

// text checks the string at i.
func (s *scan) text(i int) (int, error) {
	if !s.at(i, '"') {
		return i, s.wrong(i, "a string")
	}
	for i++; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			return i + 1, nil
		case c < ' ':
			return i, s.wrong(i, "no control character in a string")
		case c == '\\':
			n, err := s.escape(i + 1)
			if err != nil {
				return i, err
			}
			i += n
		}
	}
	return i, errEnd
}

// escape says how many bytes follow a backslash.
func (s *scan) escape(i int) (int, error) {
	if i >= len(s.b) {
		return 0, errEnd
	}
	switch s.b[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1, nil
	case 'u':
		for k := 1; k <= 4; k++ {
			if i+k >= len(s.b) {
				return 0, errEnd
			}
			if c := s.b[i+k] | 0x20; !digit(s.b[i+k]) && (c < 'a' || c > 'f') {
				return 0, s.wrong(i, "four hexadecimal digits")
			}
		}
		return 5, nil
	}
	return 0, s.wrong(i, "an escape sequence")
}

func (s *scan) word(i int, word string) (int, error) {
	end := i + len(word)
	if end > len(s.b) {
		return i, errEnd
	}
	if string(s.b[i:end]) != word {
		return i, s.wrong(i, word)
	}
	return end, nil
}

// number checks -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? at i.
func (s *scan) number(i int) (int, error) {
	if s.at(i, '-') {
		i++
	}
	var err error
	if s.at(i, '0') {
		i++
	} else if i, err = s.digits(i); err != nil {
		return i, err
	}
	if s.at(i, '.') {
		if i, err = s.digits(i + 1); err != nil {
			return i, err
		}
	}
	if s.at(i, 'e') || s.at(i, 'E') {
		i++
		if s.at(i, '+') || s.at(i, '-') {
			i++
		}
		return s.digits(i)
	}
	return i, nil
}

func (s *scan) digits(i int) (int, error) {
	start := i
	for i < len(s.b) && digit(s.b[i]) {
		i++
	}
	if i == start {
		return i, s.wrong(i, "a value")
	}
	return i, nil
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (s *scan) wrong(i int, want string) error {
	if i >= len(s.b) {
		return errEnd
	}
	return fmt.Errorf("byte %d: want %s", i, want)
}
