package store

import (
	"errors"
	"testing"
)

func TestAnExceptionIsKeptUntilSomebodyEndsIt(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		s := open(t, where)
		stands := func() string {
			t.Helper()
			text, err := s.ExceptionsStand(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		seen := map[string]bool{stands(): true}
		changed := func(what string) {
			t.Helper()
			if now := stands(); seen[now] {
				t.Errorf("%s: nobody is told", what)
			} else {
				seen[now] = true
			}
		}
		one, err := s.AddException(t.Context(), `{"package":["a"]}`, "alice")
		if err != nil {
			t.Fatal(err)
		}
		changed("one was added")
		two, err := s.AddException(t.Context(), `{"package":["b"]}`, "bob")
		if err != nil || one.ID == two.ID {
			t.Fatal(two, err)
		}
		changed("another was added")
		if err := s.EndException(t.Context(), one.ID, "carol"); err != nil {
			t.Fatal(err)
		}
		changed("one was ended")
		for _, id := range []string{one.ID, "none", ""} {
			if err := s.EndException(t.Context(), id, "mallory"); !errors.Is(err, ErrNotFound) {
				t.Errorf("end %q: %v", id, err)
			}
		}
		again := open(t, where) // as another start finds them
		all, err := again.Exceptions(t.Context())
		if err != nil || len(all) != 2 {
			t.Fatal(all, err)
		}
		for _, e := range all {
			ended := e.ID == one.ID
			if e.EndedAt.IsZero() == ended || ended && (e.EndedBy != "carol" || e.Author != "alice" || e.Body != one.Body ||
				!e.CreatedAt.Equal(one.CreatedAt)) || !ended && (e.EndedBy != "" || e.Author != "bob") {
				t.Errorf("%+v", e)
			}
		}
	})
}

func TestThereIsNoEndOfExceptionsNobodyEnds(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		// As many as there may be, made by one statement for each digit.
		const digits = `(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7
			UNION SELECT 8 UNION SELECT 9)`
		if _, err := s.db.ExecContext(t.Context(), `INSERT INTO exceptions (id, body, author, created_at)
			SELECT 'e' || a.d || b.d || c.d || e.d, '{}', 'alice', 1 FROM `+digits+` a, `+digits+` b, `+digits+` c, `+digits+` e`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddException(t.Context(), "{}", "alice"); !errors.Is(err, ErrManyExceptions) {
			t.Fatal(err)
		}
		if err := s.EndException(t.Context(), "e0000", "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AddException(t.Context(), "{}", "alice"); err != nil {
			t.Error("one was ended, and there is no place:", err)
		}
	})
}
