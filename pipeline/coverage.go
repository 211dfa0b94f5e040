package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// Under these names it is kept which requests a cluster's log shows, and what rules made of them.
const (
	coverageName = "coverage"
	judgedName   = "judged"
)

// watch notes what was seen, for what is said of which rules can fire.
func (l *lane) watch(w *work) {
	if l.kind != ingest.Audit {
		return // what sensors send has no level
	}
	l.watched.Take(w.events, w.matches, w.undecided)
	l.watched.Memories(l.engine)
	for part, state := range l.watched.Checkpoint() {
		name := coverageName
		if detect.IsJudged(part) {
			name = judgedName
		}
		w.states = append(w.states, store.AnalyticState{Cluster: l.cluster, Analytic: name, Part: part, State: state})
	}
}

// watches makes of what was kept what it was.
func watches(rules *detect.Rules, states []store.AnalyticState) (*detect.Watched, error) {
	parts := map[string]string{}
	for _, s := range states {
		if s.Analytic == coverageName || s.Analytic == judgedName {
			parts[s.Part] = s.State
		}
	}
	w := detect.Watch(rules)
	if err := w.Restore(parts); err != nil {
		return detect.Watch(rules), err
	}
	return w, nil
}

// Coverage says of each cluster that sends an audit log which rules can fire there, and why others cannot.
func (p *Pipeline) Coverage(ctx context.Context) (map[string][]detect.Covered, error) {
	by := map[string][]store.AnalyticState{}
	for _, name := range []string{coverageName, judgedName} {
		states, err := p.config.Records.AnalyticStates(ctx, "", name)
		if err != nil {
			return nil, err
		}
		for _, s := range states {
			by[s.Cluster] = append(by[s.Cluster], s)
		}
	}
	out := map[string][]detect.Covered{}
	for cluster, parts := range by {
		w, err := watches(p.config.Rules, parts)
		if err != nil {
			return nil, fmt.Errorf("read which rules can fire on %s: %w", cluster, err)
		}
		out[cluster] = w.Coverage(time.Now())
	}
	return out, nil
}

// Undecided is how many events which rules could not be judged for, by cluster, over all restarts.
func (p *Pipeline) Undecided(ctx context.Context) (map[string]map[string]int, error) {
	states, err := p.config.Records.AnalyticStates(ctx, "", judgedName)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]int{}
	for _, s := range states {
		w := detect.Watch(p.config.Rules)
		if err := w.Restore(map[string]string{s.Part: s.State}); err != nil {
			return nil, fmt.Errorf("read which rules of %s could not be judged: %w", s.Cluster, err)
		}
		for rule, n := range w.Undecided() {
			if out[s.Cluster] == nil {
				out[s.Cluster] = map[string]int{}
			}
			out[s.Cluster][rule] = n
		}
	}
	return out, nil
}
