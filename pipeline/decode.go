package pipeline

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/identity"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// decode is the first stage: what a batch holds as events.
func (l *lane) decode(w *work) error {
	switch w.batch.Kind {
	case ingest.Audit:
		return l.audit(w)
	case ingest.Runtime:
		return l.runtime(w)
	case ingest.Noticed:
		return l.noticed(w)
	}
	return fmt.Errorf("no decoder for %s events", w.batch.Kind)
}

func (l *lane) audit(w *work) error {
	l.decoder.Provider = l.config.Clusters.Provider(l.cluster)
	err := l.decoder.Lines(w.batch.Lines, func(part *audit.Batch) error {
		w.add(part.Events)
		l.reject(w, part.Rejections)
		w.blind += part.Blind
		return nil
	})
	w.inTime()
	return err
}

// inTime takes the time of receipt for events of a clock that is ahead, or of none.
func (w *work) inTime() {
	for i := range w.events {
		if e := &w.events[i]; e.Time.IsZero() || e.Time.After(w.batch.Received.Add(ahead)) {
			e.Time = w.batch.Received.UTC()
		}
	}
}

// add takes events; mostly all of a batch come at once.
func (w *work) add(events []event.Event) {
	if w.events == nil {
		w.events = events
		return
	}
	w.events = append(w.events, events...)
}

// ahead is how far a sender's clock may be before ours. Beyond it the time of
// receipt counts: an alert of next year would swallow all until then.
const ahead = 5 * time.Minute

// runtime decodes what a sensor sent, and notes which of its records came.
func (l *lane) runtime(w *work) error {
	d := runtime.Decoder{Cluster: l.cluster, Node: w.batch.Node,
		Place: func(c *runtime.Container) (runtime.Place, bool) { return l.config.Clusters.Place(l.cluster, c) }}
	err := d.Read(bytes.NewReader(w.batch.Lines), func(part *runtime.Batch) error {
		w.add(part.Events)
		for run, sequences := range part.Came {
			w.runs = append(w.runs, store.RunCame{Node: run.Node, Boot: run.Boot, Sequences: sequences})
		}
		l.reject(w, part.Rejections)
		w.notice(l.cluster, part)
		return nil
	})
	w.inTime()
	return err
}

// notice makes events of what a sensor said that is not its own to say.
func (w *work) notice(cluster string, of *runtime.Batch) {
	at := w.batch.Received.UTC()
	for _, other := range of.Foreign {
		w.events = append(w.events, identity.Record{Time: at, What: identity.Foreign, Node: w.batch.Node, Claimed: other}.Event(cluster))
	}
	for _, e := range of.Elsewhere {
		w.events = append(w.events, identity.Record{Time: at, What: identity.Pod, Node: e.Node, Claimed: e.Runs, Namespace: e.Namespace,
			Pod: e.Pod}.Event(cluster))
	}
}

// noticed decodes what the server noticed of those who send.
func (l *lane) noticed(w *work) error {
	d := identity.Decoder{Cluster: l.cluster}
	b, err := d.Read(bytes.NewReader(w.batch.Lines))
	w.add(b.Events)
	l.reject(w, b.Rejections)
	return err
}

// reject counts what is no event, and says why.
func (l *lane) reject(w *work, of event.Rejections) {
	for _, r := range of.Rejected {
		l.config.Log.Warn("an event cannot be read", "cluster", w.batch.Cluster, "kind", w.batch.Kind, "position", r.Position, "why", r.Why)
	}
	w.unreadable += of.Refused()
}

// Unreadable is how many of a cluster's well-formed texts were no events, since
// the start of this process.
func (p *Pipeline) Unreadable(cluster string, kind ingest.Kind) int {
	return p.unreadable.of(sender{cluster, kind})
}

// Blind is how many of a cluster's requests made pods or volumes or gave rights that its audit
// log does not show, since the start of this process.
func (p *Pipeline) Blind(cluster string) int { return p.blind.of(sender{cluster, ingest.Audit}) }

// sender is a cluster and the kind of its events.
type sender struct {
	cluster string
	kind    ingest.Kind
}

// counts is a number for each sender.
type counts struct {
	mu struct {
		sync.Mutex
		by map[sender]int
	}
}

func (c *counts) add(s sender, n int) {
	if n == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.by == nil {
		c.mu.by = map[sender]int{}
	}
	c.mu.by[s] += n
}

func (c *counts) of(s sender) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.by[s]
}
