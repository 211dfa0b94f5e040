package collect

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestIdenticalGapsAreToldOnce(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	a := Gap{Cluster: "prod", Source: "judge", What: "policies", Why: "unread", Consequence: "more may be open", Kinds: []string{"Pod"}}
	other, elsewhere, kinds := a, a, a
	other.Why, elsewhere.Cluster, kinds.Kinds = "refused", "staging", []string{"Pod", "Node"}
	early, late, thrice := a, a, a
	early.Since, late.Since, thrice.Count = noon, noon.Add(time.Hour), 3
	got := Together([]Gap{late, other, thrice, elsewhere, early, kinds, a})
	var told []string
	for _, g := range got {
		told = append(told, g.Cluster+" "+g.Why)
	}
	if !slices.Equal(told, []string{"prod unread", "prod refused", "staging unread", "prod unread"}) {
		t.Fatalf("%v", told)
	}
	if got[0].Count != 6 || !got[0].Since.Equal(noon) || got[1].Count != 0 || got[1].Times() != 1 || len(got[3].Kinds) != 2 {
		t.Errorf("%+v", got)
	}
	if none := Together(nil); none == nil || len(none) > 0 {
		t.Errorf("%v: none was asked for and is an empty list", none)
	}
}

func TestGapsOfOneReasonAreOneForPeople(t *testing.T) {
	of := func(cluster, what, why string) Gap {
		return Gap{Cluster: cluster, Source: "image", What: what, Why: why}
	}
	got := ByReason([]Gap{of("prod", "a", "unread"), of("prod", "b", "refused"), of("prod", "c", "unread"), of("prod", "d", "unread"),
		of("prod", "d", "unread"), of("prod", "e", "unread"), of("staging", "a", "unread")})
	var told []string
	for _, g := range got {
		told = append(told, fmt.Sprint(g.Cluster, ": ", g.What, ": ", g.Why, " ", g.Count))
	}
	want := []string{"prod: a, c, d (2 times) and 1 more: unread 4", "prod: b: refused 1", "staging: a: unread 1"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}
