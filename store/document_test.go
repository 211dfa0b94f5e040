package store

import (
	"slices"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/registries"
)

func TestWhatIsBesideImagesIsKeptAndAskedForAgain(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, now := t.Context(), time.Now()
		unheard := func(since time.Time) (ids []string) {
			t.Helper()
			all, err := s.Unheard(ctx, "r", since, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				ids = append(ids, r.ID)
			}
			return ids
		}
		for _, id := range []string{"a", "b", "gone", "unread"} {
			r := assess.Record{ID: id, Host: "r", Reference: "r/web@" + id, State: assess.Done, UpdatedAt: now}
			if id != "unread" {
				r.Inventory = []byte("{}")
			}
			if err := s.PutImage(ctx, r, nil); err != nil {
				t.Fatal(err)
			}
		}
		tags := []registries.Tag{{Name: "1", Digest: "a"}, {Name: "2", Digest: "unread"}}
		if err := s.PutRepository(ctx, "r", "web", tags, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "b", Host: "r", Reference: "r/web@b", Wanted: assess.Running}}); err != nil {
			t.Fatal(err)
		}
		if got := unheard(now); !slices.Equal(got, []string{"b", "a"}) {
			t.Errorf("nobody looked beside %v", got)
		}
		for i, documents := range [][]byte{[]byte("one"), []byte("one"), []byte("two"), nil, nil} {
			changed, err := s.PutDocuments(ctx, "b", "r", now, documents)
			if want := i == 0 || i == 2 || i == 3; changed != want || err != nil {
				t.Errorf("%d: changed %t, %v", i, changed, err)
			}
			if host, got, err := s.Documents(ctx, "b"); host != "r" || string(got) != string(documents) || err != nil {
				t.Errorf("%d: %s, %s, %v", i, host, got, err)
			}
		}
		if got := unheard(now.Add(-time.Hour)); !slices.Equal(got, []string{"a"}) {
			t.Errorf("nobody looked within the hour beside %v", got)
		}
		if got := unheard(now.Add(time.Hour)); !slices.Equal(got, []string{"b", "a"}) {
			t.Errorf("nobody looked since beside %v", got)
		}
		if got, err := s.ForgetDocuments(ctx, map[string]bool{"r": true}); len(got) != 0 || err != nil {
			t.Errorf("forgot %v, %v", got, err)
		}
		if got, err := s.ForgetDocuments(ctx, nil); !slices.Equal(got, []string{"b"}) || err != nil {
			t.Errorf("forgot %v, %v", got, err)
		}
		if host, got, err := s.Documents(ctx, "b"); host != "" || got != nil || err != nil {
			t.Errorf("%s, %s, %v", host, got, err)
		}
	})
}
