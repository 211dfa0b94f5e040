package analyse

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestWhatAnAssumptionMeans(t *testing.T) {
	const given = `
Pod n/Pod/w-1 name=w-1 namespace=n workload=Deployment/w
Pod n/Pod/w-1 -RUNS-> Container w-1/app name=app namespace=n workload=Deployment/w thirdParty=true tokenMounted=true
Pod n/Pod/w-1 -RUNS-> Container w-1/old name=old namespace=n workload=Deployment/w ended=true
Pod n/Pod/w-2 name=w-2 namespace=n workload=Deployment/w -RUNS-> Container w-2/app name=app namespace=n workload=Deployment/w
Pod n/Pod/w-3 name=w-3 namespace=n workload=Deployment/w ended=true -RUNS-> Container w-3/app name=app namespace=n workload=Deployment/w
Pod m/Pod/w-1 name=w-1 namespace=m workload=Deployment/w -RUNS-> Container m-1/app name=app namespace=m workload=Deployment/w
Pod n/Pod/w-1 -RUNS_AS-> ServiceAccount n/ServiceAccount/a name=a namespace=n
Pod n/Pod/w-2 -RUNS_AS-> ServiceAccount n/ServiceAccount/b name=b namespace=n
ServiceAccount m/ServiceAccount/a name=a namespace=m
User User/ann name=ann
Group Group/devs name=devs
Group Group/masters name=system:masters
Node Node/one name=one
Node Node/two name=two
Container w-1/app -USES_IMAGE-> Image sha256:1 name=registry.test/i:1 -STORED_IN-> Repository registry.test/i name=registry.test/i
Container w-1/old -USES_IMAGE-> Image sha256:1
Container w-2/app -USES_IMAGE-> Image sha256:2 name=registry.test/i:2 -STORED_IN-> Repository registry.test/i
`
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	s := searchOn(t, v, &Rules{})
	for _, test := range []struct{ text, want string }{
		{"workload:n/w", "Deployment n/Deployment/w at w-1/app w-2/app"},
		{"workload:m/w", "Deployment m/Deployment/w at m-1/app"},
		{"workload:n/x", ""},
		{"pod:n/w-1", "Pod n/Pod/w-1 at w-1/app"},
		{"pod:m/w-1", "Pod m/Pod/w-1 at m-1/app"},
		{"sa:n/a", "ServiceAccount n/ServiceAccount/a at n/ServiceAccount/a"},
		{"sa:m/b", ""},
		{"user:ann", "User User/ann at User/ann"},
		{"user:devs", ""},
		{"group:devs", "Group Group/devs at Group/devs"},
		{"group:system:masters", "Group Group/masters at Group/masters"},
		{"node:one", "Node Nodes/worker at Node/one"},
		{"image:registry.test/i:1", "Image sha256:1 at w-1/app sha256:1"},
		{"image:sha256:1", "Image sha256:1 at w-1/app sha256:1"},
		{"repository:registry.test/i", "Repository registry.test/i at w-1/app sha256:1 w-2/app sha256:2 registry.test/i"},
		{"third-party", "ServiceAccount n/ServiceAccount/a at n/ServiceAccount/a"},
		{"any", "Deployment m/Deployment/w at m-1/app; Deployment n/Deployment/w at w-1/app w-2/app; Group Group/devs at Group/devs; " +
			"Node Nodes/worker at Node/one Node/two; ServiceAccount m/ServiceAccount/a at m/ServiceAccount/a; " +
			"ServiceAccount n/ServiceAccount/a at n/ServiceAccount/a; ServiceAccount n/ServiceAccount/b at n/ServiceAccount/b; " +
			"User User/ann at User/ann"},
	} {
		a, err := parseAssumption(test.text)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, f := range s.assumed(a) {
			var at []string
			for _, n := range f.walks {
				at = append(at, givenID(n))
			}
			said = append(said, fmt.Sprintf("%s %s at %s", f.group.kind, strings.TrimPrefix(f.group.id, "c/"), strings.Join(at, " ")))
			if f.class != Assumed || f.entry.Kind != f.group.kind {
				t.Errorf("%s: %s is entered at %+v", test.text, f.class, f.entry)
			}
		}
		if got := strings.Join(said, "; "); got != test.want {
			t.Errorf("%s: %s\nwant %s", test.text, got, test.want)
		}
	}
}

func TestWhatNobodyCanAssume(t *testing.T) {
	v, err := parseGiven("Node Node/one name=one")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "web", "workload:", "workload:shop", "workload:shop/", "pod:/web", "sa:shop", "secret:shop/key",
		"node:", "nobody:x"} {
		if _, _, found, err := NewBreach(v, &Rules{}).Assume(t.Context(), text); !errors.Is(err, ErrAssumption) || found ||
			!strings.Contains(err.Error(), fmt.Sprintf("%q: want ", text)) {
			t.Errorf("%q: found %t, %v", text, found, err)
		}
	}
	for text, want := range map[string]bool{"node:one": true, "node:two": false} {
		if paths, gaps, found, err := NewBreach(v, &Rules{}).Assume(t.Context(),
			text); found != want || err != nil || len(paths)+len(gaps) > 0 {
			t.Errorf("%s: found %t, %v", text, found, err)
		}
	}
}

func TestAClusterIsSurveyedOnceForAllWhoAsk(t *testing.T) {
	v, err := parseGiven("Node Node/one name=one")
	if err != nil {
		t.Fatal(err)
	}
	b := NewBreach(v, &Rules{})
	first, err := b.surveyed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.surveyed(t.Context()); err != nil || again != first {
		t.Errorf("it is surveyed again, %v", err)
	}
}

// TestWhatWasAnalysedOnceIsNotSurveyedAgain: the survey is of the cluster without what was then said of blast radii, and finds
// the same; one that a memory has is not shared, since the next computation works with it.
func TestWhatWasAnalysedOnceIsNotSurveyedAgain(t *testing.T) {
	v, err := parseGiven(`
Pod shop/Pod/web name=web namespace=shop exposed=true -RUNS-> Container shop/Pod/web/app name=app privileged=true
Pod shop/Pod/web -RUNS_ON-> Node Node/one name=one
`)
	if err != nil {
		t.Fatal(err)
	}
	rules := builtIn(t)
	seg, once, _, _, err := (*Memory)(nil).Breached(t.Context(), v, v.Clusters()[0], rules)
	if err != nil {
		t.Fatal(err)
	}
	if once.survey == nil {
		t.Error("it is surveyed again")
	}
	anew := NewBreach(graph.NewView(v.Vocabulary(), v.Shared(), seg), rules)
	got, _, _, err := once.Assume(t.Context(), "any")
	want, _, _, wrong := anew.Assume(t.Context(), "any")
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if err != nil || wrong != nil || len(got) == 0 || string(a) != string(b) {
		t.Errorf("%d paths, %v; anew %d, %v", len(got), err, len(want), wrong)
	}
	if _, kept, _, _, err := new(Memory).Breached(t.Context(), v, v.Clusters()[0], rules); err != nil || kept.survey != nil {
		t.Errorf("the memory's survey is shared, %v", err)
	}
}
