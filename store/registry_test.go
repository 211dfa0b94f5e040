package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/registries"
)

// held is a registry r of four images, one of them in two places.
func held(t *testing.T, s *Store) {
	t.Helper()
	for repository, tags := range map[string][]registries.Tag{
		"shop/web": {{Name: "1", Digest: "sha256:a"}, {Name: "2", Digest: "sha256:b"}},
		"Tools":    {{Name: "1_0", Digest: "sha256:c"}, {Name: "1x0", Digest: "sha256:d"}, {Name: "web", Digest: "sha256:a"}},
	} {
		var images []assess.Record
		for _, tag := range tags {
			images = append(images, assess.Record{ID: tag.Digest, Host: "r", Reference: "r/" + repository + "@" + tag.Digest})
		}
		if err := s.PutRepository(t.Context(), "r", repository, tags, images); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutImage(t.Context(), assess.Record{ID: "sha256:b", State: assess.Done, Inventory: []byte("p")}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestImagesOfARegistryAreFoundByStateNameAndDigest(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		held(t, s)
		for _, c := range []struct {
			name   string
			filter RegistryFilter
			want   string
		}{
			{"all by their first name", RegistryFilter{Host: "r"}, "Tools:1_0 Tools:1x0 Tools:web shop/web:2"},
			{"of another registry", RegistryFilter{Host: "other"}, ""},
			{"that are read", RegistryFilter{Host: "r", State: "done"}, "shop/web:2"},
			{"that wait", RegistryFilter{Host: "r", State: "queued"}, "Tools:1_0 Tools:1x0 Tools:web"},
			{"by part of a name, in any letters", RegistryFilter{Host: "r", Q: "TOOLS:"}, "Tools:1_0 Tools:1x0 Tools:web"},
			{"an underscore is no pattern", RegistryFilter{Host: "r", Q: "1_0"}, "Tools:1_0"},
			{"by the beginning of a digest", RegistryFilter{Host: "r", Q: "sha256:B"}, "shop/web:2"},
			{"the end of a digest is none", RegistryFilter{Host: "r", Q: "256:b"}, ""},
		} {
			for limit := 1; limit <= 5; limit++ {
				var got []string
				for cursor := ""; ; {
					page, total, next, err := s.RegistryImages(t.Context(), c.filter, cursor, limit)
					if err != nil || total != len(strings.Fields(c.want)) || len(page) > limit || len(page) == 0 && total > 0 {
						t.Fatalf("%s, in pages of %d: %d of %d, %v", c.name, limit, len(page), total, err)
					}
					for _, i := range page {
						got = append(got, i.Name)
					}
					if cursor = next; next == "" {
						break
					}
				}
				if strings.Join(got, " ") != c.want {
					t.Errorf("%s, in pages of %d: %v, want %s", c.name, limit, got, c.want)
				}
			}
		}
		n, err := s.CountRegistry(t.Context(), "r")
		if err != nil || n.Repositories != 2 || n.Tags != 5 || fmt.Sprint(n.Images) != "map[done:1 queued:3]" {
			t.Errorf("counted %+v, %v", n, err)
		}
		if places, err := s.Places(t.Context(), "r", "sha256:a"); err != nil || len(places) != 2 {
			t.Errorf("%v, %v", places, err)
		}
	})
}

func TestTheStatusOfARegistryStaysWhenItsSettingsChange(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, body := range []string{"1", "2"} {
			if err := s.PutRegistry(t.Context(), registries.Record{Host: "r", Origin: "portal", Body: []byte(body)}); err != nil {
				t.Fatal(err)
			}
			if err := s.SetRegistryStatus(t.Context(), "r", []byte("read")); body == "1" && err != nil {
				t.Fatal(err)
			}
		}
		if list, err := s.Registries(t.Context()); err != nil || len(list) != 1 || string(list[0].Body) != "2" ||
			string(list[0].Status) != "read" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

func TestWhatNothingHoldsAndNobodyReadIsRememberedForThirtyDays(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		held(t, s)
		ages := map[string]time.Duration{"sha256:a": 30*day - time.Hour, "sha256:b": 90 * day, "sha256:c": 30*day + time.Hour}
		for id, age := range ages {
			if _, err := s.db.Exec(`UPDATE images SET updated_at = ? WHERE id = ?`, unix(time.Now().Add(-age)), id); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.PutRepository(t.Context(), "other", "web", []registries.Tag{{Name: "1", Digest: "sha256:d"}}, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteRegistry(t.Context(), "r"); err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{
			"sha256:a": "r/shop/web@sha256:a or r/Tools@sha256:a", "sha256:b": "r/shop/web@sha256:b", "sha256:c": "", // b was read
			"sha256:d": "other/web@sha256:d", // and waits to be read there
		} {
			if i, _, err := s.Image(t.Context(), id); err != nil || !strings.Contains(want, i.Reference) || (i.Reference == "") != (want == "") {
				t.Errorf("%s: %+v, %v; want %q", id, i, err, want)
			}
		}
	})
}

func TestOnlyTheReaderOfAnImageSaysWhatItIs(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		if err := s.WantImages(ctx, "o", []assess.Record{{ID: "a", Wanted: assess.Running}, {ID: "b", Wanted: assess.Running}}); err != nil {
			t.Fatal(err)
		}
		if i, _, err := s.Image(ctx, "a"); err != nil || !i.NextTry.IsZero() {
			t.Errorf("what waits has no time: %+v, %v", i, err)
		}
		read := assess.Record{ID: "a", State: assess.Done, UpdatedAt: time.Now(), Inventory: []byte("packages")}
		builds := []assess.Build{{Digest: "m", ID: "a", Platform: "linux/amd64"}}
		steps := []struct {
			name, owner string
			record      assess.Record
			builds      []assess.Build
			mine        bool
			left        int
		}{
			{"another", "p", read, builds, false, 0},
			{"the reader", "o", read, builds, true, 1},
			{"the reader, who has finished", "o", read, nil, false, 1},
			{"a failure later", "o", assess.Record{ID: "a", State: assess.Failed}, nil, true, 1},
			{"a better reading", "o", read, nil, true, 0},
		}
		for i, step := range steps {
			if i != 1 && i != 2 {
				if _, err := s.RequeueImage(ctx, "a"); err != nil || take(t, s) == "" {
					t.Fatal(step.name, err)
				}
			}
			if i == 0 && take(t, s) == "" {
				t.Fatal("b waits")
			}
			mine, err := s.FinishImage(ctx, step.owner, step.record, step.builds)
			left, err2 := s.Builds(ctx)
			if err != nil || err2 != nil || mine != step.mine || len(left) != step.left {
				t.Errorf("%s: %v, %v, %v, %v", step.name, mine, left, err, err2)
			}
			if got, _, err := s.Image(ctx, "a"); err != nil || !got.NextTry.IsZero() {
				t.Errorf("%s: %v, %v", step.name, got.NextTry, err)
			}
		}
		if mine, err := s.FinishImage(ctx, "o", assess.Record{ID: "b", State: assess.Done}, nil); !mine || err != nil {
			t.Fatal(mine, err)
		}
		if err := s.SetImageStates(ctx, []assess.Record{{ID: "a", State: assess.Unsupported, Error: "old"},
			{ID: "b", State: assess.Unsupported, Error: "old"}}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"a", "b"} {
			if i, _, err := s.Image(ctx, id); err != nil || i.State != assess.Unsupported || i.Error != "old" {
				t.Errorf("%+v, %v", i, err)
			}
		}
	})
}

func TestAnImageThatIsOnlyListedIsNoLongerWanted(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, wanted := range []assess.Urgency{assess.Running, assess.Listed} {
			if err := s.WantImages(t.Context(), "o", []assess.Record{{ID: "a", Wanted: wanted}}); err != nil {
				t.Fatal(err)
			}
		}
		if i, _, err := s.Image(t.Context(), "a"); err != nil || i.Wanted != assess.Listed || count(t, s, "image_wants") != 0 {
			t.Errorf("%+v, %v", i, err)
		}
	})
}
