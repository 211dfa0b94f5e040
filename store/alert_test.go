package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// saw keeps that events were seen in an alert.
func saw(t *testing.T, s *Store, id string, at time.Time, events ...string) {
	t.Helper()
	err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod", Alerts: []AlertSeen{
		{Cluster: "prod", ID: id, Rule: "r", Severity: "high", FirstSeen: at, LastSeen: at, Events: events, Body: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADecisionStaysUntilSomethingNewHappens(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	tests := []struct {
		name    string
		decided AlertStatus
		event   string
		want    AlertStatus
		reason  string
		count   int
	}{
		{"resolved, and seen in a new event", AlertResolved, "second", AlertNew, "", 2},
		{"resolved, and the same event again", AlertResolved, "first", AlertResolved, "because", 1},
		{"dismissed, and seen in a new event", AlertDismissed, "second", AlertDismissed, "because", 2},
		{"in progress, and seen in a new event", AlertInProgress, "second", AlertInProgress, "because", 2},
		{"new, and the same event again", AlertNew, "first", AlertNew, "because", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stores(t, func(t *testing.T, s *Store) {
				saw(t, s, "a", at, "first")
				if err := s.SetAlertStatus(t.Context(), "prod", "a", test.decided, "because"); err != nil {
					t.Fatal(err)
				}
				saw(t, s, "a", at.Add(time.Minute), test.event)
				a, err := s.Alert(t.Context(), "prod", "a")
				if err != nil || a.Status != test.want || a.Reason != test.reason || a.Count != test.count {
					t.Errorf("%+v, %v", a, err)
				}
			})
		})
	}
}

func TestPagesOfAlertsLeaveOutNone(t *testing.T) { stores(t, pagesLeaveOutNone) }

func pagesLeaveOutNone(t *testing.T, s *Store) {
	at := time.UnixMilli(1_700_000_000_000)
	var want []string
	for i := range 9 { // three moments, with three alerts each
		id := fmt.Sprint("a", i)
		want = append(want, id)
		saw(t, s, id, at.Add(-time.Duration(i/3)*time.Minute), id)
	}
	for limit := 1; limit <= 10; limit++ {
		var got []string
		for cursor := ""; ; {
			page, next, err := s.Alerts(t.Context(), AlertFilter{}, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page {
				got = append(got, a.ID)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %v", limit, got)
		}
	}
}

func TestWhatWasAnalysedIsKeptWholeOrNotAtAll(t *testing.T) { stores(t, keptWholeOrNotAtAll) }

func keptWholeOrNotAtAll(t *testing.T, s *Store) {
	put := func(stream string, sequence uint64, name, state string) error {
		return s.PutAnalysed(t.Context(), Analysed{Cluster: "prod",
			Batch:  &EventBatch{Source: "audit", EventPosition: EventPosition{stream, sequence}, Name: name, Received: time.Now()},
			Runs:   []RunCame{{"n", "b", []uint64{sequence}}},
			States: []AnalyticState{{"prod", "tally", "audit", state}},
			Alerts: []AlertSeen{{Cluster: "prod", ID: state, Rule: "r", Severity: "low", Events: []string{state}, Body: []byte("{}")}}})
	}
	steps := []struct {
		what, stream, name, state string
		sequence                  uint64
		again                     bool
	}{
		{"the first", "s", "a", "1", 5, false},
		{"the same", "s", "a", "no", 5, true},
		{"an earlier one", "s", "b", "no", 4, true},
		{"a repetition of the first", "s", "a", "no", 6, true},
		{"the next", "s", "b", "2", 6, false},
		{"one without a name", "s", "", "3", 7, false},
		{"another stream", "t", "", "4", 1, false},
	}
	state := ""
	for _, step := range steps {
		err := put(step.stream, step.sequence, step.name, step.state)
		if step.again != errors.Is(err, ErrAnalysed) || !step.again && err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if !step.again {
			state = step.state
		}
		states, err := s.AnalyticStates(t.Context(), "prod", "")
		if err != nil || len(states) != 1 || states[0].State != state {
			t.Errorf("after %s: %+v, %v", step.what, states, err)
		}
		alerts, _, err := s.Alerts(t.Context(), AlertFilter{}, "", 100)
		if err != nil || fmt.Sprint(len(alerts)) != state {
			t.Errorf("after %s: %d alerts, %v", step.what, len(alerts), err)
		}
	}
	positions, err := s.EventPositions(t.Context(), "prod")
	if err != nil || positions["audit"] != (EventPosition{"t", 1}) {
		t.Errorf("%v, %v", positions, err)
	}
	runs, err := s.SensorRuns(t.Context(), "prod")
	if err != nil || len(runs) != 1 || runs[0].Received != 4 { // 5, 6, 7 and 1
		t.Errorf("%+v, %v", runs, err)
	}
}
