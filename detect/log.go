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
	// Fields are all that a rule may ask; Index, up to three of them that hold at
	// most one value, is how an event finds the rules that can match.
	Fields []event.Field
	Index  []string
	// Decode reads what a test of a rule gives, all of it or an error.
	Decode func(io.Reader) ([]event.Event, error)
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
