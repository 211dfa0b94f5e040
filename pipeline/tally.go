package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
)

// tally counts a cluster's events of each kind since the first.
type tally struct {
	counts  map[ingest.Kind]*Tally
	changed map[ingest.Kind]bool
}

// Tally is how many events of a cluster and kind were analysed, over all restarts.
type Tally struct {
	Events uint64 `json:"events"`
	// Since is when the first of them happened.
	Since time.Time `json:"since"`
}

const tallyName = "tally"

func newTally() *tally {
	return &tally{map[ingest.Kind]*Tally{}, map[ingest.Kind]bool{}}
}

func (*tally) Name() string { return tallyName }

func (t *tally) Restore(parts map[string]string) error {
	for kind, text := range parts {
		var n Tally
		if err := json.Unmarshal([]byte(text), &n); err != nil {
			return err
		}
		t.counts[ingest.Kind(kind)] = &n
	}
	return nil
}

func (t *tally) Observe(e *event.Event) {
	kind := kindOf(e.Source)
	n := t.counts[kind]
	if n == nil {
		n = &Tally{}
		t.counts[kind] = n
	}
	if n.Events == 0 || e.Time.Before(n.Since) {
		n.Since = e.Time
	}
	n.Events++
	t.changed[kind] = true
}

func (t *tally) Checkpoint() map[string]string {
	parts := map[string]string{}
	for kind := range t.changed {
		text, _ := json.Marshal(t.counts[kind])
		parts[string(kind)] = string(text)
	}
	clear(t.changed)
	return parts
}

// kindOf is as what events of a source are received.
func kindOf(s event.Source) ingest.Kind {
	switch s {
	case audit.Source:
		return ingest.Audit
	case runtime.Source:
		return ingest.Runtime
	}
	return ingest.Kind(s.Category)
}

// Tallies are how many events were analysed, by cluster and kind.
func (p *Pipeline) Tallies(ctx context.Context) (map[string]map[ingest.Kind]Tally, error) {
	states, err := p.config.Records.AnalyticStates(ctx, "", tallyName)
	if err != nil {
		return nil, err
	}
	out := map[string]map[ingest.Kind]Tally{}
	for _, s := range states {
		var n Tally
		if err := json.Unmarshal([]byte(s.State), &n); err != nil {
			return nil, fmt.Errorf("read how many events of %s were analysed: %w", s.Cluster, err)
		}
		if out[s.Cluster] == nil {
			out[s.Cluster] = map[ingest.Kind]Tally{}
		}
		out[s.Cluster][ingest.Kind(s.Part)] = n
	}
	return out, nil
}
