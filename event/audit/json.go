package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
)

// errShort says that the text ended within a value.
var errShort = errors.New("ends in the middle")

// cursor reads JSON once, left to right, and hands out slices of the text. As the
// API server does, it tells names apart by case, takes the last of two that are the
// same, and takes what is no UTF-8. It builds nothing: a body full of brackets costs
// no memory.
type cursor struct {
	s    string
	d    jsontext.Decoder
	from bytes.Buffer
}

// cursors are those that nobody reads with: a decoder's room is most of what a small
// event costs.
var cursors = sync.Pool{New: func() any { return &cursor{} }}

// newCursor begins to read a text. Give it back when all is read.
func newCursor(s string) *cursor {
	c := cursors.Get().(*cursor)
	c.s, c.from = s, *bytes.NewBuffer(bytesOf(s))
	c.d.Reset(&c.from, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return c
}

// done gives a cursor back, which holds nothing of what it read.
func (c *cursor) done() {
	c.s, c.from = "", bytes.Buffer{}
	c.d.Reset(&c.from)
	cursors.Put(c)
}

// bytesOf is a text for those who only read it: a copy would be most of the work.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// textOf is the other way: of bytes that nobody changes any more.
func textOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// failed says in our words, and without the names of members, what is wrong.
func failed(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return errShort
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %w", syntax.ByteOffset, syntax.Err)
	}
	return err
}

// next is the kind of the next value, by its first byte; 0 if there is none.
func (c *cursor) next() jsontext.Kind { return c.d.PeekKind() }

// end says what is wrong if another value follows.
func (c *cursor) end() error {
	at := c.d.InputOffset()
	if _, err := c.d.ReadToken(); errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("byte %d: more than one value", at)
}

// value reads one value and gives its text.
func (c *cursor) value() (string, error) {
	v, err := c.d.ReadValue()
	if err != nil {
		return "", failed(err)
	}
	end := int(c.d.InputOffset())
	return c.s[end-len(v) : end], nil
}

// skip reads one value.
func (c *cursor) skip() error {
	_, err := c.value()
	return err
}

// object calls f with each key; f reads the value.
func (c *cursor) object(f func(key string) error) error {
	return c.nested('{', '}', func() error {
		key, err := c.text()
		if err != nil {
			return err
		}
		return f(key)
	})
}

// array calls f at each element; f reads it.
func (c *cursor) array(f func() error) error { return c.nested('[', ']', f) }

func (c *cursor) nested(open, end jsontext.Kind, f func() error) error {
	switch t, err := c.d.ReadToken(); {
	case err != nil:
		return failed(err)
	case t.Kind() != open:
		return fmt.Errorf("byte %d: want %v", c.d.InputOffset(), open)
	}
	for c.next() != end {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := c.d.ReadToken()
	return err
}

// text reads a string.
func (c *cursor) text() (string, error) {
	_, plain, err := c.quoted()
	return plain, err
}

// quoted reads a string, as it is written and as it is meant.
func (c *cursor) quoted() (quoted, plain string, err error) {
	if quoted, err = c.value(); err != nil {
		return "", "", err
	}
	plain = quoted[1 : len(quoted)-1]
	if strings.IndexByte(plain, '\\') >= 0 {
		b, _ := jsontext.AppendUnquote(make([]byte, 0, len(plain)), quoted) // what is no UTF-8 is replaced
		plain = textOf(b)
	}
	return quoted, plain, nil
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

// list reads an array; what is none is skipped.
func (c *cursor) list(f func() error) error {
	if c.next() != '[' {
		return c.skip()
	}
	return c.array(f)
}

// texts reads a list of strings.
func (c *cursor) texts(into *[]string) error {
	return c.list(func() error {
		var s string
		if err := c.loose(&s); err != nil {
			return err
		}
		*into = append(*into, s)
		return nil
	})
}
