package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestATokenIsListedByAnIDAndRefusedOnceRevoked(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		var tokens []string
		for _, of := range [][2]string{{"prod", "runtime"}, {"prod", "audit"}, {"dev", "audit"}} {
			token, err := s.NewIngestToken(t.Context(), IngestToken{Cluster: of[0], Kind: of[1]})
			if err != nil {
				t.Fatal(err)
			}
			tokens = append(tokens, token)
			if got, err := s.IngestToken(t.Context(), token); err != nil || got.Cluster != of[0] || got.Kind != of[1] {
				t.Errorf("%+v, %v; want %v", got, err, of)
			}
		}
		list, err := s.IngestTokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, one := range list {
			names = append(names, one.Cluster+" "+one.Kind)
			if len(one.ID) != 12 || time.Since(one.CreatedAt) > time.Hour || strings.Contains(strings.Join(tokens, " "), one.ID) {
				t.Errorf("%+v", one)
			}
		}
		if got := strings.Join(names, ", "); got != "dev audit, prod audit, prod runtime" {
			t.Errorf("tokens: %s", got)
		}
		if err := s.RevokeIngestToken(t.Context(), list[0].ID, "alice"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.IngestToken(t.Context(), tokens[2]); !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrRevoked) {
			t.Errorf("a revoked token: %v", err)
		}
		if err := s.RevokeIngestToken(t.Context(), list[0].ID, "alice"); !errors.Is(err, ErrNotFound) {
			t.Errorf("revoked twice: %v", err)
		}
		left, err := s.IngestTokens(t.Context())
		if err != nil || len(left) != 3 || left[0].RevokedBy != "alice" || left[0].RevokedAt.IsZero() || !left[1].RevokedAt.IsZero() {
			t.Errorf("what was revoked is still listed, with who did: %+v, %v", left, err)
		}
	})
}

func TestATokenOfARegistryIsRotatedForTheSameRegistry(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		first, err := s.NewIngestToken(t.Context(), IngestToken{Kind: PushToken, Subject: "r.example", ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		was, err := s.IngestToken(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		second, made, err := s.RotateIngestToken(t.Context(), was.ID, "alice", 0)
		if err != nil || made.Subject != "r.example" || made.Cluster != "" {
			t.Errorf("%+v, %v", made, err)
		}
		if now, err := s.IngestToken(t.Context(), second); err != nil || now.Kind != PushToken || now.Subject != "r.example" {
			t.Errorf("%+v, %v", now, err)
		}
		if _, err := s.IngestToken(t.Context(), first); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
	})
}

func TestWhatASensorSaidLastCountsAndAnOlderWordDoesNot(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		at := time.UnixMilli(1_700_000_000_000)
		for _, n := range []Sensor{
			{"prod", "b", at, true, []byte(`{"seen":1}`)},
			{"prod", "a", at, true, []byte(`{"seen":2}`)},
			{"prod", "b", at.Add(time.Second), true, []byte(`{"seen":3}`)},
			{"prod", "b", at.Add(-time.Second), true, []byte(`{"seen":4}`)},
			{"dev", "b", at, true, []byte(`{"seen":5}`)},
		} {
			if err := s.PutSensor(t.Context(), n); err != nil {
				t.Fatal(err)
			}
		}
		told := func(cluster string) string {
			t.Helper()
			list, err := s.Sensors(t.Context(), cluster)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, n := range list {
				st, err := ReadSensorStatus(n.Status)
				if err != nil || !n.Known {
					t.Errorf("%+v, %v", n, err)
				}
				out = append(out, fmt.Sprintf("%s/%s %d +%v", n.Cluster, n.Node, st.Seen, n.SeenAt.Sub(at)))
			}
			return strings.Join(out, ", ")
		}
		if got := told("prod"); got != `prod/a 2 +0s, prod/b 3 +1s` {
			t.Error(got)
		}
		if got := told(""); got != `dev/b 5 +0s, prod/a 2 +0s, prod/b 3 +1s` {
			t.Error(got)
		}
		if err := s.ForgetSensor(t.Context(), "prod", "b"); err != nil {
			t.Fatal(err)
		}
		if err := s.ForgetSensor(t.Context(), "prod", "b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("forgotten twice: %v", err)
		}
		if got := told(""); got != `dev/b 5 +0s, prod/a 2 +0s` {
			t.Error(got)
		}
	})
}

func TestTheRunsThatSpokeLastAreKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		_, err := s.db.Exec(`WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20002)
			INSERT INTO sensor_runs (cluster_id, node, boot, last_at, received) SELECT 'prod', 'n' || n, 'b', n, '{}' FROM c`)
		if err != nil {
			t.Fatal(err)
		}
		sent := func(sequence uint64, cluster, node string) {
			t.Helper()
			err := s.PutAnalysed(t.Context(), Analysed{Cluster: cluster, Runs: []RunCame{{node, "b", []uint64{1}}},
				Batch: &EventBatch{Source: "sensor", EventPosition: EventPosition{"s", sequence}, Received: time.Now()}})
			if err != nil {
				t.Fatal(err)
			}
		}
		sent(1, "dev", "b")
		sent(1, "prod", "n5") // known: nothing has to go
		if n := count(t, s, "sensor_runs"); n != 20_003 {
			t.Errorf("%d runs", n)
		}
		sent(2, "prod", "fresh")
		var oldest, newest int64
		var n int
		err = s.db.QueryRow(`SELECT count(*), min(last_at), max(last_at) FROM sensor_runs WHERE cluster_id = 'prod'`).Scan(&n, &oldest, &newest)
		if err != nil || n != 20_000 || oldest != 4 || time.Since(fromUnix(newest)) > time.Hour { // n5 has just spoken
			t.Errorf("%d runs from %d to %d, %v", n, oldest, newest, err)
		}
	})
}
