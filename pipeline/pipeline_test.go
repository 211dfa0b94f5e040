package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func rules(t testing.TB) *detect.Rules {
	t.Helper()
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), filepath.Join(dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func quiet(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
}

// execs are recorded requests to run a command in a pod, one for each person.
func execs(t testing.TB, people ...string) []byte {
	t.Helper()
	recorded, err := os.ReadFile("../packs/detect/audit/testdata/exec.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(recorded), "\n")
	var lines []string
	for _, who := range people {
		lines = append(lines, strings.ReplaceAll(first, `"alice"`, `"`+who+`"`)+"\n")
	}
	return []byte(strings.Join(lines, ""))
}

// running is a pipeline that is given batches by hand.
type running struct {
	*Pipeline
	handler func(context.Context, ingest.Batch) error
	ctx     context.Context
	stop    func()
}

func start(t testing.TB, c Config) *running {
	t.Helper()
	if c.Rules == nil {
		c.Rules = rules(t)
	}
	if c.Tell == nil {
		c.Tell = func() {}
	}
	if c.Log == nil {
		c.Log = quiet(t)
	}
	ctx, cancel := context.WithCancel(context.Background())
	given, ended := make(chan func(context.Context, ingest.Batch) error), make(chan error, 1)
	p := New(c)
	go func() {
		ended <- p.Run(ctx, func(ctx context.Context, handler func(context.Context, ingest.Batch) error) error {
			given <- handler
			<-ctx.Done()
			return nil
		})
	}()
	r := &running{Pipeline: p, ctx: ctx, handler: <-given}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func batch(cluster string, sequence uint64, lines []byte) ingest.Batch {
	return ingest.Batch{Cluster: cluster, Kind: ingest.Audit, Stream: "s", Sequence: sequence, Lines: lines, Received: time.Now()}
}

func (r *running) give(t testing.TB, b ingest.Batch) {
	t.Helper()
	if err := r.handler(r.ctx, b); err != nil {
		t.Fatal(err)
	}
}

// actors are who the stored alerts of a cluster are about, with how often.
func actors(t testing.TB, s *store.Store, cluster string) map[string]int {
	t.Helper()
	page, _, err := s.Alerts(context.Background(), store.AlertFilter{Clusters: []string{cluster}}, "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, stored := range page {
		var a detect.Alert
		if err := json.Unmarshal(stored.Body, &a); err != nil {
			t.Fatal(err)
		}
		out[a.Entities[0].Name] += stored.Count
	}
	return out
}

func TestABatchBecomesAlertsAndThoseWhoLookOnHearOfThem(t *testing.T) {
	s, told := openStore(t, t.TempDir()), 0
	r := start(t, Config{Records: s, Tell: func() { told++ }})
	r.give(t, batch("prod", 1, execs(t, "alice", "bob", "alice")))
	if got := actors(t, s, "prod"); got["alice"] != 1 || got["bob"] != 1 || told != 1 {
		t.Errorf("%v, told %d times", got, told)
	}
	r.give(t, batch("prod", 2, []byte("{\"kind\":\"Event\"}\n")))
	if told != 1 {
		t.Errorf("told of nothing: %d times", told)
	}
}

func TestWhatABatchDoesNotTellIsCounted(t *testing.T) {
	r := start(t, Config{Records: openStore(t, t.TempDir())})
	made := `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","stage":"ResponseComplete","verb":"create",` +
		`"user":{"username":"alice"},"objectRef":{"resource":"pods","namespace":"a","name":"p"},"responseStatus":{"code":201}}`
	r.give(t, batch("prod", 1, []byte(made+"\n{\"kind\":\"Event\"}\n"+made+"\n")))
	r.give(t, batch("test", 1, []byte(made+"\n")))
	got := []int{r.Blind("prod"), r.Unreadable("prod", ingest.Audit), r.Blind("test"), r.Unreadable("test", ingest.Audit), r.Blind("none")}
	if want := []int{2, 1, 1, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("blind and unreadable in prod, in test, and blind in none: %v, want %v", got, want)
	}
}

func TestARestartGoesOnWithTheAlertsOfBefore(t *testing.T) {
	s := openStore(t, t.TempDir())
	r := start(t, Config{Records: s})
	r.give(t, batch("prod", 1, execs(t, "alice")))
	r.stop()
	again := start(t, Config{Records: s})
	again.give(t, batch("prod", 2, []byte(strings.ReplaceAll(string(execs(t, "alice")), `"auditID":"`, `"auditID":"f`))))
	if got := actors(t, s, "prod"); len(got) != 1 || got["alice"] != 2 {
		t.Errorf("one alert, counted twice: %v", got)
	}
}

// heldUp is records whose writes for one cluster wait.
type heldUp struct {
	*store.Store
	cluster        string
	begun, release chan bool
}

func (h heldUp) PutAnalysed(ctx context.Context, a store.Analysed) error {
	if a.Cluster == h.cluster {
		h.begun <- true
		<-h.release
	}
	return h.Store.PutAnalysed(ctx, a)
}

func TestAClusterWhoseDatabaseIsSlowHoldsUpNoOther(t *testing.T) {
	s := openStore(t, t.TempDir())
	h := heldUp{s, "slow", make(chan bool), make(chan bool)}
	r := start(t, Config{Records: h})
	slow := make(chan error)
	go func() { slow <- r.handler(r.ctx, batch("slow", 1, execs(t, "alice"))) }()
	<-h.begun
	for i := range 3 {
		r.give(t, batch("quick", uint64(i+2), execs(t, fmt.Sprint("person-", i))))
	}
	if got := actors(t, s, "quick"); len(got) != 3 {
		t.Errorf("%v", got)
	}
	close(h.release)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

// away is records that fail for a while.
type away struct {
	*store.Store
	times *int
}

func (a away) PutAnalysed(ctx context.Context, what store.Analysed) error {
	if *a.times--; *a.times >= 0 {
		return errors.New("no database")
	}
	return a.Store.PutAnalysed(ctx, what)
}

func TestABatchWaitsForADatabaseThatIsAway(t *testing.T) {
	s, times := openStore(t, t.TempDir()), 3
	r := start(t, Config{Records: away{s, &times}})
	r.give(t, batch("prod", 1, execs(t, "alice")))
	if got := actors(t, s, "prod"); got["alice"] != 1 || times >= 0 {
		t.Errorf("%v, %d failures left", got, times)
	}
}

// poisoned is clusters that a rule's match makes panic.
type poisoned struct {
	noClusters
	name string
}

func (p poisoned) About(_ string, e event.Entity) (detect.About, bool) {
	if e.Name == p.name {
		panic("a bug")
	}
	return detect.About{}, false
}

func TestABatchThatPanicsFailsAloneAndLeavesNothingHalfDone(t *testing.T) {
	s := openStore(t, t.TempDir())
	r := start(t, Config{Records: s, Clusters: poisoned{name: "mallory"}})
	r.give(t, batch("prod", 1, execs(t, "alice")))
	err := r.handler(r.ctx, batch("prod", 2, execs(t, "bob", "mallory")))
	if err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Fatalf("%v", err)
	}
	if got, n := actors(t, s, "prod"), tallied(t, s, "prod"); len(got) != 1 || n != 1 {
		t.Errorf("half a batch is kept: %v, %d counted", got, n)
	}
	r.give(t, batch("prod", 3, execs(t, "bob")))
	if got := actors(t, s, "prod"); got["alice"] != 1 || got["bob"] != 1 || tallied(t, s, "prod") != 2 {
		t.Errorf("%v, %d counted", got, tallied(t, s, "prod"))
	}
}

// tallied is how many events of a cluster's audit log were counted.
func tallied(t testing.TB, s *store.Store, cluster string) uint64 {
	t.Helper()
	all, err := New(Config{Records: s}).Tallies(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all[cluster][ingest.Audit].Events
}

func TestABatchThatComesTwiceCountsOnce(t *testing.T) {
	tests := []struct {
		name     string
		restart  bool
		a, b     ingest.Batch
		wantBoth bool
	}{
		{name: "JetStream delivers it again", a: batch("prod", 7, nil), b: batch("prod", 7, nil)},
		{name: "and after a restart", restart: true, a: batch("prod", 7, nil), b: batch("prod", 7, nil)},
		{name: "an earlier one", a: batch("prod", 7, nil), b: batch("prod", 6, nil)},
		{name: "the sender repeats it", a: named(batch("prod", 7, nil), "n1/b/1"), b: named(batch("prod", 8, nil), "n1/b/1")},
		{name: "and after a restart", restart: true, a: named(batch("prod", 7, nil), "n1/b/1"), b: named(batch("prod", 8, nil), "n1/b/1")},
		{name: "another batch", a: named(batch("prod", 7, nil), "n1/b/1"), b: named(batch("prod", 8, nil), "n1/b/2"), wantBoth: true},
		{name: "a stream made anew begins at one", a: batch("prod", 7, nil),
			b: ingest.Batch{Cluster: "prod", Kind: ingest.Audit, Stream: "other", Sequence: 1}, wantBoth: true},
		{name: "another cluster's", a: batch("prod", 7, nil), b: batch("dev", 7, nil), wantBoth: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			test.a.Lines, test.b.Lines = execs(t, "alice", "bob"), execs(t, "carol")
			want := uint64(2)
			if test.wantBoth {
				want++
			}
			r := start(t, Config{Records: s})
			r.give(t, test.a)
			if test.restart {
				r.stop()
				r = start(t, Config{Records: s})
			}
			r.give(t, test.b)
			if n := tallied(t, s, "prod") + tallied(t, s, "dev"); n != want {
				t.Errorf("%d events counted, want %d", n, want)
			}
			if got := len(actors(t, s, "prod")) + len(actors(t, s, "dev")); uint64(got) != want {
				t.Errorf("%d alerts, want %d", got, want)
			}
			r.give(t, batch("prod", 9, execs(t, "dave"))) // and life goes on
			if n := tallied(t, s, "prod") + tallied(t, s, "dev"); n != want+1 {
				t.Errorf("%d events counted afterwards, want %d", n, want+1)
			}
		})
	}
}

func named(b ingest.Batch, name string) ingest.Batch {
	b.Name = name
	return b
}

// counted counts the alerts that are read.
type counted struct {
	*store.Store
	read *int
}

func (c counted) Alerts(ctx context.Context, f store.AlertFilter, cursor string, limit int) ([]store.Alert, string, error) {
	page, next, err := c.Store.Alerts(ctx, f, cursor, limit)
	*c.read += len(page)
	return page, next, err
}

func TestARestartReadsTheNewestAlertsHoweverManyThereAre(t *testing.T) {
	s := openStore(t, t.TempDir())
	var seen []store.AlertSeen
	for i := range openMost + 700 {
		at := time.Now().Add(-time.Duration(i) * time.Second)
		body, err := json.Marshal(detect.Alert{ID: fmt.Sprint(i), Key: fmt.Sprint(i), Cluster: "c", First: at, Last: at,
			Objects: []string{"the same"}})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, store.AlertSeen{Cluster: "c", ID: fmt.Sprint(i), FirstSeen: at, LastSeen: at, Body: body})
	}
	if err := s.PutAnalysed(t.Context(), store.Analysed{Cluster: "c", Alerts: seen}); err != nil {
		t.Fatal(err)
	}
	read := 0
	l := newLane(New(Config{Rules: rules(t), Records: counted{s, &read}, Log: quiet(t)}), sender{"c", ingest.Audit})
	open, err := l.openAlerts(t.Context())
	if err != nil || read != openMost || len(open) != openMost || open[openMost-1].ID != "0" {
		t.Errorf("%d alerts are read and %d gone on with, the newest %+v, %v", read, len(open), open[len(open)-1].ID, err)
	}
}

// remembering are rules that remember, about who enters pods.
const remembering = `title: Many pods are entered
id: many-entered
level: high
why: w
fix: f
evidence: ["The last was {exec.pod}."]
correlation:
  type: event_count
  rules: [entered]
  group-by: [actor.name]
  timespan: 1d
  condition: {gte: 3}
tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`

const entered = `title: A pod is entered
id: entered
level: low
logsource: {product: kubernetes, service: audit}
detection: {it: {exec.action: exec}, condition: it}
why: w
fix: f
evidence: ["{exec.pod}"]
tests: [{name: a, event: a, fires: true}, {name: b, event: b, fires: false}]
`

// TestWhatRulesRememberSurvivesARestart: what happened in three processes is told in the third, and a batch that comes
// again counts once.
func TestWhatRulesRememberSurvivesARestart(t *testing.T) {
	rules, err := builtin.LoadFS(fstest.MapFS{"detect/x/a.yaml": {Data: []byte(remembering)}, "detect/x/b.yaml": {Data: []byte(entered)}})
	if err != nil {
		t.Fatal(err)
	}
	s := openStore(t, t.TempDir())
	alerts := func() int {
		page, _, err := s.Alerts(t.Context(), store.AlertFilter{}, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(page)
	}
	for i := range 3 {
		r := start(t, Config{Records: s, Rules: rules})
		b := batch("prod", uint64(i+1), []byte(strings.ReplaceAll(string(execs(t, "alice")), `"auditID":"`, fmt.Sprintf(`"auditID":"f%d`, i))))
		r.give(t, b)
		r.give(t, b)
		r.stop()
		if got := alerts(); got != i/2 {
			t.Errorf("after %d: %d alerts", i+1, got)
		}
	}
	p := New(Config{Records: s, Rules: rules})
	covered, err := p.Coverage(t.Context())
	if err != nil || len(covered["prod"]) != 2 || covered["prod"][0].Rule != "entered" || covered["prod"][0].Matched != 3 ||
		covered["prod"][1].Can != detect.Fires {
		t.Errorf("%+v, %v", covered, err)
	}
	other, err := builtin.LoadFS(fstest.MapFS{"detect/x/b.yaml": {Data: []byte(entered)}})
	if err != nil {
		t.Fatal(err)
	}
	start(t, Config{Records: s, Rules: other}).give(t, batch("prod", 9, execs(t, "bob")))
	if states, err := s.AnalyticStates(t.Context(), "prod", "rules/audit"); err != nil || len(states) != 1 {
		t.Errorf("a rule that is no more is remembered: %+v, %v", states, err)
	}
}
