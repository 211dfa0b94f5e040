package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// softDepth is what an event may nest without losing its objects. The API
	// server accepts more, so a stranger can make it say more: that must not
	// cost the other events of the batch, nor this one.
	softDepth = 100
	maxEvent  = 10 << 20
	chunkSize = 1 << 20
	// chunkEvents bounds what one chunk costs: as long as it is analysed, its source's others wait,
	// and what came of it is one transaction, for which all wait.
	chunkEvents = 512
)

// lines are events as the stream keeps them: JSON Lines, each event compact,
// cut into chunks at event boundaries.
type lines struct {
	clean  func([]byte) []byte // takes out of an event what must not be written
	chunks [][]byte
	counts []int
	// cut counts events that were kept without their objects, because they were
	// too big or too deep; dropped those that were too big even so.
	cut, dropped int
}

func (l *lines) events() (n int) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

func (l *lines) add(line []byte) {
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last])+len(line) >= chunkSize || l.counts[last] == chunkEvents {
		l.chunks, l.counts = append(l.chunks, nil), append(l.counts, 0)
		last++
	}
	l.chunks[last] = append(append(l.chunks[last], line...), '\n')
	l.counts[last]++
}

// auditVersions are the versions of audit.k8s.io whose events decode alike.
var auditVersions = []string{`"audit.k8s.io/v1"`, `"audit.k8s.io/v1beta1"`}

// auditList reads the body of an audit webhook's request, an EventList.
func auditList(body []byte, clean func([]byte) []byte) (*lines, error) {
	var kind, version, items []byte
	err := eachMember(body, func(m member) error {
		switch string(m.key) {
		case "kind":
			kind = m.value
		case "apiVersion":
			version = m.value
		case "items":
			items = m.value
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case string(kind) != `"EventList"`:
		return nil, errors.New("not an EventList")
	case !slices.Contains(auditVersions, string(version)):
		return nil, errors.New("not of audit.k8s.io/v1 or v1beta1")
	case items == nil || string(items) == "null":
		return &lines{}, nil
	}
	l := &lines{clean: clean}
	err = eachElement(items, func(event []byte) error { return l.addAudit(event) })
	return l, err
}

// addAudit adds one audit event in its canonical form.
func (l *lines) addAudit(event []byte) error {
	line, cut, err := canonical(event)
	if err != nil {
		return err
	}
	if cut != "" {
		l.cut++
	}
	if line = l.clean(line); len(line) > maxEvent {
		l.dropped++
		return nil
	}
	l.add(line)
	return nil
}

// canonical is the form in which an audit event has its identity: compact, its
// members in the order they came, and without kind and apiVersion, which the
// log file writes in each line and the webhook's list does not. An event beyond
// bounds loses its objects, and says so in the member "cut".
func canonical(event []byte) (line []byte, cut string, err error) {
	var kept []member
	plain := true
	err = eachMember(event, func(m member) error {
		switch string(m.key) {
		case "kind", "apiVersion", "cut":
			plain = false
		default:
			kept = append(kept, m)
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	deepest, spaced := form(event)
	switch {
	case deepest > softDepth:
		cut = fmt.Sprintf("nested deeper than %d levels", softDepth)
	case len(event) > maxEvent:
		cut = fmt.Sprintf("bigger than %d bytes", maxEvent)
	case plain && !spaced:
		return event, "", nil
	}
	return compose(kept, cut), cut, nil
}

// compose writes an object of members, without the events' objects if cut.
func compose(kept []member, cut string) []byte {
	b := []byte{'{'}
	for _, m := range kept {
		if cut != "" && withheld(m) {
			continue
		}
		b = append(append(append(append(b, '"'), m.key...), '"', ':'), compact(m.value)...)
		b = append(b, ',')
	}
	if cut != "" {
		b = fmt.Appendf(b, `"cut":%q,`, cut)
	}
	return append(bytes.TrimSuffix(b, []byte(",")), '}')
}

// withheld says that a member is left out of an event beyond bounds.
func withheld(m member) bool {
	deepest, _ := form(m.value)
	return string(m.key) == "requestObject" || string(m.key) == "responseObject" || deepest >= softDepth
}

// compact is a value without white space between its tokens.
func compact(value []byte) []byte {
	if _, spaced := form(value); !spaced {
		return value
	}
	v := jsontext.Value(bytes.Clone(value))
	_ = v.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // it was found valid
	return v
}

// jsonLines reads a sensor's body: one object per line.
func jsonLines(body []byte, clean func([]byte) []byte) (*lines, error) {
	l := &lines{clean: clean}
	n := 0
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		n++
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			continue
		}
		if err := eachMember(line, func(member) error { return nil }); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if deepest, _ := form(line); deepest > softDepth || len(line) > maxLine {
			l.dropped++
			continue
		}
		if line = l.clean(line); len(line) > maxLine {
			l.dropped++
			continue
		}
		l.add(line)
	}
	return l, nil
}

// maxLine is far beyond what a sensor sends of one event.
const maxLine = 1 << 20
