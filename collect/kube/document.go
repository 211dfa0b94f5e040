package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// document is one of a file, as JSON, with the line it begins on; or why it is none.
type document struct {
	line int
	json json.RawMessage
	err  error
}

// documents yields what a file holds: YAML documents, or JSON values one after the
// other. Documents of comments and space alone are none.
func documents(b []byte) iter.Seq[document] {
	return func(yield func(document) bool) {
		text, err := utf8Text(b)
		if err != nil {
			yield(document{1, nil, err})
			return
		}
		for _, part := range split(text) {
			if !blank(part.text) && !part.read(yield) {
				return
			}
		}
	}
}

// encodings by what a text begins with, as YAML 1.2 (5.2) says: a byte order mark,
// or the zeros beside its first character.
var encodings = []struct {
	name  string
	begin string // "x" stands for any byte but zero
	is    encoding.Encoding
}{
	{"UTF-32BE", "\x00\x00\xfe\xff", utf32.UTF32(utf32.BigEndian, utf32.UseBOM)},
	{"UTF-32LE", "\xff\xfe\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)},
	{"UTF-32BE", "\x00\x00\x00x", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{"UTF-32LE", "x\x00\x00\x00", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
	{"UTF-16BE", "\xfe\xff", unicode.UTF16(unicode.BigEndian, unicode.UseBOM)},
	{"UTF-16LE", "\xff\xfe", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)},
	{"UTF-16BE", "\x00x", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	{"UTF-16LE", "x\x00", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
}

// utf8Text is a file's text in UTF-8 with "\n" at the end of lines. It is decoded
// whole before anything looks for lines in it.
func utf8Text(b []byte) ([]byte, error) {
	for _, e := range encodings {
		if !begins(b, e.begin) {
			continue
		}
		text, err := e.is.NewDecoder().Bytes(b)
		if err != nil || bytes.ContainsRune(text, '\uFFFD') {
			return nil, fmt.Errorf("want %s, as it begins: some of it is no character", e.name)
		}
		b = text
		break
	}
	b = bytes.TrimPrefix(b, byteOrderMark)
	if !bytes.ContainsRune(b, '\r') {
		return b, nil
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n")), nil
}

var byteOrderMark = []byte("\uFEFF")

func begins(b []byte, with string) bool {
	if len(b) < len(with) {
		return false
	}
	for i := range len(with) {
		if with[i] == 'x' && b[i] == 0 || with[i] != 'x' && b[i] != with[i] {
			return false
		}
	}
	return true
}

// part is the text between two separators, and the line it begins on.
type part struct {
	line int
	text []byte
}

// split cuts a stream at its "---" and "..." lines. What stands behind "---" on its
// line belongs to the document that it begins.
func split(b []byte) (out []part) {
	start, begins, number, at := 0, 1, 0, 0
	for line := range bytes.Lines(b) {
		number++
		if mark(line, "---") {
			out = append(out, part{begins, b[start:at]})
			dashes := bytes.IndexByte(line, '-') + 3
			if start, begins = at+dashes, number; blank(line[dashes:]) {
				start, begins = at+len(line), number+1
			}
		} else if mark(line, "...") {
			out = append(out, part{begins, b[start:at]})
			start, begins = at+len(line), number+1
		}
		at += len(line)
	}
	return append(out, part{begins, b[start:]})
}

func mark(line []byte, is string) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimPrefix(line, byteOrderMark), []byte(is))
	return ok && (len(rest) == 0 || rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\n')
}

// blank says that a document holds only comments, directives and space.
func blank(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		if line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark)); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			return false
		}
	}
	return true
}

// read yields the JSON values of a part, or the one YAML document that it is.
func (p part) read(yield func(document) bool) bool {
	text := bytes.TrimLeft(bytes.TrimPrefix(p.text, byteOrderMark), " \t\n")
	line := p.line + bytes.Count(p.text[:len(p.text)-len(text)], []byte("\n"))
	if text[0] == '{' || text[0] == '[' {
		if err := json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage)); err == nil {
			return values(line, text, yield)
		} else if b, yamlErr := fromYAML(line, text); yamlErr == nil { // YAML may be written in braces too
			return yield(document{line, b, nil})
		} else {
			return yield(document{line, nil, fmt.Errorf("want JSON: %w", err)})
		}
	}
	b, err := fromYAML(p.line, bytes.TrimPrefix(p.text, byteOrderMark))
	return yield(document{line, b, err})
}

// values yields JSON values that follow one another.
func values(line int, text []byte, yield func(document) bool) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	for {
		var raw json.RawMessage
		before := d.InputOffset()
		err := d.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return true
		}
		space := len(text[before:]) - len(bytes.TrimLeft(text[before:], " \t\n"))
		at := line + bytes.Count(text[:int(before)+space], []byte("\n"))
		if err != nil {
			return yield(document{at, nil, fmt.Errorf("want JSON, and what follows was not read: %w", err)})
		}
		if !yield(document{at, raw, nil}) {
			return false
		}
	}
}

// fromYAML is a YAML document, which begins on a line, as JSON.
func fromYAML(line int, text []byte) ([]byte, error) {
	if len(text) > maxDocument {
		return nil, fmt.Errorf("want a YAML document of at most %d MiB; JSON is read up to %d MiB", maxDocument>>20, maxFile>>20)
	}
	if err := strictyaml.Spelled(text, maxSpelled); err != nil {
		return nil, err
	}
	b, err := yaml.YAMLToJSONStrict(text)
	if err != nil && mergeKey.Match(text) {
		b, err = yaml.YAMLToJSON(text) // a key that overrides a merged one is no duplicate
	}
	if err != nil {
		return nil, fmt.Errorf("want YAML: %s", lineNumber.ReplaceAllStringFunc(err.Error(), func(s string) string {
			n, _ := strconv.Atoi(strings.TrimPrefix(s, "line "))
			return fmt.Sprintf("line %d", n+line-1)
		}))
	}
	return b, nil
}

// mergeKey is a key that takes another mapping's: not the "<<" of a shell's text.
var mergeKey = regexp.MustCompile(`(?m)(^|[{,])[ \t-]*<<[ \t]*:`)

// lineNumber is how the library names a line, counted from the document's first.
var lineNumber = regexp.MustCompile(`line \d+`)

// shallow refuses JSON that nests deeper than any object does: it would cost
// stack in every later step.
func shallow(b []byte) error {
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return fmt.Errorf("want at most %d levels of nesting", maxNesting)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
