package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

func TestWhatABuildTellsReplacesWhatWasToldAndGoesAfterAWhile(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, now := t.Context(), time.Now().Truncate(time.Millisecond)
		u := assess.Upload{ID: "sha256:a", Reference: "r.example/web:1", By: "ci", Token: "t", At: now.Add(-89 * day), Platform: "linux/amd64",
			Size: 7, Inventory: []byte("one")}
		if err := s.PutUpload(ctx, u); err != nil {
			t.Fatal(err)
		}
		u.At, u.Inventory, u.By = now.Add(-88*day), []byte("two"), "other"
		if err := s.PutUpload(ctx, u); err != nil {
			t.Fatal(err)
		}
		got, ok, err := s.Upload(ctx, u.ID)
		if !ok || err != nil || string(got.Inventory) != "two" || got.By != "other" || !got.At.Equal(u.At) || got.Size != 7 {
			t.Errorf("%+v, %t, %v", got, ok, err)
		}
		if all, err := s.Uploads(ctx); err != nil || len(all) != 1 || all[u.ID].Inventory != nil || all[u.ID].Reference != u.Reference {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := s.Sweep(ctx, DefaultRetention(), now); err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := s.Upload(ctx, u.ID); !ok {
			t.Error("it went too early")
		}
		if _, err := s.Sweep(ctx, DefaultRetention(), now.Add(3*day)); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := s.Upload(ctx, u.ID); ok || err != nil {
			t.Errorf("it stays: %v", err)
		}
	})
}

func TestOneTokenTellsOfSoManyImagesAnHour(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "b.db"))
	now := time.Now()
	put := func(n int, token string, at time.Time) error {
		return s.PutUpload(t.Context(), assess.Upload{ID: fmt.Sprint(token, n), Token: token, At: at, Inventory: []byte("x")})
	}
	for n := range mostUploads {
		if err := put(n, "busy", now); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(mostUploads, "busy", now); !errors.Is(err, ErrOften) {
		t.Error(err)
	}
	if err := put(0, "other", now); err != nil {
		t.Error(err)
	}
	if err := put(mostUploads, "busy", now.Add(2*time.Hour)); err != nil {
		t.Error(err)
	}
}
