package analyse

import (
	"fmt"
	"testing"
)

func TestADifferenceSaysWhatOpensClosesChangesAndHides(t *testing.T) {
	path := func(id, risk string, score int) Path {
		return Path{ID: id, Cluster: "c", Title: id, Risk: risk, RiskScore: score}
	}
	before := []Path{path("stays", "high", 60), path("grows", "medium", 40), path("ends", "high", 70), path("unseen", "low", 10),
		path("ends too", "critical", 90)}
	after := []Path{path("stays", "high", 65), path("grows", "critical", 85), path("new", "low", 5), path("new and worse", "high", 60)}
	d := Compare(before, after, func(p *Path) string {
		if p.ID == "unseen" {
			return "its image was not scanned"
		}
		return ""
	})
	var got string
	for _, p := range d.Opened {
		got += "opens " + p.ID + "; "
	}
	for _, p := range d.Closed {
		got += "closes " + p.ID + "; "
	}
	for _, c := range d.Changed {
		got += fmt.Sprintf("%s from %s to %s; ", c.Path.ID, c.BeforeRisk, c.Path.Risk)
	}
	for _, h := range d.Hidden {
		got += h.Path.ID + " hidden: " + h.Why + "; "
	}
	want := "opens new and worse; opens new; closes ends too; closes ends; " +
		"grows from medium to critical; unseen hidden: its image was not scanned; "
	if got != want || d.Kept != 2 {
		t.Errorf("%s%d kept, want %s2 kept", got, d.Kept, want)
	}
}

func TestThePathsOfTwoClustersAreNotOne(t *testing.T) {
	d := Compare([]Path{{ID: "p", Cluster: "a"}}, []Path{{ID: "p", Cluster: "b"}}, func(*Path) string { return "" })
	if len(d.Opened) != 1 || len(d.Closed) != 1 || d.Kept != 0 {
		t.Errorf("%+v", d)
	}
}
