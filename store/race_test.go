package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many who hold a copy of one join token use it at the same moment.
func TestManyWhoJoinAtOnceUseATokenNoMoreOftenThanItMayBe(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		token, err := s.NewIngestToken(t.Context(), IngestToken{Cluster: "prod", Kind: "runtime", MaxUses: 3})
		if err != nil {
			t.Fatal(err)
		}
		of, err := s.IngestToken(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		var got, spent atomic.Int64
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				c := joined(fmt.Sprint("n", i), fmt.Sprint(i), fmt.Sprint("k", i))
				c.Token = of.ID
				switch err := s.AddCertificate(t.Context(), c, true); {
				case err == nil:
					got.Add(1)
				case errors.Is(err, ErrSpent):
					spent.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got.Load() != 3 || spent.Load() != 17 {
			t.Errorf("%d joined with a token for 3, %d were refused", got.Load(), spent.Load())
		}
	})
}

// Many who were shown one sign-in link open it at the same moment.
func TestOfManyWhoOpenALinkAtOnceOneIsSignedIn(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		link, err := s.NewSignIn(t.Context(), time.Hour, `{"all":true}`, "alice")
		if err != nil {
			t.Fatal(err)
		}
		var got atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				switch _, err := s.SignIn(t.Context(), link, time.Hour); {
				case err == nil:
					got.Add(1)
				case !errors.Is(err, ErrNotFound):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Errorf("%d are signed in with one link", got.Load())
		}
	})
}
