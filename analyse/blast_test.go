package analyse

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

const blastGround = `
Pod shop/Pod/web-1 name=web-1 namespace=shop workload=Deployment/web
Pod shop/Pod/web-1 -RUNS-> Container web-1/app name=app namespace=shop workload=Deployment/web
Pod shop/Pod/web-1 -RUNS-> Container web-1/log name=log namespace=shop workload=Deployment/web
Deployment shop/Deployment/web name=web namespace=shop
Pod shop/Pod/job-1 name=job-1 namespace=shop workload=Job/job
Pod shop/Pod/job-1 -RUNS-> Container job-1/app name=app namespace=shop workload=Job/job ended=true
Job shop/Job/job name=job namespace=shop
Node Node/n1 name=n1
Node Node/n2 name=n2 controlPlane=true
Cluster Cluster name=c
Container web-1/app -CAN_TAKE_OVER-> Node Node/n1
Container web-1/log -CAN_READ-> Secret shop/Secret/own name=own namespace=shop
Container web-1/log -CAN_READ-> Secret bank/Secret/keys name=keys namespace=bank
Container job-1/app -CAN_TAKE_OVER-> Node Node/n2
Node Node/n1 -CAN_ACT_AS-> ServiceAccount ops/ServiceAccount/root name=root namespace=ops
ServiceAccount ops/ServiceAccount/root -HOLDS-> Permission all name=all
Permission all -CAN_TAKE_OVER-> Cluster Cluster
User User/ann name=ann
Group Group/all name=all
`

func TestEverythingThatCanBeLostSaysWhatIsLostWithIt(t *testing.T) {
	v, err := parseGiven(blastGround)
	if err != nil {
		t.Fatal(err)
	}
	seg, _, _, err := Cluster(t.Context(), v, v.Clusters()[0], builtIn(t))
	if err != nil {
		t.Fatal(err)
	}
	v = graph.NewView(v.Vocabulary(), v.Shared(), seg)
	for _, test := range []struct{ kind, id, want string }{
		{"Container", "web-1/app", "2 true cluster administrator"},
		{"Container", "web-1/log", "1 false Secrets of namespace bank"},
		{"Pod", "shop/Pod/web-1", "3 true cluster administrator"},
		{"Deployment", "shop/Deployment/web", "3 true cluster administrator"},
		{"Pod", "shop/Pod/job-1", "0 false "},
		{"Job", "shop/Job/job", "0 false "},
		{"ServiceAccount", "ops/ServiceAccount/root", "1 true cluster administrator"},
		{"Node", "Node/n1", "1 true cluster administrator"},
		{"User", "User/ann", "0 false "},
		{"Group", "Group/all", "0 false "},
	} {
		n, ok := v.Node(test.kind, "c/"+test.id)
		got := fmt.Sprintf("%s %s %s", n.Value("blastRadius"), n.Value("reachesClusterAdmin"), n.Text("worstTarget"))
		if !ok || got != test.want {
			t.Errorf("%s %s: %q, want %q", test.kind, test.id, got, test.want)
		}
	}
}

func TestWhatIsAssumedIsWhereThePathsBegin(t *testing.T) {
	v, err := parseGiven(blastGround)
	if err != nil {
		t.Fatal(err)
	}
	rules := builtIn(t)
	seg, found, _, err := Cluster(t.Context(), v, v.Clusters()[0], rules)
	if err != nil || len(found) > 0 {
		t.Fatalf("%v, %d paths without an assumption", err, len(found))
	}
	v = graph.NewView(v.Vocabulary(), v.Shared(), seg)
	tests := []struct {
		name, assume string
		want         []string
	}{
		{
			"a workload",
			"workload:shop/web",
			[]string{"web -> app -> n1 -> root -> all -> c", "web -> app -> n1", "web -> log -> 1 of namespace bank"},
		},
		{"a pod", "pod:shop/web-1", []string{"web -> app -> n1 -> root -> all -> c", "web -> app -> n1", "web -> log -> 1 of namespace bank"}},
		{"an account", "sa:ops/root", []string{"root -> all -> c"}},
		{"a node", "node:n1", []string{"n1 -> root -> all -> c"}},
		{"a user without rights", "user:ann", nil},
		{"a workload that has ended", "workload:shop/job", nil},
	}
	breach := NewBreach(v, rules)
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := breach.Assume(late, "any"); err == nil {
		t.Error("who did not wait is answered")
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			paths, gaps, _, err := breach.Assume(t.Context(), test.assume)
			if err != nil || len(gaps) > 0 {
				t.Fatal(err, gaps)
			}
			var got []string
			for _, p := range paths {
				if p.EntryClass != Assumed || p.Entry.ID != p.Foothold.ID {
					t.Errorf("%s enters as %s at %s", p.Title, p.EntryClass, p.Entry.ID)
				}
				if first := p.Title[:1]; first != strings.ToUpper(first) {
					t.Errorf("a title begins small: %s", p.Title)
				}
				got = append(got, p.route())
			}
			if err := same("routes", got, test.want); err != nil {
				t.Error(err)
			}
		})
	}
	if on, err := breach.surveyed(t.Context()); err != nil || on != breach.survey {
		t.Errorf("the cluster is surveyed anew: %v", err)
	}
	if all, _, _, err := breach.Assume(t.Context(), "any"); err != nil || len(all) != 5 {
		t.Errorf("any: %d paths, %v", len(all), err)
	}
	if _, _, found, err := breach.Assume(t.Context(), "sa:ops/nobody"); found || err != nil {
		t.Errorf("what is not there is found: %v", err)
	}
	for _, wrong := range []string{"", "cart", "workload:cart", "workload:/x", "pet:shop/cat", "sa:shop/", "node:"} {
		if _, _, _, err := breach.Assume(t.Context(), wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
