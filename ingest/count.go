package ingest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Count is what happened to one cluster's events of one kind since the start
// of this process.
type Count struct {
	Cluster string
	Kind    Kind
	// Received are all events of well-formed requests; Accepted of them are
	// durable, Duplicate were durable already, Cut lost their objects and
	// Dropped were too big even so.
	Received, Accepted, Duplicate, Cut, Dropped uint64
	// Analysed events were handled; DeadLettered ones could not be, in spite of
	// several tries, and are kept aside, those of earlier processes included.
	Analysed, DeadLettered uint64
	// Reconciled of the accepted events came from a log file, for what the webhook
	// may have lost; some of them it had not.
	Reconciled uint64
	// Lost is what the sender says it gave up.
	Lost Loss
	// Rejected counts requests by reason.
	Rejected map[string]uint64
	Samples  []Sample
	// LastReceived is when a request last brought events.
	LastReceived, LastAnalysed time.Time
	// Waited is how long the batch analysed last had waited.
	Waited time.Duration
	// Waiting are batches in the stream that are not analysed yet.
	Waiting uint64
}

// Sample is a rejected request, without anything of what it said.
type Sample struct {
	At             time.Time
	Remote, Reason string
	Error          string
	Size           int
	Shape          string
}

const samplesKept = 5

// counts are the counters of all clusters. Only clusters that own a token
// appear, and one nameless for requests without a good one: strangers cannot
// make it grow.
type counts struct {
	mu struct {
		sync.Mutex
		by map[source]*Count
	}
}

type source struct {
	cluster string
	kind    Kind
}

func (c *counts) change(of source, do func(*Count)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.by == nil {
		c.mu.by = map[source]*Count{}
	}
	n := c.mu.by[of]
	if n == nil {
		n = &Count{Cluster: of.cluster, Kind: of.kind, Rejected: map[string]uint64{}}
		c.mu.by[of] = n
	}
	do(n)
}

// reject counts a refused request, keeps its sample, and says how many there were for its reason.
func (c *counts) reject(of source, s Sample) (times uint64) {
	c.change(of, func(n *Count) {
		n.Rejected[s.Reason]++
		times = n.Rejected[s.Reason]
		n.Samples = append(n.Samples, s)
		n.Samples = slices.Delete(n.Samples, 0, max(0, len(n.Samples)-samplesKept))
	})
	return times
}

// all copies the counters, in order.
func (c *counts) all() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Count
	for _, n := range c.mu.by {
		one := *n
		one.Rejected, one.Samples = maps.Clone(n.Rejected), slices.Clone(n.Samples)
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Kind, b.Kind)) })
	return out
}
