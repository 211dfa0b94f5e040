package store

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

func TestWhatIsOlderThanItsRetentionIsRemoved(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC)
		ages := []time.Duration{time.Hour, 10 * day, 40 * day}
		for i, age := range ages {
			at := now.Add(-age)
			alert := AlertSeen{Cluster: "c", ID: fmt.Sprint("a", i), Rule: "r", Severity: "high", FirstSeen: at, LastSeen: at,
				Events: []string{"1", "2"}, Body: []byte(`{}`)}
			if err := s.PutAnalysed(t.Context(), Analysed{Cluster: alert.Cluster, Alerts: []AlertSeen{alert}}); err != nil {
				t.Fatal(err)
			}
		}
		for i, age := range []time.Duration{50 * day, 40 * day, 10 * day} { // p opens, resolves, opens again and resolves
			var paths []FoundPath
			if i%2 == 0 {
				paths = found("p")
			}
			if _, _, err := s.Apply(t.Context(), Analysis{Cluster: "prod", Version: uint64(i + 1), At: now.Add(-age), Paths: paths}); err != nil {
				t.Fatal(err)
			}
		}
		r := Retention{"alerts": {Keep: 30 * day}, "paths": {Keep: 30 * day}, "path-history": {Keep: 30 * day}}
		want := map[string]int64{"alerts": 1, "paths": 1, "path-history": 2}
		if got, err := s.Sweep(t.Context(), r, now); err != nil || !maps.Equal(got, want) {
			t.Errorf("removed %v, %v; want %v", got, err, want)
		}
		if got, err := s.Sweep(t.Context(), r, now); err != nil || len(got) != 0 {
			t.Errorf("removed again: %v, %v", got, err)
		}
		if got := lives(t, s); !strings.HasPrefix(got, "p active") {
			t.Errorf("what is open stays however old: %s", got)
		}
		if h, err := s.PathHistory(t.Context(), "prod", "p"); err != nil || len(h) != 1 {
			t.Errorf("history: %v, %v", h, err)
		}
		if n := count(t, s, "alert_events"); n != 4 {
			t.Errorf("%d events of alerts are left, want those of the two alerts", n)
		}
	})
}

func count(t *testing.T, s *Store, table string) (n int64) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// fillLayers puts so many layers that a sweep needs several batches.
func fillLayers(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		if err := s.PutLayer(t.Context(), fmt.Sprint(i), []byte("packages")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.db.Exec(`UPDATE layers SET updated_at = CAST(id AS INTEGER)`); err != nil {
		t.Fatal(err)
	}
}

func TestBeyondItsRowsTheOldestGo(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		fillLayers(t, s, 2*batch+30)
		got, err := s.Sweep(t.Context(), Retention{"layers": {Rows: 20}}, time.Now())
		if err != nil || got["layers"] != 2*batch+10 {
			t.Errorf("removed %v, %v", got, err)
		}
		var oldest, rows int64
		err = s.db.QueryRow(`SELECT min(updated_at), count(*) FROM layers`).Scan(&oldest, &rows)
		if err != nil || oldest != 2*batch+10 || rows != 20 {
			t.Errorf("%d rows from %d on are left, %v", rows, oldest, err)
		}
	})
}

func TestNoLimitRemovesNothing(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		fillLayers(t, s, 3)
		if got, err := s.Sweep(t.Context(), Retention{}, time.Now()); err != nil || len(got) != 0 || count(t, s, "layers") != 3 {
			t.Errorf("removed %v, %v", got, err)
		}
	})
}

// writeHistory writes one row for each moment.
func writeHistory(t *testing.T, s *Store, times ...time.Time) {
	t.Helper()
	for _, at := range times {
		_, err := s.db.Exec(`INSERT INTO path_history (cluster_id, id, at, version, what) VALUES ('c', 'p', ?, ?, 'opened')`,
			unix(at), count(t, s, "path_history"))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func weeks(t *testing.T, s *Store) map[string]int64 {
	t.Helper()
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	have, err := partitionsOf(t.Context(), tx, "path_history")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for name := range have {
		rows[name] = count(t, s, name)
	}
	return rows
}

func TestAWeekOfHistoryIsDroppedWhole(t *testing.T) {
	s := open(t, pgtest.DSN(t))
	now := time.Date(2031, 3, 12, 10, 0, 0, 0, time.UTC) // a Wednesday; no partition of today's is near
	sweep := func(now time.Time) {
		t.Helper()
		if _, err := s.Sweep(t.Context(), Retention{"path-history": {Keep: 14 * day}}, now); err != nil {
			t.Fatal(err)
		}
	}
	if made := weeks(t, s); len(made) != 5 {
		t.Errorf("an opened store has the weeks of now: %v", made)
	}
	writeHistory(t, s, now) // before its week has a partition
	sweep(now)
	if rows := weeks(t, s); rows["path_history_w20310310"] != 1 || count(t, s, "path_history_rest") != 0 {
		t.Errorf("a new partition takes over what was there: %v", rows)
	}
	writeHistory(t, s, now, now.Add(7*day), now.Add(28*day), now.Add(-365*day))
	made := weeks(t, s)
	if made["path_history_w20310310"] != 2 || made["path_history_w20310317"] != 1 || made["path_history_w20310407"] != 1 {
		t.Errorf("four weeks are made ahead: %v", made)
	}
	sweep(now.Add(14 * day)) // the week of the 10th ends within the retention
	if rows := weeks(t, s); rows["path_history_w20310310"] != 2 || count(t, s, "path_history_rest") != 0 {
		t.Errorf("too early, or the rest is kept: %v", rows)
	}
	sweep(now.Add(21 * day))
	rows := weeks(t, s)
	if _, there := rows["path_history_w20310310"]; there || rows["path_history_w20310317"] != 1 {
		t.Errorf("the week of the 10th is to be gone: %v", rows)
	}
	if n := count(t, s, "path_history"); n != 2 {
		t.Errorf("%d rows are left", n)
	}
}

func TestTheWeekOfAMoment(t *testing.T) {
	for at, want := range map[string]string{
		"1970-01-01": "1969-12-29", "1970-01-05": "1970-01-05",
		"2026-11-29": "2026-11-23", "1969-06-01": "1969-05-26", "1969-05-26": "1969-05-26",
	} {
		moment, _ := time.Parse(time.DateOnly, at)
		for _, late := range []time.Duration{0, time.Millisecond, day - time.Millisecond} {
			if got := weekOf(moment.Add(late)).Format(time.RFC3339Nano); got != want+"T00:00:00Z" {
				t.Errorf("%s and %v: %s, want %s", at, late, got, want)
			}
		}
	}
}

func TestSizesTellRowsAndBytesOfEveryTable(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		writeHistory(t, s, time.Now(), time.Now().Add(-1000*day))
		if err := s.PutImage(t.Context(), assess.Record{ID: "i", State: assess.Done, Inventory: make([]byte, 50_000)}, nil); err != nil {
			t.Fatal(err)
		}
		sizes, err := s.Sizes(t.Context(), DefaultRetention())
		if err != nil || len(sizes) != len(readKeys(t, s)) {
			t.Fatalf("%v, %v", sizes, err)
		}
		for _, z := range sizes {
			if z.Bytes <= 0 || z.Table == "path_history" && z.Rows != 2 || z.Table == "images" && z.Rows != 1 ||
				z.Table == "path_history" && (z.Name != "path-history" || z.MostRows != 5_000_000 || time.Since(z.Oldest) < 999*day) ||
				z.Table == "clusters" && (z.Bound == "" || z.MostRows != 0 || !z.Oldest.IsZero()) {
				t.Errorf("%+v", z)
			}
		}
	})
}

func TestSettingsOfRetention(t *testing.T) {
	r := DefaultRetention()
	for _, good := range [][2]string{{"alerts", "90d"}, {"paths", "36500d"}, {"paths", "1h"}, {"paths", "36h"}, {"path-history", "forever"}} {
		if err := r.Keep(good[0], good[1]); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(r.KeepRows("alerts", "1"), r.KeepRows("alerts", "500"), r.KeepRows("layers", "unlimited")); err != nil {
		t.Error(err)
	}
	if r["alerts"] != (Limit{Keep: 90 * day, Rows: 500}) || r["paths"].Keep != 36*time.Hour || r["path-history"].Keep != 0 ||
		r["layers"].Rows != 0 || r["layers"].Keep != 90*day {
		t.Errorf("%+v", r)
	}
	for _, bad := range []string{"", "d", "0d", "-1d", "36501d", "59m", "1", "30m", "1d2h", "99999d", "999999999999999d", "NaN",
		"9223372036s", "-200000d"} {
		if err := r.Keep("alerts", bad); !errors.Is(err, ErrRetention) || r["alerts"].Keep != 90*day {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "0", "-1", "many", "1e9", "99999999999999999999"} {
		if err := r.KeepRows("alerts", bad); !errors.Is(err, ErrRetention) || r["alerts"].Rows != 500 {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := r.Keep("alert", "90d"); err == nil || !strings.Contains(err.Error(), "path-history") {
		t.Errorf("an error names what there is: %v", err)
	}
}

func TestASweepRemovesTokensThatHaveExpiredAndNoOthers(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		if _, err := s.NewSignIn(t.Context(), time.Hour, "", "alice"); err != nil {
			t.Fatal(err)
		}
		for hours, left := range []int64{1, 1, 0} {
			_, err := s.Sweep(t.Context(), nil, time.Now().Add(time.Duration(hours)*59*time.Minute))
			if err != nil || count(t, s, "sessions") != left {
				t.Errorf("after %d times 59 minutes: %d tokens, %v", hours, count(t, s, "sessions"), err)
			}
		}
	})
}

func TestWhatIsKeptIfNobodySaysOtherwise(t *testing.T) {
	want := Retention{"alerts": {Keep: 400 * day, Rows: 1_000_000}, "paths": {Keep: 400 * day, Rows: 1_000_000},
		"path-history": {Keep: 400 * day, Rows: 5_000_000},
		"layers":       {Keep: 90 * day, Rows: 200_000, Bytes: LayerBytes}, "activity": {Keep: 400 * day, Rows: 1_000_000},
		"alert-events": {Keep: 90 * day, Rows: 5_000_000},
		"sensors":      {Keep: 400 * day, Rows: 100_000},
		"sensor-runs":  {Keep: 90 * day, Rows: 200_000}, "images": {Keep: 90 * day, Rows: 100_000},
		"uploads": {Keep: 90 * day, Rows: 20_000, Bytes: 2 << 30}}
	if got := DefaultRetention(); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, h := range Histories() {
		if _, known := want[h[0]]; !known || h[1] == "" {
			t.Errorf("%q is told as %q", h[0], h[1])
		}
	}
}

// Whole weeks of history go, on either database; all else goes by the moment.
func TestHistoryGoesByTheWeekAndAllElseByTheMoment(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC) // a Thursday
		monday := time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
		writeHistory(t, s, monday.Add(-7*day-time.Millisecond), monday.Add(-7*day), monday.Add(-time.Millisecond), monday)
		for i, at := range []time.Time{now.Add(-7*day - time.Millisecond), now.Add(-7 * day)} {
			err := s.PutAnalysed(t.Context(), Analysed{Cluster: "c",
				Alerts: []AlertSeen{{Cluster: "c", ID: fmt.Sprint(i), LastSeen: at, Body: []byte(`{}`)}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		limit := Limit{Keep: 7 * day, Rows: 10}
		got, err := s.Sweep(t.Context(), Retention{"path-history": limit, "alerts": limit}, now)
		if want := map[string]int64{"path-history": 1, "alerts": 1}; err != nil || !maps.Equal(got, want) {
			t.Errorf("removed %v, %v; want %v", got, err, want)
		}
		limit.Rows = 2 // both limits hold
		got, err = s.Sweep(t.Context(), Retention{"path-history": limit}, now)
		if want := map[string]int64{"path-history": 1}; err != nil || !maps.Equal(got, want) {
			t.Errorf("removed %v, %v; want %v", got, err, want)
		}
		if _, err := s.db.Exec(`DROP TABLE layers`); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Sweep(t.Context(), Retention{"layers": {Keep: time.Hour}}, now); err == nil ||
			!strings.Contains(err.Error(), "remove old rows of layers") {
			t.Errorf("what cannot be removed: %v", err)
		}
	})
}
