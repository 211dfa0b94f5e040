package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func take(t *testing.T, s *Store, quiet ...string) string {
	t.Helper()
	q, err := s.TakeImage(context.Background(), time.Now(), quiet)
	if errors.Is(err, ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return q.ID
}

func TestTheQueueHandsOutWhatRunsFirstAndEachOnce(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		held := []QueuedImage{{ID: "a", Host: "r"}, {ID: "b", Host: "r"}, {ID: "c", Host: "other"}}
		if err := s.PutRepository(ctx, "r", "web", []Tagged{{Tag: "1", Digest: "a"}, {Tag: "2", Digest: "b"}, {Tag: "3", Digest: "c"}}, held); err != nil {
			t.Fatal(err)
		}
		if err := s.Enqueue(ctx, []QueuedImage{{ID: "runs", Host: "r", Wanted: 2}, {ID: "used", Host: "r", Wanted: 1}, {ID: "nobody's"}}); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s, "r"); got != "c" {
			t.Errorf("while r is quiet: %q", got)
		}
		for _, want := range []string{"runs", "used", "a", "b", ""} {
			if got := take(t, s); got != want {
				t.Errorf("took %q, want %q", got, want)
			}
		}
	})
}

func TestWhatWasBeingReadIsQueuedAgainAfterAKill(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := s.PutRepository(ctx, "r", "web", []Tagged{{Tag: "1", Digest: "a"}, {Tag: "2", Digest: "b"}}, []QueuedImage{{ID: "a"}, {ID: "b"}}); err != nil {
			t.Fatal(err)
		}
		take(t, s)
		take(t, s)
		if err := s.FinishImage(ctx, QueuedImage{ID: "a", State: Done, UpdatedAt: time.Now()}, []byte("packages"), []Build{{"m", "a", "linux/amd64"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.ResumeQueue(ctx); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s); got != "b" {
			t.Errorf("took %q, want the one that was not finished", got)
		}
		if got := take(t, s); got != "" {
			t.Errorf("%q is read again although it was finished", got)
		}
		if b, err := s.Builds(ctx); err != nil || len(b) != 1 || b[0].Digest != "m" {
			t.Errorf("%v, %v", b, err)
		}
	})
}

func TestAFailureWaitsForItsTimeOrForAPerson(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		later := time.Now().Add(time.Hour).Truncate(time.Millisecond)
		if err := s.Enqueue(ctx, []QueuedImage{{ID: "a", Wanted: 2}}); err != nil {
			t.Fatal(err)
		}
		take(t, s)
		if err := s.FinishImage(ctx, QueuedImage{ID: "a", State: Failed, Error: "cut short", Attempts: 3, NextTry: later, UpdatedAt: time.Now()}, nil, nil); err != nil {
			t.Fatal(err)
		}
		if next, err := s.NextImage(ctx); take(t, s) != "" || err != nil || !next.Equal(later) {
			t.Errorf("next at %v, %v", next, err)
		}
		q, err := s.QueuedImage(ctx, "a")
		if err != nil || q.Attempts != 3 || q.Error != "cut short" || q.Wanted != 2 {
			t.Errorf("%+v, %v", q, err)
		}
		if err := s.RetryImage(ctx, "a"); err != nil || take(t, s) != "a" {
			t.Errorf("a person's wish: %v", err)
		}
		if err := s.RetryImage(ctx, "none"); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestARepositoryThatIsGoneTakesItsImagesAlong(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for i := range 3 {
			id := fmt.Sprint("d", i)
			if err := s.PutRepository(ctx, "r", fmt.Sprint("web", i), []Tagged{{Tag: "1", Digest: id}}, []QueuedImage{{ID: id}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.KeepRepositories(ctx, "r", map[string]bool{"web1": true}); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s) + take(t, s); got != "d1" {
			t.Errorf("took %q, want only what is still there", got)
		}
		if c, err := s.CountRegistry(ctx, "r"); err != nil || c.Repositories != 1 || c.Tags != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		if err := s.PutRegistry(ctx, Registry{Host: "r", Origin: "portal", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteRegistry(ctx, "r"); err != nil {
			t.Fatal(err)
		}
		tags, err := s.Tags(ctx, "")
		list, err2 := s.Registries(ctx)
		if len(tags) != 0 || len(list) != 0 || errors.Join(err, err2) != nil {
			t.Errorf("%v, %v, %v, %v", tags, list, err, err2)
		}
	})
}

func TestAnImageThatLostItsPlaceIsReadWhereElseItIs(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, repository := range []string{"a", "b"} {
			if err := s.PutRepository(ctx, "r", repository, []Tagged{{Tag: "1", Digest: "d"}}, []QueuedImage{{ID: "d", Host: "r", Reference: "r/" + repository + "@d"}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct{ has, want string }{{"a b", "r/a@d"}, {"b", "r/b@d"}} {
			has := map[string]bool{}
			for repository := range strings.FieldsSeq(c.has) {
				has[repository] = true
			}
			if err := s.KeepRepositories(ctx, "r", has); err != nil {
				t.Fatal(err)
			}
			all, err := s.QueuedImages(ctx)
			if err != nil || len(all) != 1 || all[0].Reference != c.want || all[0].State != Queued {
				t.Errorf("%s: %+v, %v", c.has, all, err)
			}
		}
	})
}
