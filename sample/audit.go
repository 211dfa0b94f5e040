package sample

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/ingest/sender"
)

// auditStory sends the sample's recorded audit log and tells what it was found to say.
func (v *tour) auditStory(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "From the audit log (recorded from a real API server):")
	err := v.played(ctx, ingest.Audit, func(c harborshop.Cluster) []byte { return c.Audit }, v.sendAudit)
	if err != nil {
		return fmt.Errorf("send the sample's audit log: %w", err)
	}
	return v.tell(ctx, out, ingest.Audit, time.Time{})
}

// sendAudit posts a log the way an API server does: over TLS, with a token.
func (v *tour) sendAudit(ctx context.Context, cluster string, log []byte) error {
	body, err := eventList(log, time.Now())
	if err != nil {
		return err
	}
	ca, token, err := v.join(ctx, cluster, ingest.Audit)
	if err != nil {
		return err
	}
	to, err := sender.New(v.eventsURL()+"/v1/audit/"+cluster, token, ca)
	if err != nil {
		return err
	}
	defer to.Close()
	return to.Send(ctx, body, false)
}

// eventList is a log as a webhook's body. The recording was made some day; the
// sample happens now.
func eventList(log []byte, now time.Time) ([]byte, error) {
	list := map[string]any{"kind": "EventList", "apiVersion": "audit.k8s.io/v1"}
	var items []map[string]any
	for line := range bytes.Lines(log) {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		e["requestReceivedTimestamp"] = now.UTC().Format("2006-01-02T15:04:05.000000Z")
		e["stageTimestamp"] = e["requestReceivedTimestamp"]
		items = append(items, e)
	}
	list["items"] = items
	return json.Marshal(list)
}
