package sample

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/terminal"
)

// played sends each cluster's recording, unless an earlier start did, and waits until it was analysed.
func (v *tour) played(ctx context.Context, kind ingest.Kind, of func(harborshop.Cluster) []byte,
	send func(ctx context.Context, cluster string, recording []byte) error) error {
	for _, c := range v.Estate.Clusters {
		events, err := v.Analysed(ctx, c.Name, kind)
		if err != nil {
			return err
		}
		if len(of(c)) == 0 || events > 0 {
			continue
		}
		if err := send(ctx, c.Name, of(c)); err != nil {
			return err
		}
		// A recording is one batch, and what comes of a batch is one transaction.
		for end := time.Now().Add(readWithin); events == 0 && time.Now().Before(end); {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
			if events, err = v.Analysed(ctx, c.Name, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// join makes a token for a cluster's events of one kind, and says who vouches for the server.
func (v *tour) join(ctx context.Context, cluster string, kind ingest.Kind) (ca []byte, token string, err error) {
	authority, err := ingest.OpenAuthority(v.Data.Authority())
	if err != nil {
		return nil, "", err
	}
	token, err = v.Store.NewIngestToken(ctx, store.IngestToken{Cluster: cluster, Kind: string(kind), MadeBy: "the sample",
		ExpiresAt: time.Now().Add(24 * time.Hour)})
	return authority.PEM, token, err
}

func (v *tour) eventsURL() string { return "https://" + v.EventsAddr() }

// mostTold bounds how many alerts are told.
const mostTold = 10

// alerts are those of one kind that were seen since then.
func (v *tour) alerts(ctx context.Context, kind ingest.Kind, since time.Time) (out []detect.Alert, err error) {
	stored, _, err := v.Store.Alerts(ctx, store.AlertFilter{Since: since}, "", 500)
	if err != nil {
		return nil, err
	}
	for _, s := range stored {
		var a detect.Alert
		if err := json.Unmarshal(s.Body, &a); err != nil {
			return nil, err
		}
		// A sensor sees processes, an API server does not.
		if slices.ContainsFunc(a.Entities, func(e event.Entity) bool { return e.Kind == "Process" }) == (kind == ingest.Runtime) {
			out = append(out, a)
		}
	}
	return out, nil
}

// tell tells alerts of one kind, each with the attack path that one of its entities lies on.
func (v *tour) tell(ctx context.Context, out io.Writer, kind ingest.Kind, since time.Time) error {
	alerts, err := v.alerts(ctx, kind, since)
	if err != nil {
		return err
	}
	for _, a := range alerts[:min(len(alerts), mostTold)] {
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
	if more := len(alerts) - mostTold; more > 0 {
		fmt.Fprintf(out, "   … and %d more alerts\n", more)
	}
	fmt.Fprintln(out)
	return nil
}
