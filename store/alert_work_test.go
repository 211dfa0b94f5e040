package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatPeopleDoWithAnAlertIsKeptInItsOrder(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		saw(t, s, "a", time.UnixMilli(1_700_000_000_000), "e")
		for _, c := range []AlertChange{
			{Assignee: new("bob"), Status: new(AlertInProgress), By: "alice"},
			{Comment: "seen on two nodes", By: "bob"},
			{Assignee: new("bob"), By: "carol"}, // as it is
			{Status: new(AlertDismissed), Reason: "a drill", Comment: "asked the team", By: "bob"},
			{Status: new(AlertDismissed), Reason: "a drill", By: "carol"}, // as it is
			{Assignee: new(""), By: "alice"},
		} {
			if err := s.ChangeAlert(t.Context(), "prod", "a", c); err != nil {
				t.Fatal(err)
			}
		}
		notes, err := s.AlertNotes(t.Context(), "prod", "a")
		var got []string
		for _, n := range notes {
			got = append(got, strings.TrimSpace(n.Person+" "+n.What+" "+n.Words))
			if time.Since(n.At) > time.Hour {
				t.Errorf("at %s", n.At)
			}
		}
		const want = "alice in progress; alice assignee bob; bob comment seen on two nodes; bob dismissed a drill; bob comment asked the team; " +
			"alice assignee"
		if said := strings.Join(got, "; "); said != want || err != nil {
			t.Errorf("%s, %v; want %s", said, err, want)
		}
		if a, err := s.Alert(t.Context(), "prod", "a"); err != nil || a.Assignee != "" || a.DecidedBy != "bob" {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestAChangeOfAnAlertIsBounded(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		saw(t, s, "a", time.UnixMilli(1_700_000_000_000), "e")
		for what, c := range map[string]AlertChange{
			"nothing":         {},
			"a long comment":  {Comment: strings.Repeat("c", LongestNote+1)},
			"a long reason":   {Status: new(AlertResolved), Reason: strings.Repeat("c", LongestNote+1)},
			"a long assignee": {Assignee: new(strings.Repeat("c", LongestName+1))},
		} {
			if err := s.ChangeAlert(t.Context(), "prod", "a", c); !errors.Is(err, ErrAlertChange) {
				t.Errorf("%s: %v", what, err)
			}
		}
		whole := AlertChange{
			Status:   new(AlertResolved),
			Reason:   strings.Repeat("c", LongestNote),
			Assignee: new(strings.Repeat("c", LongestName)),
			Comment:  strings.Repeat("c", LongestNote),
		}
		if err := s.ChangeAlert(t.Context(), "prod", "a", whole); err != nil {
			t.Error(err)
		}
		if err := s.ChangeAlert(t.Context(), "dev", "a", whole); !errors.Is(err, ErrNotFound) {
			t.Errorf("an alert of another cluster: %v", err)
		}
	})
}

// TestTheNewestNotesAreKept: who writes many does not fill the database.
func TestTheNewestNotesAreKept(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "b.db"))
	saw(t, s, "a", time.UnixMilli(1_700_000_000_000), "e")
	for i := range maxNotes + 2 {
		if err := s.ChangeAlert(t.Context(), "prod", "a", AlertChange{Comment: fmt.Sprint(i), By: "alice"}); err != nil {
			t.Fatal(err)
		}
	}
	notes, err := s.AlertNotes(t.Context(), "prod", "a")
	if err != nil || len(notes) != maxNotes || notes[0].Words != "2" || notes[maxNotes-1].Words != fmt.Sprint(maxNotes+1) {
		t.Errorf("%d notes, %v", len(notes), err)
	}
}
