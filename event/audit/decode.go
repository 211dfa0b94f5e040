package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// MaxEvent is the size up to which an event, or a file that is one document, is
// looked at.
const MaxEvent = 16 << 20

// Batch is what came of a body or file: every event in it is counted once.
type Batch struct {
	Events []event.Event
	// Announced counts events that tell only that a request came in.
	Announced int
	// Blind counts requests that made pods, opened folders of nodes or gave rights, and
	// whose events do not show what they wrote.
	Blind int
	event.Rejections
}

// WhyBlind says what so many blind requests are, and what is not seen therefore.
func WhyBlind(n int) (why, consequence string) {
	if n == 0 { // of others, which rules ask for
		return "what requests wrote is not in the log: the audit policy's level is below RequestResponse", "Some detections do not see it."
	}
	return fmt.Sprintf("%d requests that made pods or volumes or gave rights came without what they wrote: "+
		"the audit policy's level is below RequestResponse", n), "Detections about pods, volumes and rights do not see them."
}

// Count is how much was seen, of any kind.
func (b *Batch) Count() int {
	return len(b.Events) + b.Announced + b.Refused()
}

// Decode reads a body: an EventList, as the API server's webhook sends it, a
// list, or one event. The error says that the body itself is broken; then
// nothing of it counts. What comes of it holds the body, which must not be changed any more.
func (d *Decoder) Decode(body []byte) (*Batch, error) {
	p := part{text: textOf(body)}
	d.read(&p)
	b := &Batch{}
	switch err := p.made.Err(); {
	case p.items != "":
		return b, d.items(p.items, func(n int, o outcome) { d.count(b, n, o) })
	case p.packed:
		for i, o := range p.inside {
			d.count(b, i+1, o)
		}
		return b, nil
	case err != nil:
		return b, err
	}
	d.count(b, 1, p.made)
	return b, nil
}

// part is one event, or a list of them, with what its text tells by itself.
type part struct {
	text  string
	line  int    // of a log
	done  bool   // it was read
	items string // of a list, which is no event itself
	made  outcome
	// inside is what became of each event of an envelope that holds none, or several.
	packed bool
	inside []outcome
}

// outcome is what became of an event.
type outcome = event.Outcome[told]

// told is what the text of an event tells by itself.
type told struct {
	record *record
	event  *builder // nil if the event tells only that a request came in
}

// read takes from a part what needs no other: parts are read beside each other.
func (d *Decoder) read(p *part) {
	p.done = true
	if strings.HasPrefix(strings.TrimLeft(p.text, " \t\r\n"), "[") {
		if err := whole(p.text); err != nil {
			p.made = event.Refused[told](err)
			return
		}
		p.items = p.text
		return
	}
	r, err := parse(p.text)
	if err == nil && r.items != "" {
		p.items = r.items
		return
	}
	if d.Envelopes && err == nil && r.check() != nil {
		if p.inside = d.unpack(p.text, new(maxUnpacked)); len(p.inside) == 1 {
			p.made = p.inside[0]
		}
		p.packed = len(p.inside) != 1
		return
	}
	p.made = d.one(r, p.text, err)
}

// one reads one event, whose text was parsed.
func (d *Decoder) one(r *record, text string, err error) outcome {
	if err == nil && len(text) > MaxEvent {
		err = errLong
	}
	if err == nil {
		err = r.check()
	}
	switch {
	case err != nil:
		return event.Refused[told](err)
	case r.announced():
		return event.Read(told{record: r})
	}
	return event.Read(told{r, d.begin(r, text)})
}

// items hands on what became of each item of a list, one after the other.
func (d *Decoder) items(list string, each func(n int, o outcome)) error {
	c := newCursor(list)
	defer c.done()
	n, left := 0, maxUnpacked
	return c.array(func() error {
		n++
		text, err := c.value()
		if err != nil {
			return err
		}
		r, err := parse(text)
		if d.Envelopes && err == nil && r.check() != nil {
			for _, o := range d.unpack(text, &left) {
				each(n, o)
			}
			return nil
		}
		each(n, d.one(r, text, err))
		return nil
	})
}

// count adds what became of an event, in the order in which things happened.
func (d *Decoder) count(b *Batch, at int, o outcome) {
	is, read := o.Take(&b.Rejections, at)
	switch {
	case !read:
		return
	case is.event == nil:
		b.Announced++
		return
	case is.record.blind():
		b.Blind++
	}
	b.Events = append(b.Events, d.finish(is.record, is.event))
}

// Read reads a log: events or EventLists, one a line, or one document over many
// lines. It hands on a batch every so many events; positions are lines.
func (d *Decoder) Read(r io.Reader, each func(*Batch) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	start, _ := lines.Peek(64 << 10)
	first, _, more := bytes.Cut(start, []byte("\n"))
	if !more || !opens(first) {
		return d.lines(from(lines), each)
	}
	b, rest := d.document(lines)
	if b != nil {
		return each(b)
	}
	return d.lines(from(bufio.NewReader(rest)), each)
}

// Lines reads a log that is in memory, one event or EventList a line. Nothing is copied:
// what is handed on holds the text, which must not be changed any more.
func (d *Decoder) Lines(text []byte, each func(*Batch) error) error {
	rest := textOf(text)
	return d.lines(func() (line string, long bool, err error) {
		line, rest, _ = strings.Cut(rest, "\n")
		if rest == "" {
			err = io.EOF
		}
		return line, len(line) > MaxEvent, err
	}, each)
}

// from gives the lines of a reader, each a text of its own.
func from(r *bufio.Reader) func() (line string, long bool, err error) {
	var room []byte
	return func() (string, bool, error) {
		var long bool
		var err error
		room, long, err = event.Line(r, room, MaxEvent)
		return string(bytes.TrimSpace(room)), long, err
	}
}

// All reads a log whole and lets nothing be rejected: what a rule's test is run on.
func (d *Decoder) All(r io.Reader) (events []event.Event, err error) {
	fresh := &Decoder{Cluster: d.Cluster, Proxies: d.Proxies, Envelopes: d.Envelopes} // a file's objects are its own
	err = fresh.Read(r, func(b *Batch) error {
		events = append(events, b.Events...)
		return b.None()
	})
	return events, err
}

// At most so many lines, and about so many bytes of them, are read beside each other.
const (
	batchSize  = 512
	batchBytes = 4 << 20
)

func (d *Decoder) lines(next func() (line string, long bool, err error), each func(*Batch) error) error {
	b := &Batch{}
	parts := make([]part, 0, batchSize)
	for n := 0; ; {
		parts = parts[:0]
		var err error
		for size := 0; err == nil && len(parts) < batchSize && size < batchBytes; {
			var line string
			var long bool
			n++
			line, long, err = next()
			if long {
				parts = append(parts, part{line: n, made: event.Refused[told](errLong), done: true})
			} else if line = strings.TrimSpace(line); len(line) > 0 {
				parts = append(parts, part{line: n, text: line})
			}
			size += len(line)
		}
		beside(len(parts), func(i int) { d.read(&parts[i]) })
		b.Events = slices.Grow(b.Events, len(parts))
		for i := range parts {
			d.line(b, &parts[i])
		}
		if len(b.Events) < batchSize && err == nil {
			continue
		}
		if failed := each(b); failed != nil || errors.Is(err, io.EOF) {
			return failed
		}
		if err != nil {
			return err
		}
		b = &Batch{}
	}
}

var errLong = fmt.Errorf("longer than %d bytes", MaxEvent)

// line takes what a line of a log holds.
func (d *Decoder) line(b *Batch, p *part) {
	if !p.done {
		d.read(p) // it broke off beside us, and so does here, where that is looked after
	}
	item := func(n int, o outcome) {
		if why := o.Err(); why != nil {
			o = event.Refused[told](fmt.Errorf("item %d: %w", n, why))
		}
		d.count(b, p.line, o)
	}
	switch {
	case p.packed:
		for i, o := range p.inside {
			item(i+1, o)
		}
	case p.items != "":
		if err := d.items(p.items, item); err != nil {
			d.count(b, p.line, event.Refused[told](err))
		}
	default:
		d.count(b, p.line, p.made)
	}
}

// whole says whether a text begins with a whole value.
func whole(text string) error {
	c := newCursor(text)
	defer c.done()
	return c.skip()
}

// opens says that a line begins a document which goes on in the next.
func opens(line []byte) bool {
	return errors.Is(whole(string(line)), errShort)
}

// document reads what is not one event a line but one value in all. If it is
// not, there is no batch, and rest is all of it again.
func (d *Decoder) document(r io.Reader) (b *Batch, rest io.Reader) {
	text, err := io.ReadAll(io.LimitReader(r, MaxEvent+1))
	c := newCursor(string(text))
	defer c.done()
	if err != nil || len(text) > MaxEvent || c.skip() != nil || c.end() != nil {
		return nil, io.MultiReader(bytes.NewReader(text), r)
	}
	b, err = d.Decode(text)
	if err != nil {
		d.count(b, 1, event.Refused[told](err))
	}
	return b, nil
}
