package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

var errEnd = errors.New("ends too early")

// member is a key of an object, as written between its quotes, and its value.
type member struct{ key, value []byte }

// eachMember checks an object and tells its members. As in encoding/json, names may
// come twice and strings may hold what is no UTF-8.
func eachMember(b []byte, each func(member) error) error {
	s := scan(b)
	return s.whole('{', func() error {
		key, err := s.value()
		if err != nil {
			return err
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		return each(member{key[1 : len(key)-1], value})
	})
}

// eachElement checks an array and tells its elements.
func eachElement(b []byte, each func([]byte) error) error {
	s := scan(b)
	return s.whole('[', func() error {
		value, err := s.value()
		if err != nil {
			return err
		}
		return each(value)
	})
}

// scanner checks JSON text and builds nothing of it. Errors tell a place, never
// content.
type scanner struct {
	b []byte
	d *jsontext.Decoder
}

func scan(b []byte) scanner {
	return scanner{b, jsontext.NewDecoder(bytes.NewBuffer(b), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// whole wants one object or array and nothing behind it.
func (s scanner) whole(open jsontext.Kind, each func() error) error {
	switch token, err := s.d.ReadToken(); {
	case err != nil:
		return failed(err)
	case token.Kind() != open:
		return fmt.Errorf("want %v", open)
	}
	for end := open + 2; s.d.PeekKind() != end; { // } and ] stand two behind { and [
		if err := each(); err != nil {
			return err
		}
	}
	if _, err := s.d.ReadToken(); err != nil {
		return failed(err)
	}
	if end := s.d.InputOffset(); len(bytes.TrimLeft(s.b[end:], " \t\r\n")) > 0 {
		return fmt.Errorf("byte %d: want the end", end)
	}
	return nil
}

func (s scanner) value() ([]byte, error) {
	v, err := s.d.ReadValue()
	if err != nil {
		return nil, failed(err)
	}
	end := int(s.d.InputOffset())
	return s.b[end-len(v) : end], nil
}

// failed says what is wrong without a letter of the text.
func failed(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return errEnd
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: not JSON", syntax.ByteOffset)
	}
	return err
}

// form is how valid JSON is written: how deep brackets nest, and whether there is
// white space between tokens.
func form(b []byte) (deepest int, spaced bool) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = closing(b, i)
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n':
			spaced = true
		}
	}
	return deepest, spaced
}

// closing is where the string that begins at i ends.
func closing(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}
