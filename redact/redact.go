// Package redact takes secrets out of text: command lines, scripts, addresses, headers, documents, what servers say. It is
// asked at every door by which text of others comes in, so that nothing behind keeps, tells or logs what it took.
//
// What secrets look like is data, with its tests: shapes.yaml. What is not recognised stays, which no list can rule out;
// what is no secret stays as it is, for judges read it.
package redact

import (
	"strings"
)

// Mark stands where a secret was. That there was one is told.
const Mark = "[redacted]"

// maxText bounds one text: patterns take a time that grows with it.
const maxText = 1 << 20

// Text takes secrets out of a text. What is left is the same when it is looked at again.
func Text(s string) string { return settled(s, all) }

// Known takes out of a text what is a secret by its own look, such as tokens of well-known makers. It is for names and
// labels, which are compared: two that were equal stay so.
func Known(s string) string {
	if len(s) < 12 {
		return s
	}
	return settled(s, known)
}

// Value takes secrets out of a value that has a name, such as that of a variable or of a header.
func Value(name, value string) string {
	if secretName(name) && !harmless(value) {
		return Mark
	}
	return Text(value)
}

// settled looks until nothing is found: what is left beside a secret may look like one. What does not settle goes whole.
func settled(s string, look func(s string, depth int) string) string {
	if len(s) < 6 { // no secret is told from a word
		return s
	}
	if len(s) > maxText {
		s = s[:maxText]
	}
	for range 4 {
		found := look(s, 0)
		if found == s {
			return s
		}
		s = found
	}
	return Mark
}

func all(s string, depth int) string {
	s = known(s, depth) // first, for it takes least
	s = assigned(s)
	s = ordered(s)
	return runs(s, depth)
}

// span is a part of a text.
type span struct{ from, to int }

// without puts the mark in place of spans, which are in order. A span that is the mark stays.
func without(s string, spans []span) string {
	var b strings.Builder
	at := 0
	for _, p := range spans {
		if p.from < at || s[p.from:p.to] == Mark {
			continue
		}
		b.WriteString(s[at:p.from])
		b.WriteString(Mark)
		at = p.to
	}
	if at == 0 {
		return s
	}
	b.WriteString(s[at:])
	return b.String()
}
