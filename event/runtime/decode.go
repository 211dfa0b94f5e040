package runtime

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
)

// Bounds of one record. A sensor keeps far less of each.
const (
	MaxRecord    = 1 << 20
	maxArguments = 4096
	maxAncestors = 64
	maxLists     = 256
	maxName      = 253
)

// Batch is what came of some lines: every record in it is counted once.
type Batch struct {
	// Events are the programs that started.
	Events []event.Event
	// Ended counts processes that ended, which no rule is about.
	Ended int
	// Lost is what the sensor says it could not keep, by its reason.
	Lost map[string]uint64
	// Came are the numbers of the records, by the run of a sensor.
	Came map[Run][]uint64
	// Foreign are the nodes in whose name the sender spoke and must not; Elsewhere the pods
	// that it spoke of and that run on another node. Each has a few of them.
	Foreign   []string
	Elsewhere []Elsewhere
	event.Rejections
}

// Elsewhere is a pod of which a node's sensor spoke, and the node that runs it.
type Elsewhere struct{ Node, Runs, Namespace, Pod string }

func (b *Batch) elsewhere(e Elsewhere) {
	if len(b.Elsewhere) < maxForeign && !slices.Contains(b.Elsewhere, e) {
		b.Elsewhere = append(b.Elsewhere, e)
	}
}

// Run is one run of one node's sensor, within which records are counted.
type Run struct{ Node, Boot string }

// Bounds of one batch.
const (
	batchSize  = 512
	maxReasons = 16
	maxForeign = 8
)

// Count is how much was seen, of any kind.
func (b *Batch) Count() (n int) {
	for _, sequences := range b.Came {
		n += len(sequences)
	}
	return n + b.Refused()
}

// Decoder decodes what the sensors of one cluster send.
type Decoder struct {
	Cluster string
	// Node is whose certificate the sender showed: records that name another are refused.
	// Empty takes every node's.
	Node string
	// Place says where a container runs; nil if nobody can.
	Place func(*Container) (Place, bool)
}

// Read reads records, one a line, and hands on a batch every so many.
func (d *Decoder) Read(r io.Reader, each func(*Batch) error) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	b := &Batch{}
	for n := 1; ; n++ {
		line, long, err := event.Line(lines, nil, MaxRecord) // events keep their line
		if long {
			d.count(b, n, event.Refused[told](errLong))
		} else if line = bytes.TrimSpace(line); len(line) > 0 {
			d.count(b, n, d.parse(b, line))
		}
		if b.Count() < batchSize && err == nil {
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

// All reads records and lets nothing be rejected: what a rule's test is run on.
func (d *Decoder) All(r io.Reader) (events []event.Event, err error) {
	err = d.Read(r, func(b *Batch) error {
		events = append(events, b.Events...)
		return b.None()
	})
	return events, err
}

var errLong = fmt.Errorf("longer than %d bytes", MaxRecord)

// told is a record with the line that it was read from.
type told struct {
	*Record
	line []byte
}

// parse reads one record.
func parse(line []byte) event.Outcome[told] {
	r := &Record{}
	if err := json.Unmarshal(line, r); err != nil {
		return event.Refused[told](fmt.Errorf("no record: %w", err))
	}
	if err := r.check(); err != nil {
		return event.Refused[told](err)
	}
	return event.Read(told{r, line})
}

// parse reads one record of the node that sends.
func (d *Decoder) parse(b *Batch, line []byte) event.Outcome[told] {
	o := parse(line)
	if d.Node == "" || o.Err() != nil {
		return o
	}
	var none event.Rejections
	if r, _ := o.Take(&none, 0); r.Node != d.Node {
		if len(b.Foreign) < maxForeign && !slices.Contains(b.Foreign, r.Node) {
			b.Foreign = append(b.Foreign, r.Node)
		}
		return event.Refused[told](fmt.Errorf("it names the node %.80q, and the sender is the node %s", r.Node, d.Node))
	}
	return o
}

// count adds what became of a record.
func (d *Decoder) count(b *Batch, at int, o event.Outcome[told]) {
	r, read := o.Take(&b.Rejections, at)
	if !read {
		return
	}
	if b.Came == nil {
		b.Came = map[Run][]uint64{}
	}
	run := Run{r.Node, r.Boot}
	b.Came[run] = append(b.Came[run], r.Sequence)
	switch r.Kind {
	case Exec:
		b.Events = append(b.Events, d.event(b, r.Record, r.line))
	case Exit:
		b.Ended++
	case Lost:
		b.lose(r.Why, r.Lost)
	}
}

func (b *Batch) lose(why string, n uint64) {
	if b.Lost == nil {
		b.Lost = map[string]uint64{}
	}
	if _, known := b.Lost[why]; !known && len(b.Lost) >= maxReasons {
		why = "another reason"
	}
	b.Lost[why] += n
}

// check refuses what is no record, or of a version that may mean other things.
func (r *Record) check() error {
	switch {
	case r.Refused != "":
		return fmt.Errorf("no record: %.200s", r.Refused)
	case r.Version != RecordVersion:
		return fmt.Errorf("version %d: want %d", r.Version, RecordVersion)
	case r.Kind != Exec && r.Kind != Exit && r.Kind != Lost:
		return fmt.Errorf("kind %.40q: want exec, exit or lost", r.Kind)
	case r.Node == "" || len(r.Node) > maxName || len(r.Boot) > maxName:
		return errors.New("no record: it names no node")
	case r.Sequence == 0:
		return errors.New("no record: it has no number")
	case r.Time.IsZero() || r.Time.Year() < 1970 || r.Time.Year() > 9999:
		return errors.New("no record: it has no time")
	case r.Kind != Lost && r.Process == nil:
		return fmt.Errorf("%s: it names no process", r.Kind)
	case r.Container != nil && r.Container.ID != "" && !IsID(r.Container.ID):
		return fmt.Errorf("container %.80q: want 64 hexadecimal digits or a name", r.Container.ID)
	case len(r.Ancestors) > maxAncestors:
		return fmt.Errorf("more than %d ancestors", maxAncestors)
	}
	for i := range r.Ancestors {
		if err := r.Ancestors[i].check(); err != nil {
			return err
		}
	}
	if r.Process != nil {
		return r.Process.check()
	}
	return nil
}

func (p *Process) check() error {
	switch {
	case len(p.Arguments) > maxArguments:
		return fmt.Errorf("more than %d arguments", maxArguments)
	case len(p.Capabilities) > maxLists || len(p.HostNamespaces) > maxLists:
		return fmt.Errorf("more than %d capabilities or namespaces", maxLists)
	case p.Container != "" && p.Container != unknown && !IsID(p.Container):
		return fmt.Errorf("container %.80q of an ancestor: want 64 hexadecimal digits or a name", p.Container)
	}
	return nil
}

// IsID tells what can name a container: the 64 hexadecimal digits of a runtime, or
// a name, as ctr and runc let a person choose.
func IsID(id string) bool {
	if id == "" || len(id) > 128 || id == unknown || strings.Trim(id, ".") == "" {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
