package audit

import (
	"encoding/json"
	"errors"
	"fmt"
)

// maxDepth bounds nesting; Kubernetes' own objects stay below 20 but for
// schemas of custom resources.
const maxDepth = 128

// errShort says that the text ended within a value.
var errShort = errors.New("ends in the middle")

// cursor reads JSON once, left to right, and hands out slices of the text. It
// accepts no more than encoding/json does, at several times the speed, and holds
// nothing: a body full of brackets costs no memory.
type cursor struct {
	s     string
	i     int
	depth int
}

func (c *cursor) wrong(want string) error {
	if c.i >= len(c.s) {
		return errShort
	}
	return fmt.Errorf("byte %d: want %s", c.i, want)
}

func (c *cursor) space() {
	for c.i < len(c.s) {
		switch c.s[c.i] {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return
		}
	}
}

// next skips space and gives the byte that begins a value, or 0.
func (c *cursor) next() byte {
	c.space()
	if c.i < len(c.s) {
		return c.s[c.i]
	}
	return 0
}

func (c *cursor) expect(b byte, what string) error {
	if c.next() != b {
		return c.wrong(what)
	}
	c.i++
	return nil
}

// object calls f with each key; f reads the value.
func (c *cursor) object(f func(key string) error) error {
	return c.nested('{', '}', "an object", func() error {
		key, err := c.text()
		if err != nil {
			return err
		}
		if err := c.expect(':', "a colon"); err != nil {
			return err
		}
		return f(key)
	})
}

// array calls f at each element; f reads it.
func (c *cursor) array(f func() error) error { return c.nested('[', ']', "a list", f) }

func (c *cursor) nested(open, end byte, what string, f func() error) error {
	if err := c.expect(open, what); err != nil {
		return err
	}
	if c.depth++; c.depth > maxDepth {
		return c.deep()
	}
	defer func() { c.depth-- }()
	if c.next() == end {
		c.i++
		return nil
	}
	for {
		c.space()
		if err := f(); err != nil {
			return err
		}
		switch c.next() {
		case ',':
			c.i++
		case end:
			c.i++
			return nil
		default:
			return c.wrong("a comma or the end of " + what)
		}
	}
}

// value skips one value and gives its text.
func (c *cursor) value() (string, error) {
	first := c.next()
	start := c.i
	var err error
	switch {
	case first == '"':
		_, err = c.quoted()
	case first == '{' || first == '[':
		err = c.nest()
	case first == '-' || '0' <= first && first <= '9':
		err = c.number()
	default:
		err = c.word()
	}
	return c.s[start:c.i], err
}

// nest skips an object or a list with all that is in it.
func (c *cursor) nest() error {
	var isObject [maxDepth]bool
	outer := c.depth
	for {
		open := c.next()
		switch open {
		case '{', '[':
			if c.i++; c.depth == maxDepth {
				return c.deep()
			}
			isObject[c.depth] = open == '{'
			c.depth++
			if end := c.next(); end == open+2 { // } and ] stand two behind { and [
				break
			}
			if open == '{' {
				if err := c.key(); err != nil {
					return err
				}
			}
			continue
		default:
			if err := c.skip(); err != nil {
				return err
			}
		}
		for { // a value has ended, or an empty one is about to
			top := isObject[c.depth-1]
			b := c.next()
			if b == ',' {
				c.i++
				if top {
					if err := c.key(); err != nil {
						return err
					}
				}
				break
			}
			if top && b != '}' || !top && b != ']' {
				return c.wrong("a comma or the end of a list or object")
			}
			c.i++
			if c.depth--; c.depth == outer {
				return nil
			}
		}
	}
}

// key skips the name of a member.
func (c *cursor) key() error {
	c.space()
	if _, err := c.quoted(); err != nil {
		return err
	}
	return c.expect(':', "a colon")
}

func (c *cursor) deep() error {
	return fmt.Errorf("byte %d: nested deeper than %d", c.i, maxDepth)
}

func (c *cursor) skip() error {
	_, err := c.value()
	return err
}

func (c *cursor) word() error {
	for _, w := range [...]string{"true", "false", "null"} {
		if len(c.s)-c.i >= len(w) && c.s[c.i:c.i+len(w)] == w {
			c.i += len(w)
			return nil
		}
	}
	return c.wrong("a value")
}

func (c *cursor) digits() error {
	start := c.i
	for c.i < len(c.s) && '0' <= c.s[c.i] && c.s[c.i] <= '9' {
		c.i++
	}
	if c.i == start {
		return c.wrong("a digit")
	}
	return nil
}

func (c *cursor) is(any string) bool {
	for j := range len(any) {
		if c.i < len(c.s) && c.s[c.i] == any[j] {
			c.i++
			return true
		}
	}
	return false
}

func (c *cursor) number() error {
	c.is("-")
	if !c.is("0") {
		if err := c.digits(); err != nil {
			return err
		}
	}
	if c.is(".") {
		if err := c.digits(); err != nil {
			return err
		}
	}
	if c.is("eE") {
		c.is("+-")
		return c.digits()
	}
	return nil
}

// quoted skips a string and says whether it holds escapes.
func (c *cursor) quoted() (escaped bool, err error) {
	if err := c.expect('"', "a string"); err != nil {
		return false, err
	}
	for i := c.i; i < len(c.s); i++ {
		switch b := c.s[i]; {
		case b == '"':
			c.i = i + 1
			return escaped, nil
		case b == '\\':
			escaped = true
			c.i = i
			if err := c.escape(); err != nil {
				return false, err
			}
			i = c.i - 1
		case b < ' ':
			c.i = i
			return false, c.wrong("no control character")
		}
	}
	c.i = len(c.s)
	return false, errShort
}

func (c *cursor) escape() error {
	c.i++
	if c.is(`"\/bfnrt`) {
		return nil
	}
	if !c.is("u") {
		return c.wrong("an escape")
	}
	for range 4 {
		if !c.is("0123456789abcdefABCDEF") {
			return c.wrong("a hexadecimal digit")
		}
	}
	return nil
}

// text reads a string.
func (c *cursor) text() (string, error) {
	c.space()
	start := c.i
	escaped, err := c.quoted()
	if err != nil {
		return "", err
	}
	if !escaped {
		return c.s[start+1 : c.i-1], nil
	}
	var out string
	err = json.Unmarshal([]byte(c.s[start:c.i]), &out)
	return out, err
}

// loose reads a string, and leaves what is none.
func (c *cursor) loose(into *string) (err error) {
	if c.next() != '"' {
		return c.skip()
	}
	*into, err = c.text()
	return err
}

// fields reads an object; what is none is skipped, for senders leave null where
// they mean nothing.
func (c *cursor) fields(f func(key string) error) error {
	if c.next() != '{' {
		return c.skip()
	}
	return c.object(f)
}

// texts reads a list of strings.
func (c *cursor) texts(into *[]string) error {
	if c.next() != '[' {
		return c.skip()
	}
	return c.array(func() error {
		var s string
		if err := c.loose(&s); err != nil {
			return err
		}
		*into = append(*into, s)
		return nil
	})
}
