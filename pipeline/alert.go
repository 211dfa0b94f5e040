package pipeline

import (
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/store"
)

// memoryName is under what it is kept what the rules of a lane remember.
func (l *lane) memoryName() string { return "rules/" + string(l.kind) }

// alert is the fourth stage: one human action is one alert, however many events
// it left. What rules remember of the events is committed with it.
func (l *lane) alert(w *work) error {
	w.alerts = l.engine.Take(w.events, w.matches)
	l.watch(w)
	parts := l.engine.Checkpoint()
	for _, part := range l.useless {
		parts[part] = ""
	}
	l.useless = nil
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		w.states = append(w.states, store.AnalyticState{Cluster: l.cluster, Analytic: l.memoryName(), Part: part, State: parts[part]})
	}
	return nil
}

// remember gives the engine what its rules remembered when the last batch was committed.
func (l *lane) remember(states []store.AnalyticState) {
	parts := map[string]string{}
	for _, s := range states {
		if s.Analytic == l.memoryName() {
			parts[s.Part] = s.State
		}
	}
	var err error
	if l.useless, err = l.engine.Restore(parts); err != nil {
		l.config.Log.Error("what a rule remembers cannot be read, and is begun anew", "cluster", l.cluster, "error", err)
	}
}
