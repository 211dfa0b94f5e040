package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// saw keeps that events were seen in an alert.
func saw(t *testing.T, s *Store, id string, at time.Time, events ...string) {
	t.Helper()
	err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod", Alerts: []AlertSeen{
		{Cluster: "prod", ID: id, Rule: "r", Severity: "high", FirstSeen: at, LastSeen: at, Events: events, Body: []byte("{}")}}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADecisionStaysUntilSomethingNewHappens(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	tests := []struct {
		name    string
		decided AlertStatus
		event   string
		want    AlertStatus
		reason  string
		count   int
	}{
		{"resolved, and seen in a new event", AlertResolved, "second", AlertNew, "", 2},
		{"resolved, and the same event again", AlertResolved, "first", AlertResolved, "because", 1},
		{"dismissed, and seen in a new event", AlertDismissed, "second", AlertDismissed, "because", 2},
		{"in progress, and seen in a new event", AlertInProgress, "second", AlertInProgress, "because", 2},
		{"new, and the same event again", AlertNew, "first", AlertNew, "because", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stores(t, func(t *testing.T, s *Store) {
				saw(t, s, "a", at, "first")
				if err := s.ChangeAlert(t.Context(), "prod", "a", AlertChange{Status: new(test.decided), Reason: "because", By: "alice"}); err != nil {
					t.Fatal(err)
				}
				saw(t, s, "a", at.Add(time.Minute), test.event)
				a, err := s.Alert(t.Context(), "prod", "a")
				who, when := "alice", false
				if test.reason == "" {
					who, when = "", true
				}
				if err != nil || a.Status != test.want || a.Reason != test.reason || a.Count != test.count || a.DecidedBy != who ||
					a.DecidedAt.IsZero() != when {
					t.Errorf("%+v, %v", a, err)
				}
			})
		})
	}
}

func TestPagesOfAlertsLeaveOutNone(t *testing.T) { stores(t, pagesLeaveOutNone) }

func pagesLeaveOutNone(t *testing.T, s *Store) {
	at := time.UnixMilli(1_700_000_000_000)
	var want []string
	for i := range 9 { // three moments, with three alerts each
		id := fmt.Sprint("a", i)
		want = append(want, id)
		saw(t, s, id, at.Add(-time.Duration(i/3)*time.Minute), id)
	}
	for limit := 1; limit <= 10; limit++ {
		var got []string
		for cursor := ""; ; {
			page, next, err := s.Alerts(t.Context(), AlertFilter{}, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				t.Errorf("in pages of %d: one is empty", limit)
			}
			for _, a := range page {
				got = append(got, a.ID)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %v", limit, got)
		}
	}
}

func TestWhatWasAnalysedIsKeptWholeOrNotAtAll(t *testing.T) { stores(t, keptWholeOrNotAtAll) }

func keptWholeOrNotAtAll(t *testing.T, s *Store) {
	put := func(stream string, sequence uint64, name, state string) error {
		return s.PutAnalysed(t.Context(), Analysed{Cluster: "prod",
			Batch:  &EventBatch{Source: "audit", EventPosition: EventPosition{stream, sequence}, Name: name, Received: time.Now()},
			Runs:   []RunCame{{"n", "b", []uint64{sequence}}},
			States: []AnalyticState{{"prod", "tally", "audit", state}},
			Alerts: []AlertSeen{{Cluster: "prod", ID: state, Rule: "r", Severity: "low", Events: []string{state}, Body: []byte("{}")}}})
	}
	steps := []struct {
		what, stream, name, state string
		sequence                  uint64
		again                     bool
	}{
		{"the first", "s", "a", "1", 5, false},
		{"the same", "s", "a", "no", 5, true},
		{"an earlier one", "s", "b", "no", 4, true},
		{"a repetition of the first", "s", "a", "no", 6, true},
		{"the next", "s", "b", "2", 6, false},
		{"one without a name", "s", "", "3", 7, false},
		{"another stream", "t", "", "4", 1, false},
	}
	state := ""
	for _, step := range steps {
		err := put(step.stream, step.sequence, step.name, step.state)
		if step.again != errors.Is(err, ErrAnalysed) || !step.again && err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		if !step.again {
			state = step.state
		}
		states, err := s.AnalyticStates(t.Context(), "prod", "")
		if err != nil || len(states) != 1 || states[0].State != state {
			t.Errorf("after %s: %+v, %v", step.what, states, err)
		}
		alerts, _, err := s.Alerts(t.Context(), AlertFilter{}, "", 100)
		if err != nil || fmt.Sprint(len(alerts)) != state {
			t.Errorf("after %s: %d alerts, %v", step.what, len(alerts), err)
		}
	}
	if err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod", States: []AnalyticState{{"prod", "tally", "audit", ""}}}); err != nil {
		t.Fatal(err)
	}
	if states, err := s.AnalyticStates(t.Context(), "", ""); err != nil || len(states) != 0 {
		t.Errorf("a part that is gone: %+v, %v", states, err)
	}
	positions, err := s.EventPositions(t.Context(), "prod")
	if err != nil || positions["audit"] != (EventPosition{"t", 1}) {
		t.Errorf("%v, %v", positions, err)
	}
	runs, err := s.SensorRuns(t.Context(), "prod")
	if err != nil || len(runs) != 1 || runs[0].Received != 4 { // 5, 6, 7 and 1
		t.Errorf("%+v, %v", runs, err)
	}
}

func TestAnAlertTellsAThousandEventsApart(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		at := time.UnixMilli(1_700_000_000_000)
		var events []string
		for i := range 999 {
			events = append(events, fmt.Sprint(i))
		}
		for _, step := range []struct {
			events []string
			count  int
		}{
			{events, 999},
			{[]string{"0", "last", "more", "more"}, 1002}, // beyond, an event that is seen twice counts twice
		} {
			saw(t, s, "a", at, step.events...)
			if a, err := s.Alert(t.Context(), "prod", "a"); err != nil || a.Count != step.count {
				t.Errorf("%d events counted, %v; want %d", a.Count, err, step.count)
			}
		}
	})
}

func TestADecisionIsOneOfFourAndToDismissWantsAReason(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		saw(t, s, "a", time.UnixMilli(1_700_000_000_000), "e")
		for _, c := range []struct {
			id     string
			to     AlertStatus
			reason string
			want   string
		}{
			{"a", AlertInProgress, "", ""},
			{"a", AlertResolved, "", ""},
			{"a", AlertNew, "", ""},
			{"a", AlertDismissed, "a test", ""},
			{"a", AlertDismissed, "", "not a change of an alert: to dismiss it, say why"},
			{"a", AlertDismissed, " \n", "not a change of an alert: to dismiss it, say why"},
			{"a", "closed", "done", `not a change of an alert: no status "closed"`},
			{"b", AlertResolved, "", "not found"},
		} {
			err := s.ChangeAlert(t.Context(), "prod", c.id, AlertChange{Status: new(c.to), Reason: c.reason, By: "alice"})
			if got := said(err); got != c.want {
				t.Errorf("%s of %s because %q: %q, want %q", c.to, c.id, c.reason, got, c.want)
			}
			a, err := s.Alert(t.Context(), "prod", "a")
			if c.want == "" && (err != nil || a.Status != c.to || a.Reason != c.reason) {
				t.Errorf("%s: %+v, %v", c.to, a, err)
			}
		}
		if _, err := s.Alert(t.Context(), "dev", "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("an alert of another cluster: %v", err)
		}
	})
}

// said is the text of an error, "" of none.
func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAlertsAreFoundByEverythingThatIsSaidOfThem(t *testing.T) { stores(t, findAlerts) }

func findAlerts(t *testing.T, s *Store) {
	at := time.UnixMilli(1_700_000_000_000)
	body := func(namespaces ...string) []byte {
		var entities []string
		for _, n := range namespaces {
			entities = append(entities, fmt.Sprintf(`{"kind":"Pod","namespace":%q,"name":"p"}`, n))
		}
		return []byte(`{"entities":[` + strings.Join(entities, ",") + `]}`)
	}
	for _, cluster := range []string{"prod", "dev"} { // together: what came of a batch may be several
		if err := s.PutAnalysed(t.Context(), Analysed{Cluster: cluster, Alerts: []AlertSeen{
			{Cluster: cluster, ID: "1", Rule: "shell", Severity: "high", FirstSeen: at, LastSeen: at, Body: body("shop")},
			{Cluster: cluster, ID: "2", Rule: "scan", Severity: "low", FirstSeen: at.Add(-time.Minute), LastSeen: at.Add(-time.Minute),
				Body: body("shop", "pay")},
			{Cluster: cluster, ID: "3", Rule: "miner", Severity: "critical", FirstSeen: at.Add(-time.Hour), LastSeen: at.Add(-time.Hour),
				Body: body()},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ChangeAlert(t.Context(), "prod", "2", AlertChange{Status: new(AlertResolved), Assignee: new("bob"), By: "alice"}); err != nil {
		t.Fatal(err)
	}
	within := func(places ...Tenancy) *[]Tenancy { return &places }
	for _, c := range []struct {
		name   string
		filter AlertFilter
		want   string
		counts string
	}{
		{"all, those seen last first", AlertFilter{}, "dev/1 prod/1 dev/2 prod/2 dev/3 prod/3", "map[critical:2 high:2 low:2]"},
		{"of a cluster", AlertFilter{Clusters: []string{"prod"}}, "prod/1 prod/2 prod/3", "map[critical:1 high:1 low:1]"},
		{"of a rule", AlertFilter{Rules: []string{"miner"}}, "dev/3 prod/3", "map[critical:2]"},
		{"of one of three rules", AlertFilter{Rules: []string{"scan", "miner", "none"}}, "dev/2 prod/2 dev/3 prod/3", "map[critical:2 low:2]"},
		{"of a severity", AlertFilter{Severities: []string{"high"}}, "dev/1 prod/1", "map[high:2]"},
		{"of a status", AlertFilter{Statuses: []AlertStatus{AlertResolved}}, "prod/2", "map[low:1]"},
		{"of two statuses and a cluster", AlertFilter{Clusters: []string{"prod"}, Statuses: []AlertStatus{AlertResolved, AlertNew}},
			"prod/1 prod/2 prod/3", "map[critical:1 high:1 low:1]"},
		{"that name something in a namespace", AlertFilter{Namespaces: []string{"pay"}}, "dev/2 prod/2", "map[low:2]"},
		{"with a part of a rule's id", AlertFilter{Words: "HEL"}, "dev/1 prod/1", "map[high:2]"},
		{"with a part that is no pattern", AlertFilter{Words: "%"}, "", "map[]"},
		{"on which somebody works", AlertFilter{Assignees: []string{"bob"}}, "prod/2", "map[low:1]"},
		{"on which nobody works, of a rule", AlertFilter{Assignees: []string{""}, Rules: []string{"scan"}}, "dev/2", "map[low:1]"},
		{"first seen then or before", AlertFilter{Until: at.Add(-2 * time.Minute)}, "dev/3 prod/3", "map[critical:2]"},
		{"seen then or later", AlertFilter{Since: at.Add(-time.Minute)}, "dev/1 prod/1 dev/2 prod/2", "map[high:2 low:2]"},
		{"nothing is within nothing", AlertFilter{Within: within()}, "", "map[]"},
		{"within a cluster", AlertFilter{Within: within(Tenancy{Cluster: "dev"})}, "dev/1 dev/2 dev/3", "map[critical:1 high:1 low:1]"},
		{"within a namespace that is all they name", AlertFilter{Within: within(Tenancy{"dev", []string{"shop"}})}, "dev/1", "map[high:1]"},
		{"within both namespaces that they name", AlertFilter{Within: within(Tenancy{"dev", []string{"shop", "pay"}})},
			"dev/1 dev/2", "map[high:1 low:1]"},
	} {
		page, next, err := s.Alerts(t.Context(), c.filter, "", 10)
		var got []string
		for _, a := range page {
			got = append(got, a.Cluster+"/"+a.ID)
		}
		if err != nil || next != "" || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, next %q, %v; want %s", c.name, got, next, err, c.want)
		}
		if n, err := s.CountAlerts(t.Context(), c.filter); err != nil || fmt.Sprint(n) != c.counts {
			t.Errorf("%s: counted %v, %v; want %s", c.name, n, err, c.counts)
		}
	}
	for since, want := range map[time.Time]string{at: "[dev prod]", at.Add(time.Millisecond): "[]"} {
		if clusters, err := s.AlertedClusters(t.Context(), since); err != nil || fmt.Sprint(clusters) != want {
			t.Errorf("clusters with alerts since %v: %v, %v", since, clusters, err)
		}
	}
}

func TestWhatAListShowsOfAnAlertIsReadFromItsBody(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"nothing is said", `{}`, `   [] []`},
		{"title and techniques", `{"title":"A shell","techniques":["T1059","T1610"]}`, `A shell   [T1059 T1610] []`},
		{"the first actor and the first target", `{"title":"t","entities":[
			{"role":"source","kind":"IP","name":"10.0.0.1"},
			{"role":"actor","kind":"User","name":"eve"}, {"role":"actor","kind":"User","name":"bob"},
			{"role":"target","kind":"Pod","namespace":"shop","name":"web"}, {"role":"target","kind":"Node","name":"n1"}]}`,
			`t eve Pod shop/web [] [   shop ]`},
		{"a target without a namespace, and a namespace itself", `{"title":"t","entities":[
			{"role":"target","kind":"Node","name":"n1"}, {"role":"seen","kind":"Namespace","name":"pay"}]}`,
			`t  Node n1 [] [ pay ]`},
	} {
		h, err := alertHead([]byte(c.body))
		got := fmt.Sprint(h.Title, " ", h.Actor, " ", h.About, " ", h.Techniques, " ", h.Namespaces)
		if err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	if _, err := alertHead([]byte(`{"title":1}`)); err == nil || !strings.Contains(err.Error(), "read alert") {
		t.Error(err)
	}
}

func TestAListInAColumnHasEachItemOnceBetweenLineEnds(t *testing.T) {
	for want, items := range map[string][]string{"": {"", ""}, "\na\n": {"", "a"}, "\na\nb\n": {"b", "a", "b", ""}} {
		if got := lines(items); got != want {
			t.Errorf("%q: %q, want %q", items, got, want)
		}
	}
}

// A database of a version that kept nothing but the body.
func TestAlertsOfAnOlderDatabaseShowWhatTheirBodiesSay(t *testing.T) {
	places(t, func(t *testing.T, where string) {
		now := migrations
		migrations = now[:slices.Index(now, script("10-alert-heads.sql"))]
		old := open(t, where)
		migrations = now
		for id, body := range map[string]string{"1": `{"title":"one"}`, "2": `{`,
			"3": `{"title":"three","entities":[{"kind":"Pod","namespace":"shop","name":"web"}]}`} {
			if _, err := old.db.Exec(`INSERT INTO alerts (cluster_id, id, rule, severity, status, first_seen, last_seen, count, body)
				VALUES ('prod', ?, 'r', 'low', 'new', 1, 1, 1, ?)`, id, body); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, where)
		for id, want := range map[string]string{"1": "one", "2": "", "3": "three"} {
			if a, err := s.Alert(t.Context(), "prod", id); err != nil || a.Title != want {
				t.Errorf("alert %s: %q, %v", id, a.Title, err)
			}
		}
		if page, _, err := s.Alerts(t.Context(), AlertFilter{Things: []string{Thing("Pod", "shop", "web")}}, "", 9); err != nil ||
			len(page) != 1 {
			t.Errorf("%d alerts name the pod, %v", len(page), err)
		}
	})
}

func TestAPositionIsStillToComeInAnotherStreamOrFurtherOn(t *testing.T) {
	at := EventPosition{"s", 5}
	for other, want := range map[EventPosition]bool{{"s", 4}: false, {"s", 5}: false, {"s", 6}: true, {"t", 1}: true} {
		if got := at.Before(other); got != want {
			t.Errorf("%v is before %v: %v", at, other, got)
		}
	}
}

func TestABatchThatCannotBeKeptIsNotOneThatWasAnalysed(t *testing.T) {
	stores(t, func(t *testing.T, s *Store) {
		for _, table := range []string{"event_batches", "event_positions"} {
			if _, err := s.db.Exec(`DROP TABLE ` + table); err != nil {
				t.Fatal(err)
			}
			err := s.PutAnalysed(t.Context(), Analysed{Cluster: "prod",
				Batch: &EventBatch{Source: "audit", EventPosition: EventPosition{"s", 1}, Name: "n"}})
			if err == nil || errors.Is(err, ErrAnalysed) || !strings.Contains(err.Error(), table) {
				t.Errorf("without %s: %v", table, err)
			}
		}
	})
}
