package store

import (
	"slices"
	"testing"
	"time"
)

func TestWhatAnImageSaysOfItselfIsKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, made := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		if _, _, known, err := s.Outline(ctx, "sha256:a"); known || err != nil {
			t.Errorf("it is known before anybody asked: %t, %v", known, err)
		}
		for digest, says := range map[string]time.Time{"sha256:a": made, "sha256:b": {}} {
			if err := s.PutOutline(ctx, digest, says, []string{"linux/amd64", "linux/arm/v7"}); err != nil {
				t.Fatal(err)
			}
			at, platforms, known, err := s.Outline(ctx, digest)
			if !at.Equal(says) || at.IsZero() != says.IsZero() || !slices.Equal(platforms, []string{"linux/amd64", "linux/arm/v7"}) || !known ||
				err != nil {
				t.Errorf("%s: %s, %v, %t, %v", digest, at, platforms, known, err)
			}
		}
		if err := s.PutOutline(ctx, "sha256:a", made.AddDate(1, 0, 0), nil); err != nil {
			t.Fatal(err)
		}
		if at, platforms, _, err := s.Outline(ctx, "sha256:a"); !at.Equal(made) || len(platforms) != 2 || err != nil {
			t.Errorf("what a digest stands for changed: %s, %v, %v", at, platforms, err)
		}
		r := DefaultRetention()
		if _, err := s.Sweep(ctx, r, time.Now().Add(89*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, _, known, _ := s.Outline(ctx, "sha256:a"); !known {
			t.Error("it was forgotten too early")
		}
		if _, err := s.Sweep(ctx, r, time.Now().Add(91*24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, _, known, _ := s.Outline(ctx, "sha256:a"); known {
			t.Error("it is kept for ever")
		}
	})
}
