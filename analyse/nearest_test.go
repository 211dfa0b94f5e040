package analyse

import (
	"errors"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

const aPod = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  serviceAccountName: web
  MORE
  containers: [{name: app, image: "registry.test/app:1", securityContext: {privileged: PRIVILEGED}}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: everything}
subjects: [WHO]
`

func TestTheNearestWayTellsTheFewestGuardsThatPreventIt(t *testing.T) {
	const web, boss = "{kind: ServiceAccount, name: web, namespace: shop}", "{kind: User, name: boss}"
	const noToken, userns = "automountServiceAccountToken: false", "hostUsers: false"
	const lacks = "no binding gives it this permission"
	for _, test := range []struct{ name, more, privileged, who, from, to, want string }{
		{"nothing prevents it", "", "false", web, "workload:shop/web", "cluster", ""},
		{"no token", noToken, "false", web, "workload:shop/web", "cluster", "the account's token is not mounted"},
		{"no permission", "", "false", boss, "workload:shop/web", "cluster", lacks},
		{"neither token nor permission", noToken, "false", boss, "workload:shop/web", "cluster", "the account's token is not mounted, " + lacks},
		{"of an account", noToken, "false", boss, "sa:shop/web", "cluster", lacks},
		{"to a Secret", "", "false", boss, "sa:shop/web", "secret:shop/key", lacks},
		{"to an account", noToken, "false", web, "workload:shop/web", "sa:shop/web", "the account's token is not mounted"},
		{"to the node, from a privileged container", userns, "true", boss, "workload:shop/web", "node:any-node",
			"the pod runs in a user namespace of its own"},
		{"from the internet", "", "false", web, "internet", "cluster", "nothing leads from the internet to it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := estate{manifests: strings.NewReplacer("MORE", test.more, "PRIVILEGED", test.privileged, "WHO", test.who).Replace(aPod)}
			v, _ := analysed(t, e.facts(t), builtIn(t), nil)
			got, found, err := NearestWay(t.Context(), v, builtIn(t), test.from, test.to)
			if err != nil || !found {
				t.Fatalf("found %v, %v", found, err)
			}
			var guards []string
			for _, s := range got.Steps {
				guards = append(guards, s.Prevented...)
			}
			if s := strings.Join(guards, ", "); s != test.want || got.Guards != len(guards) || got.Reached != (len(guards) == 0) ||
				len(got.Steps) == 0 {
				t.Errorf("guards are %q, want %q: %+v", s, test.want, got)
			}
		})
	}
}

func TestWhatIsThereOnlyWithoutAKindOfGuardIsPreventedByIt(t *testing.T) {
	rules := builtIn(t)
	seen := func(mounted string) *graph.View {
		v, err := parseGiven("Pod p namespace=n workload=Pod/p -RUNS-> Container p/c namespace=n workload=Pod/p tokenMounted=" + mounted +
			"\nPod p -RUNS_AS-> ServiceAccount n/a name=a namespace=n")
		if err != nil {
			t.Fatal(err)
		}
		seg, err := rules.derive(t.Context(), v, v.Clusters()[0])
		if err != nil {
			t.Fatal(err)
		}
		return graph.NewView(v.Vocabulary(), v.Shared(), seg)
	}
	got, found, err := NearestWay(t.Context(), seen("true"), rules, "workload:n/p", "sa:n/a", Lifted{seen("true"), "nothing"})
	if err != nil || !found || !got.Reached || len(got.Steps) != 1 {
		t.Errorf("as it is: %+v, %v", got, err)
	}
	without := &Rules{} // no technique tells of a guard
	got, found, err = NearestWay(t.Context(), seen("false"), without, "workload:n/p", "sa:n/a", Lifted{seen("true"), "a policy"})
	if err != nil || !found || got.Guards != 1 || got.Steps[0].Prevented[0] != "a policy" {
		t.Errorf("without the guard: %+v, %v", got, err)
	}
}

func TestWhatCannotBeAskedOfTheNearestWay(t *testing.T) {
	v, err := parseGiven("Pod p namespace=n workload=Pod/p -RUNS-> Container p/c namespace=n workload=Pod/p\nNode m name=m\n" +
		"Deployment n/Deployment/w name=w namespace=n\n")
	if err != nil {
		t.Fatal(err)
	}
	const nothing, syntax = "there is no such thing", "or secret:NAMESPACE/NAME or cluster as what is reached"
	for _, test := range []struct{ from, to, why string }{
		{"any", "node:m", "want one thing"}, {"node:x", "node:m", nothing}, {"node:m", "secret:n", syntax}, {"node:m", "secret:n/s", nothing},
		{"workload:n/p", "internet", syntax}, {"web", "cluster", syntax}, {"workload:n/w", "node:m", nothing},
		{"node:m", "any", "want one thing"},
	} {
		_, found, err := NearestWay(t.Context(), v, &Rules{}, test.from, test.to)
		if !errors.Is(err, ErrAssumption) || found || !strings.Contains(err.Error(), test.why) {
			t.Errorf("from %s to %s: found %t, %v; want %s", test.from, test.to, found, err, test.why)
		}
	}
	if got, found, err := NearestWay(t.Context(), v, &Rules{}, "workload:n/p", "node:m"); err != nil || found {
		t.Errorf("%+v, %v", got, err)
	}
}
