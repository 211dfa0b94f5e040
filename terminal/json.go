package terminal

import (
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON writes JSON on to a writer with what nobody sees escaped, as Plain writes it out: to who parses it, it is the same, and
// who looks at it at a terminal has their cursor where it was.
func JSON(w io.Writer) io.Writer { return &escaping{w: w} }

type escaping struct {
	w    io.Writer
	rest []byte // of a letter that is not whole yet
}

func (e *escaping) Write(p []byte) (int, error) {
	text := append(e.rest, p...)
	out := make([]byte, 0, len(text))
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		switch {
		case r < 0x7f || !hidden(r): // below are the blanks between values: in a text the writer of JSON escapes them
			out = append(out, text[:n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[n:]
	}
	e.rest = append([]byte(nil), text...)
	if _, err := e.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
