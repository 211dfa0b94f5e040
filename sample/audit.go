package sample

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/ingest/sender"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/terminal"
)

// playAudit sends the sample's recorded audit log the way an API server would:
// over TLS, with a token. Once told, it is not sent again.
func (v *tour) playAudit(ctx context.Context) error {
	for _, c := range v.Estate.Clusters {
		known, _, err := v.Store.Alerts(ctx, store.AlertFilter{Clusters: []string{c.Name}}, "", 1)
		if err != nil {
			return err
		}
		if len(c.Audit) == 0 || len(known) > 0 {
			continue
		}
		body, err := eventList(c.Audit, time.Now())
		if err != nil {
			return err
		}
		if err := v.sendAudit(ctx, c.Name, body); err != nil {
			return fmt.Errorf("send the sample's audit log: %w", err)
		}
	}
	return nil
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

func (v *tour) sendAudit(ctx context.Context, cluster string, body []byte) error {
	ca, err := ingest.OpenAuthority(v.Data.Authority())
	if err != nil {
		return err
	}
	token, err := v.Store.NewIngestToken(ctx, cluster, string(ingest.Audit))
	if err != nil {
		return err
	}
	to, err := sender.New("https://"+v.EventsAddr()+"/v1/audit/"+cluster, token, ca.PEM)
	if err != nil {
		return err
	}
	defer to.Close()
	return to.Send(ctx, body, false)
}

// alertStory tells what the sample's audit log was found to say.
func (v *tour) alertStory(ctx context.Context, out io.Writer) error {
	if err := v.playAudit(ctx); err != nil {
		return err
	}
	var found []store.Alert
	for end := time.Now().Add(readWithin); len(found) == 0 && time.Now().Before(end); {
		var err error
		if found, _, err = v.Store.Alerts(ctx, store.AlertFilter{}, "", 10); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	fmt.Fprintln(out, "From the audit log (recorded from a real API server):")
	for _, stored := range found {
		var a detect.Alert
		if err := json.Unmarshal(stored.Body, &a); err != nil {
			return err
		}
		terminal.Path(out, a.Severity, a.Title, a.Cluster, a.Evidence)
		for _, e := range a.Entities {
			about, known := v.Context.About(a.Cluster, e)
			if !known || len(about.Paths) == 0 {
				continue
			}
			fmt.Fprintf(out, "   %s %s lies on an attack path: %s\n", e.Kind, terminal.Plain(e.Name), terminal.Plain(about.Paths[0].Title))
			break
		}
	}
	fmt.Fprintln(out)
	return nil
}
