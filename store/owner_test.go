package store

import (
	"slices"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

func TestWhatADeadServerWantedIsForgottenAndWhatALiveOneWantsStays(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		image := func(id string) []assess.Record {
			return []assess.Record{{ID: id, Host: "h", Reference: "h/" + id, State: assess.Queued, Wanted: assess.Running}}
		}
		for owner, id := range map[string]string{"dead": "a", "live": "b"} {
			if err := s.WantImages(t.Context(), owner, image(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.WantImages(t.Context(), "dead", image("b")); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(forgetsOwner - time.Hour)
		if _, err := s.Sweep(t.Context(), DefaultRetention(), later); err != nil || count(t, s, "image_wants") != 3 {
			t.Fatalf("before its time: %d wants, %v", count(t, s, "image_wants"), err)
		}
		if err := s.SeenOwner(t.Context(), "live", later); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context(), Retention{}, later.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if count(t, s, "image_wants") != 1 || count(t, s, "image_owners") != 1 {
			t.Errorf("%d wants of %d owners", count(t, s, "image_wants"), count(t, s, "image_owners"))
		}
		for id, want := range map[string]assess.Urgency{"a": assess.Listed, "b": assess.Running} {
			if i, _, err := s.Image(t.Context(), id); err != nil || i.Wanted != want {
				t.Errorf("%s is wanted %v, want %v, %v", id, i.Wanted, want, err)
			}
		}
	})
}

func TestLayersAreBoundByTheirBytesToo(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		at := slices.IndexFunc(histories, func(h history) bool { return h.table == "layers" })
		before := histories[at]
		histories[at].kept.Bytes = 1000
		defer func() { histories[at] = before }()
		now := time.Now()
		for i, id := range []string{"oldest", "old", "new", "newest"} {
			if err := s.PutLayer(t.Context(), id, make([]byte, 400)); err != nil {
				t.Fatal(err)
			}
			if _, err := s.db.Exec(`UPDATE layers SET updated_at = ? WHERE id = ?`, unix(now.Add(time.Duration(i)*time.Minute)), id); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := s.Sweep(t.Context(), DefaultRetention(), now)
		if err != nil || removed["layers"] != 2 {
			t.Errorf("%v, %v", removed, err)
		}
		for id, there := range map[string]bool{"oldest": false, "old": false, "new": true, "newest": true} {
			if _, err := s.Layer(t.Context(), id); (err == nil) != there {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}
