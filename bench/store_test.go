package bench

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

// TestMeasureStore writes what an analysis and a batch of events write, to both
// databases. PostgreSQL runs without fsync here: its numbers say what the statements
// cost, not what the disk does.
func TestMeasureStore(t *testing.T) {
	measured(t)
	for name, where := range map[string]string{"SQLite": filepath.Join(t.TempDir(), "db"), "PostgreSQL": pgtest.DSN(t)} {
		s, err := store.Open(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		const paths, changed = 2000, 20
		t.Logf("%-10s  %d new paths %v, the same again %v, %d of them changed %v", name, paths,
			apply(t, s, 1, paths, 0), apply(t, s, 2, paths, 0), changed, apply(t, s, 3, paths, changed))
		const batches, alerts = 100, 10
		began := time.Now()
		for i := range batches {
			putAlerts(t, s, i, alerts)
		}
		t.Logf("%-10s  a batch of %d alerts %v", name, alerts, (time.Since(began) / batches).Round(time.Microsecond))
	}
}

// apply is how long one analysis takes to be stored; some of its paths are other than before.
func apply(t *testing.T, s *store.Store, version uint64, paths, changed int) time.Duration {
	t.Helper()
	a := store.Analysis{Cluster: "c", Version: version, At: time.Now()}
	for i := range paths {
		v := uint64(0)
		if i < changed {
			v = version
		}
		body := fmt.Appendf(nil,
			`{"id":"p%d","title":"a path","risk":"high","version":%d,"nodes":[{"id":"n%d","name":"a pod"}],"more":"%01500d"}`,
			i, v, i, i)
		a.Paths = append(a.Paths, store.FoundPath{ID: fmt.Sprint("p", i), Body: body})
	}
	began := time.Now()
	if _, _, err := s.Apply(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return time.Since(began).Round(time.Millisecond)
}

func putAlerts(t *testing.T, s *store.Store, batch, alerts int) {
	t.Helper()
	a := store.Analysed{Cluster: "c", Batch: &store.EventBatch{Source: "audit", Received: time.Now(),
		EventPosition: store.EventPosition{Stream: "s", Sequence: uint64(batch + 1)}}}
	for i := range alerts {
		a.Alerts = append(a.Alerts, store.AlertSeen{Cluster: "c", ID: fmt.Sprint(batch, " ", i), Rule: "r", Severity: "high",
			FirstSeen: time.Now(), LastSeen: time.Now(), Events: []string{fmt.Sprint(batch, " ", i)}, Body: []byte(`{"title":"an alert"}`)})
	}
	if err := s.PutAnalysed(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}
