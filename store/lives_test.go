package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
)

// A table that nobody bounds is one that somebody fills.
func TestEveryTableHasALimitAndALifeOrAReason(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		limits := map[string]Limit{}
		for _, h := range histories {
			limits[h.table] = h.kept
		}
		tables := readKeys(t, s)
		for table := range tables {
			l, limited := limits[table]
			switch why := bounded[table]; {
			case limited && why != "":
				t.Errorf("%s is a history and named in bounded: which is it?", table)
			case limited && (l.Rows == 0 || l.Keep == 0 && table != "sessions"): // a session says itself how long it lives
				t.Errorf("%s has the limit %+v: want rows and a time", table, l)
			case !limited && why == "":
				t.Errorf("nothing bounds %s: put it into histories, or say in bounded what does (store/retention.go)", table)
			}
		}
		for table := range bounded {
			if tables[table] == nil {
				t.Errorf("bounded names %s, which is no table", table)
			}
		}
	})
}

// putAlerted puts so many alerts of a cluster, one a minute since a moment.
func putAlerted(t *testing.T, s *Store, cluster string, n int, since time.Time) {
	t.Helper()
	var seen []AlertSeen
	for i := range n {
		at := since.Add(time.Duration(i) * time.Minute)
		seen = append(seen, AlertSeen{Cluster: cluster, ID: fmt.Sprint("a", i), Rule: "r", Severity: "high", FirstSeen: at, LastSeen: at,
			Events: []string{"e"}, Body: []byte(`{}`)})
	}
	if err := s.PutAnalysed(t.Context(), Analysed{Cluster: cluster, Alerts: seen}); err != nil {
		t.Fatal(err)
	}
}

func alertsOf(t *testing.T, s *Store) map[string]int {
	t.Helper()
	by, err := counts(t.Context(), s.db, `SELECT cluster_id, count(*) FROM alerts GROUP BY cluster_id`)
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func TestAFloodOfOneClusterEvictsItsOwnOldestAndNobodyElses(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Now()
		putAlerted(t, s, "quiet", 5, now.Add(-300*day)) // older than all of the flood
		putAlerted(t, s, "busy", 30, now.Add(-200*day))
		putAlerted(t, s, "flood", 300, now.Add(-day))
		if _, err := s.Sweep(t.Context(), Retention{"alerts": {Keep: 400 * day, Rows: 65}}, now); err != nil {
			t.Fatal(err)
		}
		if got, want := alertsOf(t, s), map[string]int{"quiet": 5, "busy": 30, "flood": 30}; !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		if _, err := s.Alert(t.Context(), "flood", "a299"); err != nil {
			t.Errorf("the flood's newest is gone: %v", err)
		}
		if n := count(t, s, "alert_events"); n != 65 {
			t.Errorf("%d events of alerts, want those of the alerts that are left", n)
		}
	})
}

func TestWhoHasLessThanAFairShareLosesNothing(t *testing.T) {
	for _, c := range []struct {
		rows        []int64
		most, share int64
	}{
		{[]int64{1, 2, 3}, 6, 1 << 62},
		{[]int64{1, 2, 3}, 5, 2},
		{[]int64{100, 1, 1}, 12, 10},
		{[]int64{100, 100, 100}, 90, 30},
		{[]int64{100, 40, 5}, 90, 45},
		{[]int64{100, 100}, 1, 0},
		{[]int64{7}, 5, 5},
		{nil, 5, 1 << 62},
	} {
		share, left := fairShare(append([]int64{}, c.rows...), c.most), int64(0)
		for _, n := range c.rows {
			left += min(n, share)
		}
		if share < c.share || c.share < 1<<62 && share != c.share || left > c.most {
			t.Errorf("%v within %d: each may keep %d, together %d; want %d", c.rows, c.most, share, left, c.share)
		}
	}
}

func TestAFloodIsSweptBeforeTheHour(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		putAlerted(t, s, "c", 2, time.Now())
		if s.Grown() {
			t.Error("two alerts are no flood")
		}
		s.written.Add(sweepAfter - 4) // each alert is a row and its event's
		if !s.Grown() {
			t.Error("so much was written that limits are to be held now")
		}
		if _, err := s.Sweep(t.Context(), nil, time.Now()); err != nil || s.Grown() {
			t.Errorf("swept: %v", err)
		}
	})
}

func TestAnImageThatNobodyHoldsAnyMoreIsForgottenInItsTime(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Now()
		for _, id := range []string{"gone", "fresh", "runs", "listed", "read"} {
			at := now.Add(-100 * day)
			if id == "fresh" {
				at = now
			}
			err := s.PutImage(t.Context(), assess.Record{ID: id, Host: "h", Reference: "h/" + id, State: assess.Done, UpdatedAt: at},
				[]assess.Build{{Digest: "index-of-" + id, ID: id}})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, change := range []string{`UPDATE images SET wanted = 2 WHERE id = 'runs'`,
			`UPDATE images SET state = 'scanning' WHERE id = 'read'`,
			`INSERT INTO registry_tags (host, repository, tag, digest) VALUES ('h', 'r', 't', 'listed')`} {
			if _, err := s.db.Exec(change); err != nil {
				t.Fatal(err)
			}
		}
		removed, err := s.Sweep(t.Context(), DefaultRetention(), now)
		if err != nil || removed["images"] != 1 || count(t, s, "images") != 4 || count(t, s, "image_builds") != 4 {
			t.Errorf("%v, %v", removed, err)
		}
		if _, there, err := s.Image(t.Context(), "gone"); there || err != nil {
			t.Errorf("%v, %v", there, err)
		}
	})
}

// put says what a sensor of a node says of itself.
func putSensor(t *testing.T, s *Store, node string, known bool, at time.Time, status string) error {
	t.Helper()
	return s.PutSensor(t.Context(), Sensor{Cluster: "prod", Node: node, SeenAt: at, Known: known, Status: []byte(status)})
}

func TestNodesThatNoGraphKnowsAreFew(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		began := time.Now()
		for i := range 200 {
			for _, known := range []bool{true, false} {
				if err := putSensor(t, s, fmt.Sprintf("%v-%03d", known, i), known, began.Add(time.Duration(i)*time.Second), `{}`); err != nil {
					t.Fatal(err)
				}
			}
		}
		all, err := s.Sensors(t.Context(), "prod")
		if err != nil || len(all) != 200+strangers {
			t.Fatalf("%d sensors are kept, %v", len(all), err)
		}
		if first := all[0]; first.Node != "false-136" || first.Known {
			t.Errorf("those that spoke last stay: %+v", first)
		}
	})
}

func TestOfASensorsWordTheKnownFieldsAreKept(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, c := range []struct{ name, text, want string }{
		{"what is not known goes", `{"node":"n","secret":"s3cret","probes":[{"name":"exec","state":"on","more":[1,2]}]}`,
			`{"version":0,"node":"n",`},
		{"a long text is cut", `{"kernel":"` + long + `"}`, `"kernel":"` + strings.Repeat("é", 126) + `…"`},
		{"nothing for a terminal", `{"build":"\u001b[31m\u202e"}`, `"build":"·[31m·"`},
		{"reasons that are the same once cut are one", `{"lost":{"` + long + `1":1,"` + long + `2":2}}`, `…":3}`},
	} {
		st, err := ReadSensorStatus([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := marshalled(t, st); !strings.Contains(got, c.want) || strings.Contains(got, "s3cret") || strings.Contains(got, "more") {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for _, refused := range []string{``, `[]`, `{"node":1}`, `{"probes":[` + strings.Repeat(`{},`, 32) + `{}]}`,
		`{"node":"` + strings.Repeat("n", MaxSensorStatus) + `"}`} {
		if st, err := ReadSensorStatus([]byte(refused)); err == nil || len(err.Error()) > 200 {
			t.Errorf("%.40s: %+v, %v", refused, st, err)
		}
	}
}

func marshalled(t testing.TB, st SensorStatus) string {
	t.Helper()
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whatever a sensor says, what is kept of it is small, and is read again as it was kept.
func FuzzSensorStatus(f *testing.F) {
	f.Add([]byte(`{"node":"n","boot":"b","lost":{"buffer full":3},"probes":[{"name":"exec","state":"off","why":"no hook"}]}`))
	f.Add([]byte("{\"kernel\":\"\xff\\u0000\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		st, err := ReadSensorStatus(text)
		if err != nil {
			return
		}
		kept := marshalled(t, st)
		if most := (statusText + 40) * (6 + 4*statusParts); len(kept) > most {
			t.Errorf("%d bytes are kept, want at most %d", len(kept), most)
		}
		again, err := ReadSensorStatus([]byte(kept))
		if err != nil || marshalled(t, again) != kept {
			t.Errorf("%s\nis read again as %s, %v", kept, marshalled(t, again), err)
		}
	})
}

func TestOfANodesBootsTheLastAreKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for i := range 10 {
			err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod",
				Runs:  []RunCame{{"n", fmt.Sprint("b", i), []uint64{1}}, {"other", "b", []uint64{1}}},
				Batch: &EventBatch{Source: "sensor", EventPosition: EventPosition{"s", uint64(i + 1)}, Received: time.Unix(int64(i), 0)}})
			if err != nil {
				t.Fatal(err)
			}
		}
		runs, err := s.SensorRuns(t.Context(), "prod")
		if err != nil || len(runs) != bootsKept+1 || runs[0].Boot != "b6" || runs[3].Boot != "b9" {
			t.Errorf("%+v, %v", runs, err)
		}
	})
}

// What a lane reads at its start is found by an index that begins at the cluster's newest
// alerts: however many there are, of this cluster or of others, no other row is looked at.
func TestTheNewestAlertsOfAClusterAreFoundByAnIndex(t *testing.T) {
	s := open(t, t.TempDir()+"/db")
	c := AlertFilter{Clusters: []string{"prod"}, Since: time.Unix(1, 0)}.where()
	c.add(`last_seen <= ?`, 5)
	plan, err := rowsOf(t.Context(), s.db, func(r *sql.Rows) (what string, err error) {
		var id, parent, unused int
		return what, r.Scan(&id, &parent, &unused, &what)
	}, `EXPLAIN QUERY PLAN SELECT `+alertColumns+` FROM alerts WHERE `+c.all()+
		` ORDER BY last_seen DESC, cluster_id, id LIMIT 500`, c.args...)
	if want := "USING INDEX alerts_cluster (cluster_id=? AND last_seen>? AND last_seen<?)"; err != nil ||
		!strings.Contains(strings.Join(plan, "\n"), want) || strings.Contains(strings.Join(plan, "\n"), "FOR ORDER BY") {
		t.Errorf("%q, %v; want %s", plan, err, want)
	}
}

func TestPagesOfAlertsNeitherRepeatNorSkipThoseOfOneMoment(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		at := time.UnixMilli(1_700_000_000_000)
		for _, cluster := range []string{"a", "b"} {
			var seen []AlertSeen
			for i := range 10 {
				last := at.Add(time.Duration(i/4) * time.Second)
				seen = append(seen, AlertSeen{Cluster: cluster, ID: fmt.Sprint(i), LastSeen: last, Body: []byte(`{}`)})
			}
			if err := s.PutAnalysed(t.Context(), Analysed{Cluster: cluster, Alerts: seen}); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range []AlertFilter{{}, {Clusters: []string{"b"}}} {
			var whole, paged []string
			list := func(limit int) (out []string) {
				for cursor := ""; ; {
					page, next, err := s.Alerts(t.Context(), f, cursor, limit)
					if err != nil {
						t.Fatal(err)
					}
					for _, a := range page {
						out = append(out, a.Cluster+a.ID)
					}
					if cursor = next; next == "" {
						return out
					}
				}
			}
			if whole, paged = list(100), list(3); fmt.Sprint(whole) != fmt.Sprint(paged) || len(whole) < 10 {
				t.Errorf("%v\n%v", whole, paged)
			}
		}
	})
}

func TestClustersWithRecentAlertsAreListed(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		now := time.Now()
		putAlerted(t, s, "old", 3, now.Add(-48*time.Hour))
		putAlerted(t, s, "new", 3, now.Add(-48*time.Hour))
		putAlerted(t, s, "new", 4, now)
		putAlerted(t, s, "also", 1, now)
		if got, err := s.AlertedClusters(t.Context(), now.Add(-24*time.Hour)); err != nil || fmt.Sprint(got) != "[also new]" {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func TestGrowthIsToldByWhatWasMeasuredBefore(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		sizes := func() map[string]Size {
			t.Helper()
			all, err := s.Sizes(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			by := map[string]Size{}
			for _, z := range all {
				by[z.Table] = z
			}
			return by
		}
		now := sizes()["alerts"]
		if now.Grown != 0 || !now.Since.IsZero() {
			t.Errorf("nothing was measured before: %+v", now)
		}
		for _, past := range []struct {
			ago     time.Duration
			smaller int64
		}{{9 * day, 999_999}, {2 * day, 1000}, {time.Minute, 5}} {
			z := now
			z.Bytes -= past.smaller
			if err := s.KeepSizes(t.Context(), []Size{z}, time.Now().Add(-past.ago)); err != nil {
				t.Fatal(err)
			}
		}
		if z := sizes()["alerts"]; z.Grown < 490 || z.Grown > 501 || time.Since(z.Since) < 47*time.Hour {
			t.Errorf("1,000 bytes in two days are told as %+v", z)
		}
	})
}

func TestReportsOfAnEarlierVersionAreBroughtToWhatIsKept(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for node, text := range map[string]string{"good": `{"node":"good","more":"x"}`, "bad": `{`} {
			if _, err := s.db.Exec(`INSERT INTO sensors (cluster_id, node, seen_at, status) VALUES ('c', ?, 1, ?)`, node, text); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.write(context.Background(), func(tx *sql.Tx) error { return fillSensors(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
		all, err := s.Sensors(t.Context(), "")
		if err != nil || len(all) != 1 || all[0].Node != "good" || strings.Contains(string(all[0].Status), "more") {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
