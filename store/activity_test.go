package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

func did(t *testing.T, s *Store, person, action string, at time.Time) {
	t.Helper()
	if err := s.Record(t.Context(), Activity{At: at, Person: person, Role: Operator, Address: "192.0.2.7", Action: action,
		Object:  "registry.example",
		Outcome: Done}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatPeopleDidIsListedNewestFirstInPages(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for n, who := range []string{"alice", "bob", "alice", "carol", "alice"} {
			did(t, s, who, []string{"sign-in", "dismiss"}[n%2], start.Add(time.Duration(n)*time.Hour))
		}
		all, next, err := s.Activities(t.Context(), ActivityFilter{}, "", 10)
		if err != nil || next != "" || len(all) != 5 || all[0].Seq != 5 || all[4].Seq != 1 {
			t.Fatalf("%+v, %q, %v", all, next, err)
		}
		want := Activity{1, start, "alice", Operator, "192.0.2.7", "sign-in", "registry.example", "", Done}
		if all[4] != want {
			t.Errorf("%+v, want %+v", all[4], want)
		}
		for _, c := range []struct {
			filter ActivityFilter
			want   string
		}{
			{ActivityFilter{}, "5 4|3 2|1"}, {ActivityFilter{Person: "alice"}, "5 3|1"}, {ActivityFilter{Action: "dismiss"}, "4 2"},
			{ActivityFilter{Person: "alice", Action: "dismiss"}, ""}, {ActivityFilter{Since: start.Add(3 * time.Hour)}, "5 4"},
			{ActivityFilter{Address: "192.0.2.8"}, ""},
		} {
			if n, err := s.CountActivities(t.Context(), c.filter); err != nil || n != len(strings.Fields(strings.ReplaceAll(c.want, "|", " "))) {
				t.Errorf("%+v: %d, %v", c.filter, n, err)
			}
			var pages []string
			for cursor := ""; ; {
				page, next, err := s.Activities(t.Context(), c.filter, cursor, 2)
				if err != nil {
					t.Fatal(err)
				}
				var seqs []string
				for _, a := range page {
					seqs = append(seqs, fmt.Sprint(a.Seq))
				}
				pages = append(pages, strings.Join(seqs, " "))
				if cursor = next; next == "" {
					break
				}
			}
			if got := strings.Join(pages, "|"); got != c.want {
				t.Errorf("%+v: %s, want %s", c.filter, got, c.want)
			}
		}
		if _, _, err := s.Activities(t.Context(), ActivityFilter{}, "nonsense", 2); !errors.Is(err, ErrCursor) {
			t.Error(err)
		}
		people, actions, err := s.ActivityFacets(t.Context())
		if err != nil || strings.Join(people, " ") != "alice bob carol" || strings.Join(actions, " ") != "dismiss sign-in" {
			t.Errorf("%v, %v, %v", people, actions, err)
		}
	})
}

func TestWhatIsRecordedIsBoundedAndNeverBroken(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, text := range []string{strings.Repeat("ü", 400), strings.Repeat("a", longestActivity), strings.Repeat("a", 1<<20), "a\x00b\xff"} {
			if err := s.Record(t.Context(), Activity{Person: text, Object: text, Outcome: text}); err != nil {
				t.Fatal(err)
			}
			got, _, err := s.Activities(t.Context(), ActivityFilter{}, "", 1)
			if err != nil || len(got) != 1 || len(got[0].Object) > longestActivity || !utf8.ValidString(got[0].Object) ||
				got[0].Object[:1] != text[:1] || len(text) <= longestActivity && utf8.ValidString(text) && got[0].Object != text {
				t.Errorf("%.20q…: %+v, %v", text, got, err)
			}
			if got[0].At.Before(time.Now().Add(-time.Hour)) {
				t.Errorf("no time: %v", got[0].At)
			}
		}
		if _, err := s.VerifyActivities(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAChangedRecordIsNoticed(t *testing.T) {
	for name, c := range map[string]struct{ change, want string }{
		"nothing": {``, ""},
		"who": {`UPDATE activity SET person = 'bob' WHERE seq = 3`,
			"number 3, of 2026-03-01T03:00:00Z, is not what was written"},
		"when":                       {`UPDATE activity SET at = at + 1 WHERE seq = 3`, "number 3,"},
		"what of the first":          {`UPDATE activity SET action = 'nothing' WHERE seq = 1`, "number 1,"},
		"the outcome of the last":    {`UPDATE activity SET outcome = 'refused' WHERE seq = 5`, "number 5,"},
		"one is taken out":           {`DELETE FROM activity WHERE seq = 3`, "number 3 is missing"},
		"the last is taken off":      {`DELETE FROM activity WHERE seq = 5`, "it ends at number 4, and 5 were written"},
		"all are gone":               {`DELETE FROM activity`, "it ends at number 0, and 5 were written"},
		"with its hash":              {`UPDATE activity SET hash = 'x' WHERE seq = 5`, "number 5,"},
		"the oldest were forgotten":  {`DELETE FROM activity WHERE seq < 3`, ""},
		"the end points elsewhere":   {`UPDATE activity_head SET seq = 4`, "its end, number 4"},
		"the end has another's hash": {`UPDATE activity_head SET hash = 'x'`, "its end, number 5"},
	} {
		t.Run(name, func(t *testing.T) {
			stores(t, func(t *testing.T, s *Store) {
				for n := range 5 {
					did(t, s, "alice", "dismiss", time.Date(2026, 3, 1, n+1, 0, 0, 0, time.UTC))
				}
				if c.change != "" {
					if _, err := s.db.ExecContext(t.Context(), c.change); err != nil {
						t.Fatal(err)
					}
				}
				chain, err := s.VerifyActivities(t.Context())
				if c.want == "" && (err != nil || chain.Last != 5 || chain.Rows != 6-chain.First || len(chain.Hash) != 64) {
					t.Errorf("%+v, %v", chain, err)
				}
				if c.want != "" && (!errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
			})
		})
	}
}

func TestManyRecordAtOnceInOneChain(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := s.Record(t.Context(), Activity{Person: "alice", Action: "dismiss"}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if c, err := s.VerifyActivities(t.Context()); err != nil || c.Rows != 20 || c.First != 1 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestTheRecordIsForgottenFromTheOldestOn(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Now()
		for n := range 5 {
			did(t, s, "alice", "dismiss", now.Add(time.Duration(n-5)*30*day))
		}
		if _, err := s.Sweep(t.Context(), Retention{"activity": {Keep: 100 * day}}, now); err != nil {
			t.Fatal(err)
		}
		if c, err := s.VerifyActivities(t.Context()); err != nil || c.First != 3 || c.Rows != 3 {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestASessionIsOfTheServerThatGaveIt(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		one, two := s.For("one.localhost"), s.For("two.localhost")
		link, err := one.NewSignIn(t.Context(), time.Minute, "", "alice")
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []*Store{two, s} {
			if _, err := other.SignIn(t.Context(), link, time.Hour); !errors.Is(err, ErrNotFound) {
				t.Errorf("a link of another server: %v", err)
			}
		}
		session, err := one.SignIn(t.Context(), link, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []*Store{two, s} {
			if _, err := other.Session(t.Context(), session); !errors.Is(err, ErrNotFound) {
				t.Errorf("a session of another server: %v", err)
			}
		}
		if got, err := one.Session(t.Context(), session); err != nil || got.Person != "alice" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A deletion would wait for the writer, or make it wait.
func TestWhoGuessesLinksWaitsForNoWriter(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir()+"/b.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.write(t.Context(), func(*sql.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := s.SignIn(ctx, "guessed", time.Hour); !errors.Is(err, ErrNotFound) {
			t.Errorf("while another writes: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
