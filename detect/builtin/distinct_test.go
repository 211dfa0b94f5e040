package builtin

import (
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/rule"
)

// TestEveryDetectionOfAuditLogsTellsOfSomethingThatNoOtherDoes holds that two rules are two: each has
// a recorded attack on which no other fires.
func TestEveryDetectionOfAuditLogsTellsOfSomethingThatNoOtherDoes(t *testing.T) {
	rules, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var audits []rule.Rule
	for _, r := range rules.All() {
		if r.(*detect.Rule).Source() == audit.Source {
			audits = append(audits, r)
		}
	}
	found, err := detect.Distinct(audits)
	if err != nil || len(found) < 70 {
		t.Fatalf("%d rules, error %v", len(found), err)
	}
	for _, d := range found {
		if d.Test == "" {
			t.Errorf("%s: in each of its tests these fire too: %v", d.Rule, d.With)
		}
	}
}
