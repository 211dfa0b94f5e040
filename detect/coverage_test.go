package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// cover is what is said of rules after some requests, before and after a restart.
func cover(t *testing.T, rules *detect.Rules, now time.Time, asks ...ask) map[string]detect.Covered {
	t.Helper()
	w, d := detect.Watch(rules), audit.Decoder{Cluster: "prod"}
	for _, a := range asks {
		b, err := d.Decode([]byte(a.event()))
		if err != nil {
			t.Fatal(err)
		}
		w.Take(b.Events, rules.Match(b.Events), rules.Blind(b.Events))
	}
	again := detect.Watch(rules)
	if err := again.Restore(w.Checkpoint()); err != nil {
		t.Fatal(err)
	}
	if parts := w.Checkpoint(); len(parts) > 0 {
		t.Errorf("nothing is new, and it says %v", parts)
	}
	out := map[string]detect.Covered{}
	before := w.Coverage(now)
	for i, c := range again.Coverage(now) {
		if out[c.Rule] = before[i]; c.Rule != before[i].Rule || c.Can != before[i].Can {
			t.Errorf("after a restart: %+v, before %+v", c, before[i])
		}
	}
	return out
}

func TestWhichRulesCanFireIsToldByWhatWasSeen(t *testing.T) {
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	thin := ask{what: "pods", level: "Metadata"}
	tests := []struct {
		name string
		asks []ask
		rule string
		can  detect.Can
		why  string
	}{
		{"nothing", nil, "privileged-pod", detect.Unseen, "no request that it is about was seen (verb create or patch or update)"},
		{"something else", []ask{{verb: "get", what: "pods"}}, "privileged-pod", detect.Unseen, ""},
		{"pods", []ask{{what: "pods", response: pod}}, "privileged-pod", detect.Fires, ""},
		{"pods without what was written", []ask{thin, thin}, "privileged-pod", detect.Hidden,
			"the audit policy leaves out what requests write: 2 requests it is about came without, such as objectRef.resource pods, verb create, level Metadata"},
		{"pods, some of them without", []ask{thin, {what: "pods", response: pod}}, "privileged-pod", detect.Partly, "1 event did not show what decides"},
		{"pods, of which only what was sent is kept", []ask{{what: "pods", level: "Request", request: pod}}, "privileged-pod", detect.Fires, ""},
		{"commands, of which nothing more is asked", []ask{{what: "pods/exec", level: "Metadata", code: "101"}}, "exec-into-pod", detect.Fires, ""},
		{"bindings, and no rights", []ask{{what: "rolebindings", level: "Metadata"}}, "cluster-admin-binding", detect.Hidden, ""},
		{"what is not there", []ask{{what: "pods", level: "Metadata", code: "404"}}, "privileged-pod", detect.Unseen, ""},
	}
	for _, test := range tests {
		got := cover(t, rules, now, test.asks...)[test.rule]
		if got.Can != test.can || !strings.Contains(got.Why, test.why) {
			t.Errorf("%s: %s %s: %q, want %s: %q", test.name, test.rule, got.Can, got.Why, test.can, test.why)
		}
	}
	if got := cover(t, rules, now, ask{what: "pods", response: pod}, ask{what: "pods", name: "y", response: pod})["privileged-pod"]; got.Matched != 2 {
		t.Errorf("%+v", got)
	}
}

// TestMadeUpResourcesAreBounded: whoever asks for things of made-up kinds makes it count them together.
func TestMadeUpResourcesAreBounded(t *testing.T) {
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	w, d := detect.Watch(rules), audit.Decoder{Cluster: "prod"}
	for i := range 2148 {
		b, err := d.Decode([]byte(ask{verb: "get", what: fmt.Sprintf("made-up-%d", i), code: "403"}.event()))
		if err != nil {
			t.Fatal(err)
		}
		w.Take(b.Events, nil, nil)
	}
	if kinds, beyond := w.Kinds(); kinds != 2048 || beyond != 100 {
		t.Errorf("%d kinds, %d events beyond", kinds, beyond)
	}
	if since := w.Since(); !slices.Equal([]int{since.Year(), since.Second()}, []int{2026, 1}) {
		t.Errorf("since %s", since)
	}
}
