package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

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
	Blind    int
	Rejected []Rejected
	// Dropped counts rejections beyond those listed.
	Dropped int
}

// Rejected is text that is no event, and why. Position is the line of a file, or
// the number of an item of a list, counted from one.
type Rejected struct {
	Position int
	Why      string
}

// WhyBlind says what so many blind requests are, and what is not seen therefore.
func WhyBlind(n int) (why, consequence string) {
	return fmt.Sprintf("%d requests that made pods or volumes or gave rights came without what they wrote: "+
		"the audit policy's level is below RequestResponse", n), "Detections about pods, volumes and rights do not see them."
}

// maxRejected bounds the list of one batch.
const maxRejected = 100

func (b *Batch) reject(position int, err error) {
	if len(b.Rejected) == maxRejected {
		b.Dropped++
		return
	}
	b.Rejected = append(b.Rejected, Rejected{position, err.Error()})
}

// Count is how much was seen, of any kind.
func (b *Batch) Count() int {
	return len(b.Events) + b.Announced + len(b.Rejected) + b.Dropped
}

// Decode reads a body: an EventList, as the API server's webhook sends it, a
// list, or one event. The error says that the body itself is broken; then
// nothing of it counts.
func (d *Decoder) Decode(body []byte) (*Batch, error) {
	b := &Batch{}
	text := string(body)
	c := newCursor(text)
	if c.next() == '[' {
		if err := c.skip(); err != nil {
			return b, err
		}
		return b, d.items(b, text)
	}
	r, err := parse(text)
	switch {
	case err != nil:
		return b, err
	case r.items != "":
		return b, d.items(b, r.items)
	}
	return b, d.add(b, r, text)
}

// items decodes each item of a list, and rejects what is none by itself.
func (d *Decoder) items(b *Batch, list string) error {
	c := newCursor(list)
	n := 0
	return c.array(func() error {
		n++
		text, err := c.value()
		if err != nil {
			return err
		}
		r, err := parse(text)
		if err == nil {
			err = d.add(b, r, text)
		}
		if err != nil {
			b.reject(n, err)
		}
		return nil
	})
}

func (d *Decoder) add(b *Batch, r *record, text string) error {
	if len(text) > MaxEvent {
		return errLong
	}
	if err := r.check(); err != nil {
		return err
	}
	d.keep(b, r, text)
	return nil
}

func (d *Decoder) keep(b *Batch, r *record, text string) {
	if r.announced() {
		b.Announced++
		return
	}
	if r.blind() {
		b.Blind++
	}
	b.Events = append(b.Events, d.build(r, text))
}

// Read reads a log: events or EventLists, one a line, or one document over many
// lines. It hands on a batch every so many events; positions are lines.
func (d *Decoder) Read(r io.Reader, each func(*Batch) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	start, _ := lines.Peek(64 << 10)
	first, _, more := bytes.Cut(start, []byte("\n"))
	if !more || !opens(first) {
		return d.lines(lines, each)
	}
	b, rest := d.document(lines)
	if b != nil {
		return each(b)
	}
	return d.lines(bufio.NewReader(rest), each)
}

// All reads a log whole and lets nothing be rejected: what a rule's test is run on.
func (d *Decoder) All(r io.Reader) (events []event.Event, err error) {
	fresh := &Decoder{Cluster: d.Cluster, Proxies: d.Proxies} // a file's objects are its own
	err = fresh.Read(r, func(b *Batch) error {
		events = append(events, b.Events...)
		if len(b.Rejected) > 0 {
			return fmt.Errorf("line %d: %s", b.Rejected[0].Position, b.Rejected[0].Why)
		}
		return nil
	})
	return events, err
}

const batchSize = 512

func (d *Decoder) lines(r *bufio.Reader, each func(*Batch) error) error {
	b := &Batch{}
	var line []byte // its room serves every line: events keep a text of their own
	for n := 1; ; n++ {
		var long bool
		var err error
		line, long, err = event.Line(r, line, MaxEvent)
		if long {
			b.reject(n, errLong)
		} else {
			d.line(b, n, line)
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

func (d *Decoder) line(b *Batch, n int, line []byte) {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return
	}
	part, err := d.Decode(line)
	b.Events = append(b.Events, part.Events...)
	b.Announced += part.Announced
	b.Blind += part.Blind
	b.Dropped += part.Dropped
	for _, r := range part.Rejected {
		b.reject(n, fmt.Errorf("item %d: %s", r.Position, r.Why))
	}
	if err != nil {
		b.reject(n, err)
	}
}

// opens says that a line begins a document which goes on in the next.
func opens(line []byte) bool {
	return errors.Is(newCursor(string(line)).skip(), errShort)
}

// document reads what is not one event a line but one value in all. If it is
// not, there is no batch, and rest is all of it again.
func (d *Decoder) document(r io.Reader) (b *Batch, rest io.Reader) {
	text, err := io.ReadAll(io.LimitReader(r, MaxEvent+1))
	c := newCursor(string(text))
	if err != nil || len(text) > MaxEvent || c.skip() != nil || c.end() != nil {
		return nil, io.MultiReader(bytes.NewReader(text), r)
	}
	b, err = d.Decode(text)
	if err != nil {
		b.reject(1, err)
	}
	return b, nil
}
