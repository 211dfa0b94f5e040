package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/store"
)

// activity is what is recorded, the newest first, in lines.
func (s *served) activity(t *testing.T) (lines []string) {
	t.Helper()
	all, _, err := s.store.Activities(t.Context(), store.ActivityFilter{}, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.At.Before(time.Now().Add(-time.Hour)) {
			t.Errorf("at %v", a.At)
		}
		lines = append(lines, strings.Join([]string{a.Person, a.Role, a.Address, a.Action, a.Object, a.Detail, a.Outcome}, "|"))
	}
	return lines
}

func TestWhatAPersonDoesIsRecordedWithItsOutcome(t *testing.T) {
	s := serveNothing(t, Config{})
	s.signIn(t)
	for _, c := range []struct {
		probe probe
		want  string // "" if it only asks
	}{
		{get("/status"), ""},
		{get("/registries"), ""},
		{get("/activity"), ""},
		{post("/query/check", map[string]any{"text": "MATCH"}), ""},
		{post("/registries", map[string]any{"host": "no such host!"}), "connect a registry|no such host!||refused: bad request"},
		{post("/registries", map[string]any{"host": "https://u:hunter2@registry.example"}),
			"connect a registry|registry.example||refused: bad request"},
		{post("/registries", map[string]any{"host": "u:hunter2@registry.example"}), "connect a registry|registry.example||refused: bad request"},
		{probe{"DELETE", "/registry?host=registry.example", nil}, "disconnect a registry|registry.example||refused: not found"},
		{post("/registry/rescan?host=registry.example", nil), "read a registry again|registry.example||refused: not found"},
		{probe{"PUT", "/alerts", map[string]any{"alerts": []map[string]string{{"cluster": "shop", "id": "1"}},
			"change": map[string]any{"status": "dismissed", "reason": "a drill, --password=hunter2"}}},
			`work on alerts|alerts [{"cluster":"shop","id":"1"}]|change {"reason":"a drill, --password=[redacted]","status":"dismissed"}|done`},
		{get("/report/paths"), "export a report|paths||done"},
		{get("/report/image?id=none&format=spdx"), "export a report|image|none, spdx|refused: not found"},
		{get("/query/export?text=MATCH%%20(p:Pod)%%20RETURN%%20p"), "export rows||MATCH (p:Pod) RETURN p|done"},
		{get("/query/export?text=nonsense"), "export rows||nonsense|refused: bad request"},
	} {
		before := len(s.activity(t))
		s.send(t, c.probe.method, c.probe.path, c.probe.body, nil)
		now := s.activity(t)
		if c.want == "" && len(now) != before || c.want != "" && (len(now) != before+1 || now[0] != "alice|operator|127.0.0.1|"+c.want) {
			t.Errorf("%s %s: recorded %d, %q; want %q", c.probe.method, c.probe.path, len(now)-before, now[0], c.want)
		}
	}
	s.send(t, "DELETE", "/session", nil, nil)
	all := s.activity(t)
	if all[0] != "alice|operator|127.0.0.1|sign out|||done" || all[len(all)-1] != "alice|operator|127.0.0.1|sign in|||done" {
		t.Errorf("%q", all)
	}
	if text := strings.Join(all, "\n"); strings.Contains(text, "hunter2") {
		t.Errorf("a password is recorded: %s", text)
	}
	if _, err := s.store.VerifyActivities(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestWhoSeesAPartReadsWhatTheyDidThemselves(t *testing.T) {
	s := serveNothing(t, Config{})
	if err := s.store.Record(t.Context(), store.Activity{Person: "bob", Action: "sign in", Outcome: store.Done}); err != nil {
		t.Fatal(err)
	}
	part := s.as(t, graph.Scope{Segments: map[string][]string{"shop": nil}}) // alice
	part.send(t, "DELETE", "/registry?host=registry.example", nil, nil)
	for _, c := range []struct {
		who  *served
		ask  string
		want string
	}{
		{part, "/activity", "alice of alice"}, {part, "/activity?person=bob", " of alice"}, {part, "/activity?person=alice", "alice of alice"},
		{s.as(t, graph.Everything), "/activity", "alice bob of alice bob"}, {s.as(t, graph.Everything), "/activity?person=bob",
			"bob of alice bob"},
		{s.as(t, graph.Everything), "/activity?action=nothing", " of alice bob"},
		{s.as(t, graph.Everything), "/activity?limit=1", "alice … of alice bob"},
	} {
		var got ActivityList
		c.who.get(t, c.ask, &got)
		var who []string
		for _, a := range got.Items {
			who = append(who, a.Person)
		}
		if got.Total < len(got.Items) || (got.Next == nil) != (got.Total == len(got.Items)) {
			t.Errorf("%s: %d of %d", c.ask, len(got.Items), got.Total)
		}
		if got.Next != nil {
			who = append(who, "…")
		}
		if said := strings.Join(who, " ") + " of " + strings.Join(got.People, " "); said != c.want {
			t.Errorf("%s: %s, want %s", c.ask, said, c.want)
		}
	}
}

func TestFailedSignInsAreCountedAndWriteLittleDown(t *testing.T) {
	s := serveNothing(t, Config{})
	var statuses []string
	for range 120 {
		statuses = append(statuses, told(t, s.send(t, "POST", "/session", map[string]string{"token": "guessed"}, nil)))
	}
	if statuses[0] != "401 Unauthorized" || statuses[9] != "401 Unauthorized" || statuses[10] != "429 too many sign-ins failed" {
		t.Errorf("%q", statuses[:12])
	}
	all := s.activity(t)
	if len(all) != 3 || !strings.HasPrefix(all[0], "||127.0.0.1|sign in||100 since ") || !strings.HasSuffix(all[0], "|refused: no such link") {
		t.Errorf("%q", all)
	}
	s.signIn(t) // a good link is taken all the same
}

func TestFromManyAddressesTheyAreCountedTogether(t *testing.T) {
	var f failures
	now := time.Unix(1e9, 0)
	written := 0
	for n := range 100_000 {
		if _, _, _, record := f.add(fmt.Sprint("2001:db8::", n), now); record {
			written++
		}
	}
	if written != mostAddresses+5 { // of the others the 1st, 10th, 100th, 1,000th and 10,000th
		t.Errorf("%d are written down", written)
	}
	if n, name, _, _ := f.add("192.0.2.1", now); n != 100_000-mostAddresses+1 || name != otherwise {
		t.Errorf("%d of %s", n, name)
	}
	if n, name, since, record := f.add("192.0.2.1", now.Add(failuresFor+1)); n != 1 || name != "192.0.2.1" || !record || since == now {
		t.Errorf("an hour later: %d of %s since %v, %v", n, name, since, record)
	}
}

// disk is a store whose disk fills.
type disk struct {
	*store.Store
	full bool
}

func (d *disk) Record(ctx context.Context, a store.Activity) error {
	if d.full {
		return errors.New("disk full")
	}
	return d.Store.Record(ctx, a)
}

func TestWhatCannotBeRecordedIsNotTold(t *testing.T) {
	d := &disk{}
	s := serveNothing(t, Config{Sessions: d})
	d.Store = s.store
	s.signIn(t)
	token, err := s.store.NewSignIn(t.Context(), time.Minute, `{"all":true}`, "alice")
	if err != nil {
		t.Fatal(err)
	}
	d.full = true
	for _, p := range []probe{get("/report/paths"), get("/query/export?text=MATCH%%20(p:Pod)%%20RETURN%%20p"),
		post("/registry/rescan?host=a", nil)} {
		resp := s.send(t, p.method, p.path, p.body, nil)
		if got := told(t, resp); got != "503 it could not be recorded" || resp.Header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %s %v", p.path, got, resp.Header)
		}
	}
	resp := s.send(t, "POST", "/session", map[string]string{"token": token}, nil)
	if resp.StatusCode < 500 || len(resp.Cookies()) > 0 {
		t.Errorf("signed in all the same: %s", resp.Status)
	}
	resp.Body.Close()
	s.get(t, "/status", &Status{})
}

// TestEveryOperationThatChangesSomethingIsRecorded: one that is added is, unless it is said that it only asks.
func TestEveryOperationThatChangesSomethingIsRecorded(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{"POST /report/query": true}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			operation := method + " " + path
			there[operation] = true
			if _, words := named[operation]; isRecorded(operation) && !words && operation != "POST /session" {
				t.Logf("%s is recorded without words of its own", operation)
			}
			if method != http.MethodGet && !isRecorded(operation) && !strings.Contains(strings.Join(asking, " "), operation) {
				t.Errorf("%s is not recorded", operation)
			}
		}
	}
	for operation := range named {
		if !there[operation] || !isRecorded(operation) {
			t.Errorf("%s has words and is not recorded", operation)
		}
	}
	for _, operation := range append(asking, handing...) {
		if !there[operation] {
			t.Errorf("%s is no operation", operation)
		}
	}
}

func TestAnOperationWithoutWordsIsRecordedByItsAddress(t *testing.T) {
	r := httptest.NewRequest("DELETE", "/api/v1/token?id=7&cluster=shop", nil)
	r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, session{who: "alice"}))
	a := activityOf("DELETE /token", r, nil, 500)
	if a.Action != "DELETE /token" || a.Object != "shop/7" || a.Outcome != "failed: internal server error" {
		t.Errorf("%+v", a)
	}
}

func TestNothingInTheProgramTakesBackTheRecord(t *testing.T) {
	files, err := os.ReadDir("../store")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		b, err := os.ReadFile("../store/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{"UPDATE activity SET", "DELETE FROM activity"} {
			if strings.Contains(string(b), statement) {
				t.Errorf("%s: %s", f.Name(), statement)
			}
		}
	}
}
