package pipeline

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/breakwater-sec/breakwater/store"
)

// commit keeps all that came of a batch. It waits for a database that is away.
func (l *lane) commit(ctx context.Context, w *work) error {
	seen := make([]store.AlertSeen, 0, len(w.alerts))
	for _, a := range w.alerts {
		body, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("store alert %s: %w", a.ID, err)
		}
		seen = append(seen, store.AlertSeen{Cluster: a.Cluster, ID: a.ID, Rule: a.Rule, Severity: a.Severity, FirstSeen: a.First, LastSeen: a.Last, Events: a.Acts, Body: body})
	}
	return l.retry(ctx, "store alerts", func() error {
		if len(w.runs) > 0 {
			if err := l.config.Records.Received(ctx, l.cluster, w.batch.Received, w.runs...); err != nil {
				return err
			}
		}
		if len(seen) == 0 {
			return nil
		}
		return l.config.Records.PutAlerts(ctx, seen...)
	})
}
