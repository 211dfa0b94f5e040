package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/breakwater-sec/breakwater/store"
)

// alertsAtOnce bounds the alerts of one transaction: while it lasts, every other source waits
// for the database.
const alertsAtOnce = 32

// commit keeps all that came of a batch, in one transaction: the alerts, what
// analytics learned, and that the batch is done. Where there are very many alerts, the first
// are kept by themselves: if the process ends then, the batch comes again, and tells the same
// of the same acts, which changes nothing. It waits for a database that is
// away. store.ErrAnalysed says that it was done before.
func (l *lane) commit(ctx context.Context, w *work) error {
	out := store.Analysed{Cluster: l.cluster, Runs: w.runs, States: w.states}
	for _, a := range w.alerts {
		body, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("store alert %s: %w", a.ID, err)
		}
		out.Alerts = append(out.Alerts, store.AlertSeen{Cluster: a.Cluster, ID: a.ID, Rule: a.Rule, Severity: a.Severity,
			FirstSeen: a.First, LastSeen: a.Last, Events: a.Acts, Body: body})
	}
	if b := w.batch; b != nil {
		out.Batch = &store.EventBatch{Source: string(b.Kind), EventPosition: store.EventPosition{Stream: b.Stream, Sequence: b.Sequence},
			Name: b.Name, Received: b.Received}
	}
	put := func(a store.Analysed) error {
		return l.retry(ctx, "store what came of events", func() error { return l.config.Records.PutAnalysed(ctx, a) })
	}
	for ; len(out.Alerts) > alertsAtOnce; out.Alerts = out.Alerts[alertsAtOnce:] {
		if err := put(store.Analysed{Cluster: l.cluster, Alerts: out.Alerts[:alertsAtOnce]}); err != nil {
			return err
		}
	}
	if err := put(out); err != nil {
		return err
	}
	if out.Batch != nil {
		l.positions[out.Batch.Source] = out.Batch.EventPosition
	}
	return nil
}
