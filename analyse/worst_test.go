package analyse

import (
	"slices"
	"testing"
)

func TestBeyondTheBoundTheWorstPathsAreToldWhereverTheyBegin(t *testing.T) {
	const given = `
Internet internet -ROUTES_TO-> Service s name=s
Service s -ROUTES_TO-> Pod shop/Pod/a name=a namespace=shop workload=Pod/a exposed=true
Service s -ROUTES_TO-> Pod shop/Pod/z name=z namespace=shop workload=Pod/z exposed=true
Pod shop/Pod/a -CAN_EXPLOIT-> Container a/app name=app namespace=shop workload=Pod/a
Pod shop/Pod/z -CAN_EXPLOIT-> Container z/app name=app namespace=shop workload=Pod/z
Container a/app -CAN_READ-> Secret bank/Secret/keys name=keys namespace=bank
Container a/app -CAN_TAKE_OVER-> Node Node/n1 name=n1
Container z/app -CAN_TAKE_OVER-> Node Node/n2 name=n2 controlPlane=true
Container z/app -CAN_ACT_AS-> ServiceAccount shop/ServiceAccount/z name=z namespace=shop
ServiceAccount shop/ServiceAccount/z -HOLDS-> Permission all name=all
Permission all -CAN_TAKE_OVER-> Cluster Cluster name=c
`
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	told := func(most int) (out []string, left int) {
		s := searchOn(t, v, builtIn(t))
		s.most = most
		paths, err := s.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			out = append(out, p.Foothold.Workload+" to "+p.Target.Kind+" "+p.Target.Name)
		}
		return out, s.left
	}
	worst := []string{"Pod/z to Cluster c", "Pod/z to Node n2", "Pod/a to Node n1", "Pod/a to Secret 1 of namespace bank"}
	for most := 1; most <= len(worst); most++ {
		if got, left := told(most); !slices.Equal(got, worst[:most]) || left == 0 {
			t.Errorf("of at most %d: %q, and %d more", most, got, left)
		}
	}
}

// unforeseen is what of a path's risk is known only once it is written: something that is not
// seen, a privileged target, something marked as critical.
const unforeseen = 5 + 5 + 10

func TestWhatIsNotToldIsNoWorseThanWhatIs(t *testing.T) {
	rules, some := builtIn(t), 0
	for seed := range uint64(seeds) {
		f, images := random(seed, plainNames)
		v, all := analysed(t, f, rules, images)
		s := searchOn(t, v, rules)
		s.most = max(1, len(all)/3)
		told, err := s.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(told)+s.left != len(all) {
			t.Errorf("seed %d: %d are told and %d left of %d", seed, len(told), s.left, len(all))
		}
		is := map[string]bool{}
		for _, p := range told {
			is[p.ID] = true
		}
		for _, p := range all {
			if least := told[len(told)-1]; !is[p.ID] {
				some++
				if p.RiskScore > least.RiskScore+unforeseen {
					t.Errorf("seed %d: %q with %d is left, %q with %d is told", seed, p.Title, p.RiskScore, least.Title, least.RiskScore)
				}
			}
		}
	}
	if some < seeds {
		t.Errorf("only %d were left in %d clusters: the test says little", some, seeds)
	}
}
