package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// joined is a node's certificate of a key.
func joined(node, serial, key string) Certificate {
	now := time.Now()
	return Certificate{Cluster: "prod", Serial: serial, Kind: "runtime", Node: node, Key: key, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
}

func TestANodeHasOneKeyUntilItsCertificateEndsIsRevokedOrReleased(t *testing.T) {
	for name, end := range map[string]func(*Store) error{
		"the certificate was revoked": func(s *Store) error { return s.RevokeCertificate(t.Context(), "prod", "1", "alice") },
		"the node was released":       func(s *Store) error { return s.ReleaseNode(t.Context(), "prod", "n", "alice") },
		"the sensor left":             func(s *Store) error { return s.LeaveNode(t.Context(), "prod", "n", "old") },
		"the certificate expired": func(s *Store) error {
			_, err := s.db.Exec(`UPDATE node_keys SET held_until = 1`)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			stores(t, func(t *testing.T, s *Store) {
				ctx := t.Context()
				for _, c := range []Certificate{joined("n", "1", "old"), joined("n", "2", "old"), joined("m", "3", "other")} {
					if err := s.AddCertificate(ctx, c, false); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.AddCertificate(ctx, joined("n", "4", "new"), false); !errors.Is(err, ErrHeld) {
					t.Errorf("another key while the old one counts: %v", err)
				}
				if err := end(s); err != nil {
					t.Fatal(err)
				}
				if err := s.AddCertificate(ctx, joined("n", "5", "new"), false); err != nil {
					t.Errorf("another key after the old one ended: %v", err)
				}
				if _, err := s.Certificate(ctx, "prod", "3"); err != nil {
					t.Errorf("another node's certificate: %v", err)
				}
			})
		})
	}
}

func TestARevokedKeyComesNotBackAndOneThatLeftMay(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, c := range []Certificate{joined("n", "1", "k"), joined("m", "2", "k")} {
			if err := s.AddCertificate(ctx, c, false); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.RevokeCertificate(ctx, "prod", "1", "alice"); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeCertificate(ctx, "prod", "1", "alice"); !errors.Is(err, ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
		if got, err := s.Certificate(ctx, "prod", "1"); !errors.Is(err, ErrRevoked) || got.RevokedBy != "alice" {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.AddCertificate(ctx, joined("n", "3", "k"), false); !errors.Is(err, ErrKeyRevoked) {
			t.Errorf("a key that was revoked: %v", err)
		}
		if err := s.LeaveNode(ctx, "prod", "m", "k"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Certificate(ctx, "prod", "2"); !errors.Is(err, ErrExpired) {
			t.Errorf("after the sensor left: %v", err)
		}
		if err := s.AddCertificate(ctx, joined("m", "4", "k"), false); err != nil {
			t.Errorf("it comes back under its key: %v", err)
		}
		if err := s.ReleaseNode(ctx, "prod", "nobody", "alice"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a node that never joined: %v", err)
		}
		if _, err := s.Certificate(ctx, "dev", "4"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a serial of another cluster: %v", err)
		}
	})
}

func TestATokenEndsWithItsTimeOrItsUses(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		past, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "runtime", ExpiresAt: time.Now().Add(-time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.IngestToken(ctx, past); !errors.Is(err, ErrExpired) || !errors.Is(err, ErrNotFound) {
			t.Errorf("a token whose time is over: %v", err)
		}
		token, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "runtime", ExpiresAt: time.Now().Add(time.Hour), MaxUses: 2,
			MadeBy: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		of, err := s.IngestToken(ctx, token)
		if err != nil || of.MadeBy != "alice" || of.MaxUses != 2 {
			t.Fatalf("%+v, %v", of, err)
		}
		var got []string
		for i, node := range []string{"a", "b", "b", "a", "c"} {
			c := joined(node, fmt.Sprint(i), "key of "+node)
			c.Token = of.ID
			got = append(got, fmt.Sprint(errors.Is(s.AddCertificate(ctx, c, true), ErrSpent)))
		}
		if strings.Join(got, " ") != "false false false false true" {
			t.Errorf("two nodes may join, as often as they like: %v", got)
		}
		if of, _ = s.IngestToken(ctx, token); of.Uses != 2 || !errors.Is(of.Usable(time.Now()), ErrSpent) {
			t.Errorf("%+v", of)
		}
		if _, err := s.Certificate(ctx, "prod", "4"); !errors.Is(err, ErrNotFound) {
			t.Errorf("what was refused is not kept: %v", err)
		}
		if err := s.AddCertificate(ctx, joined("c", "5", "key of c"), false); err != nil {
			t.Errorf("a node whose join was refused is not held: %v", err)
		}
		if err := s.RevokeJoined(ctx, of.ID, "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Certificate(ctx, "prod", "1"); !errors.Is(err, ErrRevoked) {
			t.Errorf("what the token gave: %v", err)
		}
		if err := s.AddCertificate(ctx, joined("b", "6", "another"), false); err != nil {
			t.Errorf("its node may join anew: %v", err)
		}
		if _, err := s.Certificate(ctx, "prod", "5"); err != nil {
			t.Errorf("what another token gave: %v", err)
		}
	})
}

func TestARotatedTokenCountsBesideTheNewOneForAWhile(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		old, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "audit", MadeBy: "alice",
			ExpiresAt: time.Now().Add(1000 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		was, _ := s.IngestToken(ctx, old)
		fresh, made, err := s.RotateIngestToken(ctx, was.ID, "bob", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		now, err := s.IngestToken(ctx, fresh)
		if err != nil || now.ID != made.ID || now.Cluster != "prod" || now.Kind != "audit" || now.MadeBy != "bob" ||
			time.Until(now.ExpiresAt) < 999*time.Hour {
			t.Errorf("%+v, %v", now, err)
		}
		if was, err = s.IngestToken(ctx, old); err != nil || time.Until(was.ExpiresAt) > time.Hour {
			t.Errorf("the old one ends soon: %+v, %v", was, err)
		}
		if _, _, err := s.RotateIngestToken(ctx, made.ID, "bob", 0); err != nil {
			t.Fatal(err)
		}
		if _, err := s.IngestToken(ctx, fresh); !errors.Is(err, ErrExpired) {
			t.Errorf("rotated at once: %v", err)
		}
		if err := s.RevokeIngestToken(ctx, was.ID, "bob"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.RotateIngestToken(ctx, was.ID, "bob", 0); !errors.Is(err, ErrNotFound) {
			t.Errorf("a revoked token cannot be rotated: %v", err)
		}
	})
}

func TestWhatEndedIsForgottenAndARevokedKeyIsRememberedLonger(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx := t.Context()
		for _, c := range []Certificate{joined("a", "1", "ka"), joined("b", "2", "kb")} {
			if err := s.AddCertificate(ctx, c, false); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "runtime", ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "audit"}); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeCertificate(ctx, "prod", "2", "alice"); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			after time.Duration
			left  string
		}{{6 * day, "2 tokens, 2 certificates"}, {8 * day, "1 tokens, 1 certificates"}, {366 * day, "1 tokens, 0 certificates"}} {
			if _, err := s.Sweep(ctx, Retention{}, time.Now().Add(c.after)); err != nil {
				t.Fatal(err)
			}
			tokens, _ := s.IngestTokens(ctx)
			certificates, _ := s.Certificates(ctx)
			if got := fmt.Sprintf("%d tokens, %d certificates", len(tokens), len(certificates)); got != c.left {
				t.Errorf("after %v: %s, want %s", c.after, got, c.left)
			}
		}
	})
}

func TestWhenAndFromWhereSomethingWasUsedIsKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		ctx, at := t.Context(), time.UnixMilli(1_700_000_000_000).UTC()
		token, err := s.NewIngestToken(ctx, IngestToken{Cluster: "prod", Kind: "audit"})
		if err != nil {
			t.Fatal(err)
		}
		of, _ := s.IngestToken(ctx, token)
		if !of.UsedAt.IsZero() {
			t.Errorf("never used: %+v", of)
		}
		if err := errors.Join(s.AddCertificate(ctx, joined("a", "1", "ka"), false), s.UsedIngestToken(ctx, of.ID, "192.0.2.1", at),
			s.UsedCertificate(ctx, "prod", "1", "192.0.2.2", at)); err != nil {
			t.Fatal(err)
		}
		of, _ = s.IngestToken(ctx, token)
		c, _ := s.Certificate(ctx, "prod", "1")
		if of.UsedFrom != "192.0.2.1" || !of.UsedAt.Equal(at) || c.UsedFrom != "192.0.2.2" || !c.UsedAt.Equal(at) {
			t.Errorf("%+v, %+v", of, c)
		}
	})
}
