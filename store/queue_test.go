package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/registries"
)

func take(t *testing.T, s *Store, throttled ...string) string {
	t.Helper()
	return leaseFor(t, s, "o", time.Now(), throttled...)
}

// leaseFor leases an image for a minute.
func leaseFor(t *testing.T, s *Store, owner string, now time.Time, throttled ...string) string {
	t.Helper()
	r, _, err := s.LeaseImage(t.Context(), owner, now, now.Add(time.Minute), assess.Hosts{Not: throttled})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

func TestTheQueueHandsOutWhatRunsFirstAndEachOnce(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		held := []assess.Record{{ID: "a", Host: "r"}, {ID: "b", Host: "r"}, {ID: "c", Host: "other"}}
		if err := s.PutRepository(ctx, "r", "web",
			[]registries.Tag{{Name: "1", Digest: "a"}, {Name: "2", Digest: "b"}, {Name: "3", Digest: "c"}}, held); err != nil {
			t.Fatal(err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "runs", Host: "r", Wanted: assess.Running},
			{ID: "used", Host: "r", Wanted: assess.Named}}); err != nil {
			t.Fatal(err)
		}
		if got := take(t, s, "r"); got != "c" {
			t.Errorf("while r is throttled: %q", got)
		}
		for _, of := range []assess.Hosts{{Only: []string{"elsewhere"}}, {Only: []string{}}, {Only: []string{"r"}, Not: []string{"r"}}} {
			if r, ok, err := s.LeaseImage(ctx, "o", time.Now(), time.Now().Add(time.Minute), of); ok || err != nil {
				t.Errorf("of %+v: %+v, %v", of, r, err)
			}
		}
		for _, want := range []string{"runs", "used", "a", "b", ""} {
			if got := take(t, s); got != want {
				t.Errorf("took %q, want %q", got, want)
			}
		}
	})
}

// TestAQuietRegistryIsAskedForWhatIsUrgentAlone.
func TestAQuietRegistryIsAskedForWhatIsUrgentAlone(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, quiet := t.Context(), assess.Hosts{Quiet: []string{"r", "other"}}
		lease := func(of assess.Hosts) string {
			t.Helper()
			r, _, err := s.LeaseImage(ctx, "o", time.Now(), time.Now().Add(time.Minute), of)
			if err != nil {
				t.Fatal(err)
			}
			return r.ID
		}
		tags := []registries.Tag{{Name: "1", Digest: "a"}, {Name: "2", Digest: "b"}, {Name: "3", Digest: "c"}}
		if err := s.PutRepository(ctx, "r", "web", tags, []assess.Record{{ID: "a", Host: "r"}, {ID: "b", Host: "r", Pushed: true},
			{ID: "c", Host: "loud"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "runs", Host: "r", Wanted: assess.Running},
			{ID: "exposed", Host: "other", Wanted: assess.Exposed}}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"exposed", "runs", "b", "c", ""} {
			if got := lease(quiet); got != want {
				t.Errorf("took %q, want %q", got, want)
			}
		}
		if got := lease(assess.Hosts{}); got != "a" {
			t.Errorf("took %q when it is quiet no more, want a", got)
		}
	})
}

func TestWhatWasPushedIsReadBeforeWhatIsAsUrgent(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		tags := []registries.Tag{{Name: "1", Digest: "a"}, {Name: "2", Digest: "b"}, {Name: "3", Digest: "c"}}
		listed := []assess.Record{{ID: "a", Host: "r"}, {ID: "b", Host: "r"}}
		if err := s.PutRepository(ctx, "r", "web", tags[:2], listed); err != nil {
			t.Fatal(err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "runs", Host: "r", Wanted: assess.Running}}); err != nil {
			t.Fatal(err)
		}
		pushed := []assess.Record{listed[0], {ID: "b", Host: "r", Pushed: true}, {ID: "c", Host: "r", Pushed: true}}
		if err := s.PutRepository(ctx, "r", "web", tags, pushed); err != nil {
			t.Fatal(err)
		}
		if at, ok, err := s.NextImage(ctx); err != nil || !ok || time.Until(at) > 0 {
			t.Errorf("%v, %t, %v", at, ok, err)
		}
		for _, want := range []string{"runs", "b", "c", "a", ""} {
			if got := take(t, s); got != want {
				t.Errorf("took %q, want %q", got, want)
			}
		}
	})
}

func TestWhatWasBeingReadIsQueuedAgainAfterAKill(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := s.PutRepository(ctx, "r", "web", []registries.Tag{{Name: "1", Digest: "a"}, {Name: "2", Digest: "b"}},
			[]assess.Record{{ID: "a"}, {ID: "b"}}); err != nil {
			t.Fatal(err)
		}
		take(t, s)
		take(t, s)
		if mine, err := s.FinishImage(ctx, "o",
			assess.Record{ID: "a", State: assess.Done, UpdatedAt: time.Now(), Inventory: []byte("packages")},
			[]assess.Build{{Digest: "m", ID: "a", Platform: "linux/amd64"}}); !mine || err != nil {
			t.Fatal(err)
		}
		if err := s.ResumeImages(ctx, "o"); err != nil {
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
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "a", Wanted: assess.Running}}); err != nil {
			t.Fatal(err)
		}
		take(t, s)
		if mine, err := s.FinishImage(ctx, "o",
			assess.Record{ID: "a", State: assess.Failed, Error: "cut short", Attempts: 3, NextTry: later, UpdatedAt: time.Now()},
			nil); !mine || err != nil {
			t.Fatal(err)
		}
		if next, _, err := s.NextImage(ctx); take(t, s) != "" || err != nil || !next.Equal(later) {
			t.Errorf("next at %v, %v", next, err)
		}
		q, _, err := s.Image(ctx, "a")
		if err != nil || q.Attempts != 3 || q.Error != "cut short" || q.Wanted != assess.Running {
			t.Errorf("%+v, %v", q, err)
		}
		if again, err := s.RequeueImage(ctx, "a"); !again || err != nil || take(t, s) != "a" {
			t.Errorf("a person's wish: %v", err)
		}
		if again, err := s.RequeueImage(ctx, "none"); again || err != nil {
			t.Error(err)
		}
	})
}

func TestARepositoryThatIsGoneTakesItsImagesAlong(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for i := range 3 {
			id := fmt.Sprint("d", i)
			if err := s.PutRepository(ctx, "r", fmt.Sprint("web", i), []registries.Tag{{Name: "1", Digest: id}},
				[]assess.Record{{ID: id}}); err != nil {
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
		if err := s.PutRegistry(ctx, registries.Record{Host: "r", Origin: "portal", Body: []byte("{}")}); err != nil {
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
			if err := s.PutRepository(ctx, "r", repository, []registries.Tag{{Name: "1", Digest: "d"}},
				[]assess.Record{{ID: "d", Host: "r", Reference: "r/" + repository + "@d"}}); err != nil {
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
			got, _, err := s.Image(ctx, "d")
			if err != nil || got.Reference != c.want || got.State != assess.Queued {
				t.Errorf("%s: %+v, %v", c.has, got, err)
			}
		}
	})
}

func TestAnOwnerTakesBackOnlyItsOwnLeases(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		one, two, ctx := open(t, where), open(t, where), t.Context()
		now := time.Now()
		for owner, s := range map[string]*Store{"one": one, "two": two} {
			if err := s.WantImages(ctx, owner, []assess.Record{{ID: "of-" + owner, Wanted: assess.Running},
				{ID: "both", Wanted: assess.Named}}); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := leaseFor(t, one, "one", now), leaseFor(t, two, "two", now); a != "of-one" || b != "of-two" {
			t.Fatalf("leased %q and %q", a, b)
		}
		if err := one.ResumeImages(ctx, "one"); err != nil { // it was killed and starts again
			t.Fatal(err)
		}
		if got := leaseFor(t, one, "one", now); got != "both" { // which two wants, too
			t.Errorf("leased %q", got)
		}
		if got := leaseFor(t, one, "one", now); got != "" {
			t.Errorf("%q is handed out: it is another's, or nobody's clusters use it yet", got)
		}
		if mine, err := one.FinishImage(ctx, "one", assess.Record{ID: "of-two", State: assess.Done}, nil); mine || err != nil {
			t.Errorf("it finished what another reads: %v, %v", mine, err)
		}
		if mine, err := two.FinishImage(ctx, "two", assess.Record{ID: "of-two", State: assess.Done}, nil); !mine || err != nil {
			t.Errorf("the other lost its lease: %v, %v", mine, err)
		}
	})
}

func TestALeaseEndsUnlessItIsRenewed(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		one, two, ctx := open(t, where), open(t, where), t.Context()
		now := time.Now().Truncate(time.Millisecond)
		if err := one.WantImages(ctx, "one",
			[]assess.Record{{ID: "kept", Wanted: assess.Running}, {ID: "lost", Wanted: assess.Running}}); err != nil {
			t.Fatal(err)
		}
		leaseFor(t, one, "one", now)
		leaseFor(t, one, "one", now)
		if next, some, err := two.NextImage(ctx); !some || err != nil || !next.Equal(now.Add(time.Minute)) {
			t.Errorf("the next is at %v, %v, %v: want the end of the leases", next, some, err)
		}
		later := now.Add(2 * time.Minute)
		if err := one.RenewImages(ctx, "one", []string{"kept"}, later.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if err := two.RenewImages(ctx, "two", []string{"lost"}, later.Add(time.Minute)); err != nil { // not its own
			t.Fatal(err)
		}
		if a, b := leaseFor(t, two, "two", later), leaseFor(t, two, "two", later); a != "lost" || b != "" {
			t.Errorf("leased %q and %q, want only what was not renewed", a, b)
		}
		if mine, err := one.FinishImage(ctx, "one", assess.Record{ID: "lost", State: assess.Failed}, nil); mine || err != nil {
			t.Errorf("the first owner overwrote the second: %v, %v", mine, err)
		}
	})
}

func TestAnOutdatedInventoryIsReadAgainUnlessItWasMeanwhile(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		seen := assess.Record{ID: "a", State: assess.Done, UpdatedAt: time.Now().Add(-time.Hour), Inventory: []byte("old")}
		if err := s.PutImage(ctx, seen, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "a", Wanted: assess.Named}}); err != nil {
			t.Fatal(err)
		}
		newer := seen
		newer.UpdatedAt = time.Now()
		if err := s.RequeueOutdated(ctx, newer); err != nil || take(t, s) != "" {
			t.Errorf("it was requeued for a record that is not the stored one: %v", err)
		}
		if err := s.RequeueOutdated(ctx, seen); err != nil || take(t, s) != "a" {
			t.Errorf("it was not requeued: %v", err)
		}
	})
}

// TestADatabaseOfTwoImageTablesIsJoined writes what the tables of version 4 held and
// opens it with today's program.
func TestADatabaseOfTwoImageTablesIsJoined(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		now := migrations
		for at := range now {
			if now[at] == script("08-one-image-table.sql") {
				migrations = now[:at]
			}
		}
		old := open(t, where)
		migrations = now
		for _, statement := range []string{
			`INSERT INTO images (id, state, error, reference, inventory, updated_at)
				VALUES ('both', 'done', '', 'r/a@both', 'packages', 1), ('alone', 'unsupported', 'no database', 'r/b@alone', 'none', 2)`,
			`INSERT INTO image_queue (id, host, reference, state, wanted, next_try, attempts, updated_at)
				VALUES ('both', 'r', 'r/a@both', 'failed', 0, 7, 3, 5), ('queued', 'r', 'r/c@queued', 'scanning', 0, 0, 0, 6)`,
			`INSERT INTO registry_tags (host, repository, tag, digest) VALUES ('r', 'c', '1', 'queued')`,
			`INSERT INTO image_builds (digest, id, platform) VALUES ('m', 'both', 'linux/amd64')`,
		} {
			if _, err := old.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, where)
		for id, want := range map[string]string{
			"both":   "failed r packages 3 r/a@both",
			"alone":  "unsupported  none 0 r/b@alone",
			"queued": "scanning r  0 r/c@queued",
		} {
			r, there, err := s.Image(t.Context(), id)
			if got := fmt.Sprint(r.State, " ", r.Host, " ", string(r.Inventory), " ", r.Attempts, " ", r.Reference); !there || err != nil ||
				got != want {
				t.Errorf("%s: %q, %v; want %q", id, got, err, want)
			}
		}
		if got := take(t, s); got != "queued" { // nobody holds a lease on what the old program was reading
			t.Errorf("took %q", got)
		}
		if b, err := s.Builds(t.Context()); err != nil || len(b) != 1 {
			t.Errorf("%v, %v", b, err)
		}
	})
}

func TestAReadingIsCountedWhenItBegins(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		want := func() {
			t.Helper()
			if err := s.WantImages(ctx, "o", []assess.Record{{ID: "a", Host: "r", Reference: "r/a", Wanted: assess.Running}}); err != nil {
				t.Fatal(err)
			}
		}
		is := func(after string, attempts, ended int, why string) assess.Record {
			t.Helper()
			r, _, err := s.Image(ctx, "a")
			if err != nil || r.Attempts != attempts || r.Ended != ended || r.Error != why {
				t.Errorf("after %s: %+v (%v), want %d attempts, %d of which ended the reader, and %q", after, r, err, attempts, ended, why)
			}
			return r
		}
		const killed = "this server ended while it was read"
		for n := 1; n <= 4; n++ {
			want()
			take(t, s)
			if err := s.ResumeImages(ctx, "o"); err != nil { // the server ended and began again
				t.Fatal(err)
			}
			is("a kill", n, n, killed)
		}
		want()
		r, _, err := s.LeaseImage(ctx, "o", time.Now(), time.Now().Add(time.Minute), assess.Hosts{})
		if err != nil || r.Attempts != 5 || r.Ended != 5 || r.Error != killed {
			t.Fatalf("%+v, %v", r, err)
		}
		r.State, r.Reference, r.Host = assess.Failed, "other/a", "other"
		if _, err := s.FinishImage(ctx, "o", r, nil); err != nil {
			t.Fatal(err)
		}
		if r := is("an outcome", 5, 5, killed); r.Reference != "other/a" || r.Host != "other" {
			t.Errorf("%+v", r)
		}
		if err := s.RequeueFailed(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if r := is("a new reference", 5, 2, killed); r.State != assess.Queued {
			t.Errorf("%+v", r)
		}
		if err := s.RequeueFailed(ctx, "a"); err != nil { // it waits already
			t.Fatal(err)
		}
		if again, err := s.RequeueImage(ctx, "a"); !again || err != nil {
			t.Fatal(again, err)
		}
		is("a person's wish", 5, 0, killed)
		take(t, s)
		if _, err := s.FinishImage(ctx, "o", assess.Record{ID: "a", State: assess.Done, Inventory: []byte("p")}, nil); err != nil {
			t.Fatal(err)
		}
		if r := is("it went well", 0, 0, ""); r.Reference != "other/a" {
			t.Errorf("%+v", r)
		}
	})
}
