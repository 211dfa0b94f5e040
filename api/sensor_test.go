package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/store"
)

// TestEveryNodeSaysWhetherItIsSeen joins the graph's nodes with what sensors say
// of themselves: a node without one, and one that went silent, are blind spots.
func TestEveryNodeSaysWhetherItIsSeen(t *testing.T) {
	s := serveSample(t)
	on := []runtime.Probe{{Name: "exec", State: "on"}, {Name: "exit", State: "on"}}
	put := func(node string, ago time.Duration, st runtime.Status) {
		t.Helper()
		st.Version, st.Node, st.Boot, st.Interval = runtime.RecordVersion, node, "b1", 30
		body, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.store.PutSensor(t.Context(), store.Sensor{Cluster: "harbor-prod", Node: node, SeenAt: time.Now().Add(-ago),
			Status: body}); err != nil {
			t.Fatal(err)
		}
	}
	put("harbor-prod-1", 5*time.Second, runtime.Status{Seen: 10, Sent: 10, Probes: on, Kernel: "6.12.0", Memory: 1 << 20})
	put("harbor-prod-2", 5*time.Minute, runtime.Status{Seen: 10, Sent: 10, Probes: on})
	put("gone-1", time.Second, runtime.Status{Seen: 7, Sent: 4, Lost: map[string]uint64{"buffer full": 3},
		Probes: []runtime.Probe{on[0], {Name: "exit", State: "off", Why: "no such hook"}}})
	came := func(batch uint64, records ...uint64) {
		t.Helper()
		err := s.store.PutAnalysed(t.Context(), store.Analysed{Cluster: "harbor-prod",
			Batch: &store.EventBatch{Source: "runtime", EventPosition: store.EventPosition{Stream: "s", Sequence: batch}, Received: time.Now()},
			Runs:  []store.RunCame{{Node: "harbor-prod-1", Boot: "b1", Sequences: records}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	came(1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	var l SensorList
	s.get(t, "/sensors?cluster=harbor-prod", &l)
	if l.Total != 4 || l.WithSensor != 2 || l.Counts["none"] != 1 || l.Counts["silent"] != 1 {
		t.Errorf("%+v", l)
	}
	by := map[string]SensorRow{}
	for _, row := range l.Items {
		by[row.Node] = row
	}
	if r := by["harbor-prod-1"]; r.State != Seeing || !r.Known || r.Ref == nil || r.Received != 10 || r.Missing != 0 ||
		deref(r.Kernel) != "6.12.0" || r.Why != "" {
		t.Errorf("one that sees everything: %+v", r)
	}
	if r := by["harbor-prod-2"]; r.State != Silent || !strings.Contains(r.Why, "last reported") {
		t.Errorf("one that says nothing any more: %+v", r)
	}
	if r := by["gone-1"]; r.State != Partial || r.Known || !strings.Contains(r.Why, "exit is off: no such hook") ||
		!strings.Contains(r.Why, "lost 3 of 7") || !strings.Contains(r.Why, "no such node") {
		t.Errorf("one of a node that the graph does not hold: %+v", r)
	}
	if r := by["harbor-prod-3"]; r.State != None || r.SeenAt != nil {
		t.Errorf("one without a sensor: %+v", r)
	}
	if len(l.Gaps) != 3 || !strings.Contains(l.Gaps[0].Why, "1 of 4 nodes have no sensor") || l.Gaps[0].Consequence == "" {
		t.Errorf("%+v", l.Gaps)
	}
	// A record that never came makes a node that sees everything one that does not.
	came(2, 12)
	s.get(t, "/sensors?state=partial&limit=1", &l)
	if len(l.Items) != 1 || l.Next == nil {
		t.Errorf("%+v", l)
	}
	s.get(t, "/sensors?state=partial&cursor="+*l.Next, &l)
	if len(l.Items) != 1 || l.Items[0].Node != "harbor-prod-1" || l.Items[0].Missing != 1 {
		t.Errorf("%+v", l.Items)
	}
	put("harbor-prod-1", 0, runtime.Status{Probes: on, Ends: true})
	s.get(t, "/sensors?state=silent", &l)
	if len(l.Items) != 2 || !strings.Contains(l.Items[0].Why, "It was stopped at") {
		t.Errorf("one that was stopped is blind at once: %+v", l.Items)
	}
}
