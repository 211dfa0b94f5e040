package pipeline

import (
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/store"
)

// Analytic is a judgement that needs a memory of earlier events: how many there
// were, what is usual. One belongs to one lane: a cluster's events of one kind. The parts of its
// state are named so that those of two kinds are not the same. What it remembers is committed
// together with the position of the batch it observed, so it observes every event
// once, however the process ends.
type Analytic interface {
	// Name is under what its state is kept.
	Name() string
	// Restore takes the parts of its state that were committed; it is called
	// before anything is observed.
	Restore(parts map[string]string) error
	Observe(e *event.Event)
	// Checkpoint gives the parts of the state that changed since it was last
	// called. Many small parts cost less than one large: what did not change is
	// not written.
	Checkpoint() (parts map[string]string)
}

// analytics are those that every lane has.
func analytics() []Analytic { return []Analytic{newTally()} }

// state is the third stage: analytics observe the events.
func (l *lane) state(w *work) error {
	for _, a := range l.analytics {
		for i := range w.events {
			a.Observe(&w.events[i])
		}
		for part, state := range a.Checkpoint() {
			w.states = append(w.states, store.AnalyticState{Cluster: l.cluster, Analytic: a.Name(), Part: part, State: state})
		}
	}
	return nil
}

// restore makes the analytics as they were when the last batch was committed. One
// that cannot read its state says so and begins anew: it must not end detection.
func (l *lane) restore(states []store.AnalyticState) {
	by := map[string]map[string]string{}
	for _, s := range states {
		if by[s.Analytic] == nil {
			by[s.Analytic] = map[string]string{}
		}
		by[s.Analytic][s.Part] = s.State
	}
	l.analytics = append(analytics(), l.config.Analytics()...)
	for _, a := range l.analytics {
		if err := a.Restore(by[a.Name()]); err != nil {
			l.config.Log.Error("an analytic cannot read what it learned, and begins anew", "cluster", l.cluster, "analytic", a.Name(), "error", err)
		}
	}
}
