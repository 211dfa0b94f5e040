package analyse

import (
	"slices"
	"testing"
)

func TestWhatIsMoreUrgentComesFirst(t *testing.T) {
	path := func(effect string, score int) Broken { return Broken{Effect: effect, RiskScore: score} }
	two := []string{"1", "2"}
	// Each is more urgent than the next, though the next is worse in all that counts less.
	order := []Recommendation{
		{ID: "breaks a critical path", Paths: []Broken{path(Breaks, 90)}},
		{ID: "breaks many lesser paths", Paths: []Broken{path(Breaks, 80), path(Breaks, 70), path(Lowers, 100)}},
		{ID: "lowers a high path", Paths: []Broken{path(Lowers, 60), path(Lowers, 10)}},
		{ID: "lowers a medium path", Paths: []Broken{path(Lowers, 40)}, Exploited: 2, Exposed: 1},
		{ID: "exploited where the internet reaches", Exploited: 1, Exposed: 1},
		{ID: "the internet reaches it", Exposed: 1, Severity: "Critical", RCE: true},
		{ID: "the internet reaches some less severe", Exposed: 2, Severity: "Low"},
		{ID: "critical inside", Severity: "Critical"},
		{ID: "high inside, more often exploited", Severity: "High", Exploited: 2},
		{ID: "high inside, exploited", Severity: "High", Exploited: 1, RCE: true},
		{ID: "high inside, remote code execution", Severity: "High", RCE: true},
		{ID: "high, many pods", Severity: "High", Pods: two},
		{ID: "high, many images", Severity: "High", Images: two},
		{ID: "high, many vulnerabilities", Severity: "High", Vulnerabilities: two},
		{ID: "x first by name", Severity: "High"},
		{ID: "y last by name", Severity: "High"},
	}
	for i := range order {
		for j := range order {
			got := urgency(order[i], order[j])
			if want := i - j; got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("%q against %q: %d", order[i].ID, order[j].ID, got)
			}
		}
	}
}

func TestEffectsSayWhatAnUpdateDoesToPaths(t *testing.T) {
	for _, test := range []struct {
		effects []string
		want    string
	}{
		{nil, "none"},
		{[]string{Lowers, Lowers}, "lowers 2"},
		{[]string{Lowers, Breaks, Lowers}, "breaks 1 of 3"},
		{[]string{Breaks, Breaks}, "breaks 2 of 2"},
	} {
		var r Recommendation
		for _, e := range test.effects {
			r.Paths = append(r.Paths, Broken{Effect: e})
		}
		if got := r.Effects(); got != test.want {
			t.Errorf("%v: %q, want %q", test.effects, got, test.want)
		}
	}
}

func TestAdviceCanBeAboutSomeImagesOnly(t *testing.T) {
	all := Advice{Demands: []Demand{{About: Running}, {About: InRegistry}},
		Recommendations: []Recommendation{{ID: "1", About: Running}, {ID: "2", About: InRegistry}, {ID: "3", About: Running}}}
	for about, want := range map[About][]string{"": {"1", "2", "3"}, Running: {"1", "3"}, InRegistry: {"2"}} {
		got := all.Only(about)
		var ids []string
		for _, r := range got.Recommendations {
			ids = append(ids, r.ID)
		}
		if !slices.Equal(ids, want) || about != "" && (len(got.Demands) != 1 || got.Demands[0].About != about) {
			t.Errorf("about %q: %v and %v, want %v", about, ids, got.Demands, want)
		}
	}
}
