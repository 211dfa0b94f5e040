package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

// The connection is lost when the database has committed and before it said so: the writer does it again.
func TestWhatIsDoneAgainAfterItsAnswerWasLostIsDoneOnce(t *testing.T) {
	ctx := t.Context()
	p := pgtest.Through(t, pgtest.DSN(t))
	s := open(t, p.DSN)
	token, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "runtime", MaxUses: 2})
	if err != nil {
		t.Fatal(err)
	}
	of, err := s.IngestToken(ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	batch := Analysed{Cluster: "prod", Alerts: []AlertSeen{{Cluster: "prod", ID: "a", Rule: "r", Severity: "high", FirstSeen: time.Now(),
		LastSeen: time.Now(), Events: []string{"e"}, Body: []byte(`{}`)}}, Batch: &EventBatch{Source: "sensor a",
		EventPosition: EventPosition{"s", 7}, Received: time.Now()}, Runs: []RunCame{{"node", "boot", []uint64{1, 2, 3}}}}
	joins := joined("n", "1", "k")
	joins.Token = of.ID
	for name, c := range map[string]struct{ write, check func() error }{
		"a batch": {func() error { return s.PutAnalysed(ctx, batch) }, func() error {
			a, err := s.Alert(ctx, "prod", "a")
			runs, rerr := s.SensorRuns(ctx, "prod")
			if err := errors.Join(err, rerr); err != nil || a.Count != 1 || len(runs) != 1 || runs[0].Received != 3 {
				return fmt.Errorf("an alert of %d events, runs %+v, %w", a.Count, runs, err)
			}
			return nil
		}},
		"a node that joins": {func() error { joins.Serial += "1"; return s.AddCertificate(ctx, joins, true) }, func() error {
			if of, err := s.IngestToken(ctx, token); err != nil || of.Uses != 1 {
				return fmt.Errorf("the token was used %d times, %w", of.Uses, err)
			}
			return nil
		}},
		"what a person did": {func() error { return s.Record(ctx, Activity{Person: "alice", Action: "look"}) }, func() error {
			_, err := s.VerifyActivities(ctx)
			return err
		}},
		"an image": {func() error { return s.PutImage(ctx, assess.Record{ID: "i", State: assess.Done}, nil) }, func() error {
			if _, there, err := s.Image(ctx, "i"); err != nil || !there {
				return fmt.Errorf("it is not there, %w", err)
			}
			return nil
		}},
	} {
		p.LoseNextCommit()
		if err := c.write(); err == nil {
			t.Errorf("%s: it says that it was kept, and nobody told it so", name)
		}
		if err := c.write(); err != nil && !errors.Is(err, ErrAnalysed) {
			t.Errorf("%s, again: %v", name, err)
		}
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A database that takes what is said and says nothing more, as where the network between is gone.
func TestWhoAsksADatabaseThatSaysNothingCanBeCalledBackAndGoesOnLater(t *testing.T) {
	p := pgtest.Through(t, pgtest.DSN(t))
	s := open(t, p.DSN)
	p.StandStill()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2*poolSize)
	for i := range cap(done) {
		go func() { done <- s.PutImage(ctx, assess.Record{ID: fmt.Sprint(i), State: assess.Done}, nil) }()
	}
	cancel()
	for range cap(done) {
		select {
		case err := <-done:
			if err == nil {
				t.Error("something is kept by a database that says nothing")
			}
		case <-time.After(2 * time.Minute):
			t.Fatal("who was called back waits on")
		}
	}
	p.GoOn()
	if err := s.PutImage(t.Context(), assess.Record{ID: "later", State: assess.Done}, nil); err != nil {
		t.Error(err)
	}
}
