package store

import (
	"strings"
	"testing"
	"time"
)

func TestLivesAndHistoryGoWithANewIdAndSeveralBecomeOne(t *testing.T) { stores(t, renamed) }

func renamed(t *testing.T, s *Store) {
	ctx := t.Context()
	for i, a := range []Analysis{{Paths: found("late")}, {Paths: found("early", "stays")}, {Paths: found("early", "late", "stays")}} {
		if i == 0 {
			continue // late opens after early
		}
		a.Cluster, a.Version, a.At = "prod", uint64(i), time.Unix(1000+int64(i), 0)
		if _, _, err := s.Apply(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	ids := map[string]string{"late": "one", "early": "one", "stays": "stays", "unknown": "two"}
	for range 2 { // the second time changes nothing
		if err := s.Rename(ctx, "prod", ids, time.Unix(2000, 0)); err != nil {
			t.Fatal(err)
		}
		if got, want := lives(t, s), "one active since 1001; stays active since 1001; late resolved since 1002"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for id, want := range map[string]string{"one": "opened", "late": "opened, told with one", "early": ""} {
		history, err := s.PathHistory(ctx, "prod", id)
		var whats []string
		for _, e := range history {
			whats = append(whats, e.What)
		}
		if got := strings.Join(whats, ", "); err != nil || got != want {
			t.Errorf("history of %s: %q, %v, want %q", id, got, err, want)
		}
	}
	done, open, err := s.Apply(ctx, Analysis{Cluster: "prod", Version: 9, At: time.Unix(3000, 0), Paths: found("one", "stays")})
	if err != nil || done.Opened+done.Resolved != 0 || len(open) != 2 {
		t.Errorf("what was renamed is found by its new id: %+v, %v, %v", done, open, err)
	}
}

func TestALifeGoesOnWhenMoreIsKnownOfItsPath(t *testing.T) { stores(t, knownBetter) }

func knownBetter(t *testing.T, s *Store) {
	ctx := t.Context()
	better := func(before string, ids ...string) []FoundPath {
		paths := found(ids...)
		for i := range paths {
			paths[i].Before = before
		}
		return paths
	}
	for i, step := range []struct {
		paths []FoundPath
		want  string
	}{
		{found("possible"), "possible active since 1000"},
		{better("possible", "known", "possible"), "known active since 1001; possible active since 1000"}, // both are there
		{better("possible", "known"), "known active since 1001; possible resolved since 1000"},
		{found("other"), "other active since 1003; known resolved since 1001; possible resolved since 1000"},
		{better("other", "more"), "more active since 1003; known resolved since 1001; possible resolved since 1000"},
		{better("other", "more"), "more active since 1003; known resolved since 1001; possible resolved since 1000"},
	} {
		a := Analysis{Cluster: "prod", Version: uint64(i + 1), At: time.Unix(1000+int64(i), 0), Paths: step.paths}
		if _, _, err := s.Apply(ctx, a); err != nil {
			t.Fatal(err)
		}
		if got := lives(t, s); got != step.want {
			t.Errorf("%d: %s, want %s", i, got, step.want)
		}
	}
	history, err := s.PathHistory(ctx, "prod", "more")
	if err != nil || len(history) != 2 || history[0].What != "opened" || history[1].What != "known better" {
		t.Errorf("%+v, %v", history, err)
	}
}
