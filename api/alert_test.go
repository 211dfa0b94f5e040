package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/store"
)

// TestAlertsAreListedShownAndDecidedUpon holds the answers about alerts: what is
// open, what the graph knows now, and what a person may record.
func TestAlertsAreListedShownAndDecidedUpon(t *testing.T) {
	s := serveSample(t)
	s.until(t, "the deployment", func() bool {
		_, known := s.context.About("harbor-prod", event.Entity{Kind: "Deployment", ID: "harbor-prod/shop/Deployment/sail-preview"})
		return known
	})
	now := time.Now().Truncate(time.Second)
	body, err := json.Marshal(detect.Alert{ID: "a1", Rule: "privileged-pod", Title: "A workload runs a privileged container",
		Severity: "high", Cluster: "harbor-prod", First: now, Last: now, Count: 1,
		Entities: []event.Entity{{Role: event.Actor, Kind: "User", Name: "m.ortega"},
			{Role: event.Target, Kind: "Deployment", Namespace: "shop", Name: "sail-preview", ID: "harbor-prod/shop/Deployment/sail-preview"},
			{Role: event.Target, Kind: "Pod", Namespace: "shop", Name: "gone", ID: "harbor-prod/shop/Pod/gone"}},
		Evidence: []string{"m.ortega (person) asked to create the Deployment shop/sail-preview."},
		Events:   []json.RawMessage{[]byte(`{"verb":"create"}`)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a1", "a2"} {
		severity := map[string]string{"a1": "high", "a2": "low"}[id]
		if err := s.store.PutAnalysed(t.Context(), store.Analysed{Cluster: "harbor-prod", Alerts: []store.AlertSeen{
			{Cluster: "harbor-prod", ID: id, Rule: "privileged-pod", Severity: severity, FirstSeen: now, LastSeen: now, Events: []string{id},
				Body: body}}}); err != nil {
			t.Fatal(err)
		}
	}
	var l AlertList
	s.get(t, "/alerts?severity=medium", &l)
	if len(l.Items) != 1 || l.Items[0].Actor != "m.ortega" || l.Items[0].About != "Deployment shop/sail-preview" || l.Counts["low"] != 1 {
		t.Errorf("%+v", l)
	}
	var p AlertPage
	s.get(t, "/alert?cluster=harbor-prod&id=a1", &p)
	if d := p.Entities[1]; d.Ref == nil || len(d.Paths) == 0 {
		t.Errorf("the deployment lies on a path: %+v", d)
	}
	if gone := p.Entities[2]; gone.Ref != nil || gone.Exposed != nil {
		t.Errorf("nothing is known of what is not there: %+v", gone)
	}
	s.thingsOfAlerts(t)
	decide := func(change map[string]string, want int) {
		t.Helper()
		body := map[string]any{"alerts": []AlertKey{{Cluster: "harbor-prod", Id: "a1"}}, "change": change}
		if resp := s.send(t, "PUT", "/alerts", body, nil); resp.StatusCode != want {
			t.Errorf("%v: %s, want %d", body, resp.Status, want)
		}
	}
	decide(map[string]string{"status": "dismissed"}, http.StatusBadRequest)
	decide(map[string]string{"status": "resolved", "reason": " "}, http.StatusBadRequest)
	decide(map[string]string{"status": "resolved", "reason": "the pod is gone"}, http.StatusOK)
	if s.get(t, "/alert?cluster=harbor-prod&id=a1", &p); p.Alert.Status != "resolved" || p.Reason != "the pod is gone" ||
		p.DecidedBy == nil || *p.DecidedBy != "alice" || p.DecidedAt == nil {
		t.Errorf("%s: %q", p.Alert.Status, p.Reason)
	}
	decide(map[string]string{"status": "dismissed", "reason": "a drill"}, http.StatusOK)
	decide(map[string]string{}, http.StatusBadRequest)
	decide(map[string]string{"assignee": "bob", "comment": "asked with --password=hunter2hunter2"}, http.StatusOK)
	s.get(t, "/alert?cluster=harbor-prod&id=a1", &p)
	if n := len(p.Notes); p.You != "alice" || p.Alert.Assignee == nil || *p.Alert.Assignee != "bob" || n != 4 || p.Notes[n-2].Words != "bob" ||
		p.Notes[n-1].What != "comment" || strings.Contains(p.Notes[n-1].Words, "hunter2") {
		t.Errorf("%+v", p.Notes)
	}
	var done AlertsChanged
	all := []AlertKey{{Cluster: "harbor-prod", Id: "a1"}, {Cluster: "harbor-prod", Id: "none"}, {Cluster: "harbor-prod", Id: "a2"}}
	resp := s.send(t, "PUT", "/alerts", map[string]any{"alerts": all, "change": map[string]string{"assignee": "alice"}}, nil)
	if err := json.NewDecoder(resp.Body).Decode(&done); err != nil || done.Changed != 2 || len(done.Missing) != 1 ||
		done.Missing[0].Id != "none" {
		t.Errorf("%s: %+v, %v", resp.Status, done, err)
	}
	none := map[string]any{"alerts": []AlertKey{}, "change": map[string]string{"comment": "c"}}
	if resp := s.send(t, "PUT", "/alerts", none, nil); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("no alerts: %s", resp.Status)
	}
	for query, want := range map[string]int{"q=PRIVILEGED&status=new": 1, "q=nothing": 0, "mine=true": 1, "unassigned=true": 0,
		"assignee=bob": 0, "namespace=shop": 1, "namespace=bank": 0, "until=2020-01-01T00:00:00Z": 0, "since=2020-01-01T00:00:00Z": 1} {
		if s.get(t, "/alerts?"+query, &l); len(l.Items) != want {
			t.Errorf("%s: %+v", query, l.Items)
		}
	}
	s.get(t, "/alerts", &l)
	if len(l.Items) != 1 || l.Items[0].Id != "a2" {
		t.Errorf("what is open: %+v", l.Items)
	}
	for path, want := range map[string]int{"/alert?cluster=harbor-prod&id=none": http.StatusNotFound,
		"/alerts?severity=awful": http.StatusBadRequest, "/alerts?cursor=nonsense": http.StatusBadRequest} {
		if resp := s.send(t, "GET", path, nil, nil); resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, resp.Status, want)
		}
	}
}

// thingsOfAlerts asks for the pages of the things that the alerts of the test name.
func (s *served) thingsOfAlerts(t *testing.T) {
	t.Helper()
	for _, c := range []struct {
		kind, id string
		alerts   int
		images   bool
	}{
		{"Deployment", "harbor-prod/shop/Deployment/sail-preview", 2, true},
		{"Deployment", "harbor-prod/shop/Deployment/web", 0, true},
		{"User", "harbor-prod/User/m.ortega", 2, false},
		{"ServiceAccount", "harbor-prod/shop/ServiceAccount/default", 0, true},
		{"Node", "harbor-prod/Node/harbor-prod-2", 0, true},
		{"Cluster", "harbor-prod/Cluster", 0, false},
	} {
		var e Entity
		s.get(t, "/entity?kind="+c.kind+"&id="+c.id, &e)
		if len(e.Alerts) != c.alerts || e.AlertsTotal != c.alerts || len(e.Images) > 0 != c.images {
			t.Errorf("%s: %d alerts and %d images, want %d and some: %v", c.id, e.AlertsTotal, len(e.Images), c.alerts, c.images)
		}
		var pods PathList
		if s.get(t, "/paths?cluster=harbor-prod", &pods); c.kind == "Cluster" && (e.PathsTotal != pods.Total || e.PathsTotal == 0) {
			t.Errorf("%d of the cluster's %d attack paths are on its page", e.PathsTotal, pods.Total)
		}
	}
	var hits []Hit
	s.get(t, "/search?q=ortega", &hits)
	if len(hits) != 1 || hits[0].Ref.Id != "harbor-prod/User/m.ortega" || hits[0].KindLabel != "User" {
		t.Errorf("a person whom alerts name is found as %+v", hits)
	}
	if resp := s.send(t, "GET", "/entity?kind=User&id=harbor-prod/User/nobody", nil, nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("somebody of whom nothing says anything: %s", resp.Status)
	}
	var schema Schema
	s.get(t, "/schema", &schema)
	if got := schema.Kinds["Identity"].Plural; got != "Identities" {
		t.Errorf("9 of the family are called 9 %s", got)
	}
}
