// Package detect turns events into alerts: rules in Sigma's format say which
// events matter, and an engine tells one human action once, however many events
// it leaves. It knows no decoder, no transport and no graph: decoders are handed
// in, and what a graph knows is asked through Context, after a match only.
package detect

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// Log is a kind of log that rules can be about.
type Log struct {
	Source event.Source
	// Fields are all that a rule may ask; Index, up to four of them that hold at
	// most one value, is how an event finds the rules that can match.
	Fields []event.Field
	Index  []string
	// Level is the field that says how much of an event was kept, and Least its value that says that what was written was not;
	// "" where a log keeps all. Which fields are of what was written, Fields says.
	Level, Least string
	// Excuse says why what an event tells is no news, in a sentence, "" if it is; it speaks of the fields Excused. An alert of a
	// rule that asks for one of these is then of the lowest severity, and says so.
	Excuse  func(*event.Event) string
	Excused []string
	// Forms are other names of the source, and Aliases those of fields, in rules that
	// were written for other tools. Says is what an alert of such a rule says.
	Forms   []event.Source
	Aliases map[string]string
	Says    []string
	// Decode reads what a test of a rule gives, all of it or an error.
	Decode func(io.Reader) ([]event.Event, error)
}

// is says that a rule means this log.
func (l *Log) is(s event.Source) bool { return l.Source == s || slices.Contains(l.Forms, s) }

// field is what the log calls a field.
func (l *Log) field(name string) string {
	if alias, ok := l.Aliases[name]; ok {
		return alias
	}
	return name
}

// written says that a field is of what a request wrote.
func (l *Log) written(name string) bool {
	return slices.ContainsFunc(l.Fields, func(f event.Field) bool { return f.Name == name && f.Written })
}

// number says that every value of a field is one.
func (l *Log) number(name string) bool {
	return slices.ContainsFunc(l.Fields, func(f event.Field) bool { return f.Name == name && f.Number })
}

// known says what is wrong with a field's name.
func (l *Log) known(name string) error {
	if slices.ContainsFunc(l.Fields, func(f event.Field) bool { return f.Name == name }) {
		return nil
	}
	for _, f := range l.Fields {
		if strings.EqualFold(f.Name, name) || strings.HasSuffix(f.Name, "."+name) {
			return fmt.Errorf("unknown field %q: did you mean %q?", name, f.Name)
		}
	}
	return fmt.Errorf("unknown field %q of %s", name, title(l.Source))
}

// title is a source in words.
func title(s event.Source) string {
	return strings.Join(strings.Fields(s.Product+" "+s.Service+" "+s.Category), " ")
}
