package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// lane is the analysis of one source. Its goroutine alone touches it.
type lane struct {
	*Pipeline
	sender
	asked chan request
	turn  share // of the processors
	// What the lane remembers. The engine is nil until it is read from the records.
	engine    *detect.Engine
	decoder   audit.Decoder // remembers what objects were; versions tell it that a batch comes again
	analytics []Analytic
	watched   *detect.Watched                // which requests the log shows
	positions map[string]store.EventPosition // by kind: what is committed
	ahead     *lookahead                     // what comes next; nil if nobody looks. While it is decoded, nothing else is
	// half is true while a batch has changed what the lane remembers and is not
	// committed. If it breaks off there, the lane goes on as after a restart.
	half bool
	// useless are parts of what rules remembered that no rule wants any more.
	useless []string
}

// request asks a lane to analyse a batch.
type request struct {
	batch ingest.Batch
	done  chan error
}

// work is a batch on its way through the stages, with what each adds. What
// becomes known without a batch takes the way from alert on.
type work struct {
	batch *ingest.Batch

	events     []event.Event         // decode
	runs       []store.RunCame       // decode: which records of sensors came
	unreadable int                   // decode: what is no event
	blind      int                   // decode: requests whose objects the log left out
	matches    []detect.Match        // match
	undecided  map[string]int        // match: events that rules could not be judged for, by rule
	states     []store.AnalyticState // state
	alerts     []detect.Alert        // alert
	incidents  []Incident            // correlate
}

// stage is a step of the way. Those that remember change what is committed later; the
// others can be done before the turn of a batch has come.
type stage struct {
	name      string
	do        func(*lane, *work) error
	remembers bool
}

// stages are what a batch goes through before its results are committed; notify
// follows.
func stages() []stage {
	return []stage{
		{"decode", (*lane).decode, false},
		{"match", (*lane).match, false},
		{"state", (*lane).state, true},
		{"alert", (*lane).alert, true},
		{"correlate", (*lane).correlate, true},
	}
}

func newLane(p *Pipeline, s sender) *lane {
	return &lane{Pipeline: p, sender: s, asked: make(chan request),
		decoder: audit.Decoder{Cluster: s.cluster, Proxies: p.config.Proxies}}
}

// analyse asks the lane to take a batch, and waits until all that came of it is
// kept. The batch is not at fault where ctx ended.
func (l *lane) analyse(ctx context.Context, b ingest.Batch) error {
	r := request{b, make(chan error, 1)}
	select {
	case l.asked <- r:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run owns the lane until ctx ends.
func (l *lane) run(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	defer l.settled()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-l.asked:
			r.done <- l.whole(func() error { return l.batch(ctx, &work{batch: &r.batch}) })
		case <-tick.C:
			if l.kind != ingest.Runtime {
				continue // what an audit log tells of is named there
			}
			if err := l.whole(func() error { return l.complete(ctx, &work{}) }); err != nil && ctx.Err() == nil {
				l.config.Log.Error("cannot complete alerts", "cluster", l.cluster, "error", err)
			}
		}
	}
}

// whole does all or nothing: if it breaks off, the lane goes on from what is committed.
func (l *lane) whole(do func() error) error {
	err := safely(do)
	if err != nil && l.half {
		l.forget()
	}
	return err
}

// safely makes a panic of one batch an error of that batch.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// batch takes a batch through all stages. One that was committed before, and came
// again because it was not acknowledged, changes nothing.
func (l *lane) batch(ctx context.Context, w *work) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	if !l.positions[string(w.batch.Kind)].Before(store.EventPosition{Stream: w.batch.Stream, Sequence: w.batch.Sequence}) {
		return nil
	}
	if err := l.prepared(ctx, w); err != nil {
		return err
	}
	l.lookAhead(ctx, w.batch)
	l.half = true
	if err := l.through(ctx, w, true); err != nil {
		return err
	}
	err := l.finish(ctx, w)
	if errors.Is(err, store.ErrAnalysed) { // a sender repeated it, or another process was faster
		l.forget()
		return nil
	}
	return err
}

// prepare takes a batch through the stages that remember nothing.
func (l *lane) prepare(ctx context.Context, w *work) error { return l.through(ctx, w, false) }

// through takes a batch through the stages that remember, or the others, when it is the
// lane's turn.
func (l *lane) through(ctx context.Context, w *work, remember bool) error {
	done, err := l.turns.take(ctx, &l.turn)
	if err != nil {
		return err
	}
	defer done()
	for _, s := range stages() {
		if s.remembers != remember {
			continue
		}
		if err := s.do(l, w); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// finish commits what came of the stages and tells of it.
func (l *lane) finish(ctx context.Context, w *work) error {
	if err := l.commit(ctx, w); err != nil {
		return err
	}
	l.half = false
	l.notify(w)
	return nil
}

// forget makes the lane read again what it remembers.
func (l *lane) forget() { l.engine, l.half = nil, false }

// ready reads what the lane remembers, if that is not done: how far it is, what
// analytics learned, the alerts that events may still belong to.
func (l *lane) ready(ctx context.Context) error {
	if l.engine != nil {
		return nil
	}
	open, err := l.openAlerts(ctx)
	if err != nil {
		return err
	}
	var states []store.AnalyticState
	err = l.retry(ctx, "read what was analysed", func() (err error) {
		if l.positions, err = l.config.Records.EventPositions(ctx, l.cluster); err == nil {
			states, err = l.config.Records.AnalyticStates(ctx, l.cluster, "")
		}
		return err
	})
	if err != nil {
		return err
	}
	l.restore(states)
	l.engine = detect.New(l.config.Rules, l.config.Clusters, detect.Options{Window: window, Alerts: openMost})
	l.engine.Resume(open)
	l.remember(states)
	if l.watched, err = watches(l.config.Rules, states); err != nil {
		l.config.Log.Error("which requests the log shows cannot be read, and is begun anew", "cluster", l.cluster, "error", err)
	}
	return nil
}

// openMost is how many alerts a lane goes on with, and so how many it reads at a start, however
// many there are.
const openMost = 2_000

// openAlerts are the newest of those last seen within the window, oldest first.
func (l *lane) openAlerts(ctx context.Context) (open []detect.Alert, err error) {
	filter := store.AlertFilter{Clusters: []string{l.cluster}, Since: time.Now().Add(-window)}
	for cursor, read := "", 0; read < openMost; {
		var page []store.Alert
		err := l.retry(ctx, "read alerts", func() (err error) {
			page, cursor, err = l.config.Records.Alerts(ctx, filter, cursor, min(500, openMost-read))
			return err
		})
		if err != nil {
			return nil, err
		}
		read += len(page)
		for _, stored := range page {
			if !l.goesOnWith(stored.Rule) {
				continue
			}
			var one detect.Alert
			if err := json.Unmarshal(stored.Body, &one); err != nil {
				l.config.Log.Error("a stored alert cannot be read, and is not gone on with", "cluster", l.cluster, "alert", stored.ID, "error", err)
				continue
			}
			open = append(open, one)
		}
		if cursor == "" {
			break
		}
	}
	slices.Reverse(open)
	return open, nil
}

// goesOnWith says whether alerts of a rule are this lane's. Those of a rule that is no more are the
// audit log's, and what a sensor's events tell beside themselves is told in their lane.
func (l *lane) goesOnWith(rule string) bool {
	kind, known := l.kinds[rule]
	if !known {
		kind = ingest.Audit
	}
	return kind == l.kind || l.kind == ingest.Runtime && kind != ingest.Audit
}

// retry waits for a database that is away: neither the batch nor the lane can do
// anything about it, and later batches of the cluster wait.
func (l *lane) retry(ctx context.Context, what string, do func() error) error {
	said := false
	return backoff.Retry(ctx, func(err error) bool {
		if errors.Is(err, store.ErrAnalysed) {
			return false
		}
		if !said && ctx.Err() == nil {
			l.config.Log.Warn("the database cannot be used; trying again", "what", what, "cluster", l.cluster, "error", err)
			said = true
		}
		return true
	}, do)
}
