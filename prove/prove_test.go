package prove_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/prove"
	"github.com/breakwater-sec/breakwater/test/kubetest"
)

func TestMain(m *testing.M) { os.Exit(kubetest.Main(m)) }

const estate = `
apiVersion: v1
kind: Namespace
metadata: {name: open}
---
apiVersion: v1
kind: Namespace
metadata: {name: shut, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: open}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: deployer}
rules: [{apiGroups: [""], resources: [pods], verbs: [create]}, {apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: open}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployer}
subjects: [{kind: ServiceAccount, name: app, namespace: open}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: shut}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: deployer}
subjects: [{kind: ServiceAccount, name: app, namespace: open}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: debugger, namespace: shut}
rules: [{apiGroups: [""], resources: [pods], resourceNames: [debug], verbs: [create, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: debugger, namespace: shut}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: debugger}
subjects: [{kind: ServiceAccount, name: default, namespace: shut}]
`

// noImages knows of none.
type noImages struct{}

func (noImages) Read(context.Context, string, []assess.Use) assess.Changes { return assess.Changes{} }

func (noImages) Machine(*collect.Node) *assess.Assessment { return &assess.Assessment{} }

// step is a path of one step between two nodes, as a path's document has it.
func step(fromKind, from, edge, toKind, to, rule string) analyse.Path {
	return analyse.Path{Nodes: []analyse.Thing{{ID: from, Kind: fromKind}, {ID: to, Kind: toKind}},
		Steps: []analyse.Step{{From: from, Edge: edge, To: to, Rule: rule}}}
}

func TestTheAPIServerVerifiesWhatIsSoAndRefutesWhatIsNoLongerSo(t *testing.T) {
	c := kubetest.Shared(t)
	c.Apply(t, estate)
	for _, ns := range []string{"open", "shut"} { // pods run as its account, which the controller manager makes
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			_, err := c.Client.CoreV1().ServiceAccounts(ns).Get(t.Context(), "default", metav1.GetOptions{})
			if err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	facts, err := kube.Open(t.Context(), "context:test")
	if err != nil {
		t.Fatal(err)
	}
	facts.Cluster.Name = "c"
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	world, err := live.Once(t.Context(), rules, noImages{}, []*collect.Facts{facts})
	if err != nil {
		t.Fatal(err)
	}
	// What was bound when the graph was read is bound no longer.
	if err := c.Client.RbacV1().RoleBindings("shut").Delete(t.Context(), "deployer", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	rest, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	server, err := kube.NewProver(kube.Config{REST: rest})
	if err != nil {
		t.Fatal(err)
	}
	const app, nodes = "c/open/ServiceAccount/app", "c/Permission/take-over-nodes@cluster"
	answer, err := prove.Paths(t.Context(), server, world.View, rules.Powers, []analyse.Path{
		step("ServiceAccount", app, "HOLDS", "Permission", "c/open/Permission/create-pods", ""),
		step("ServiceAccount", app, "HOLDS", "Permission", "c/open/Permission/create-pods", ""), // of a second path
		step("ServiceAccount", app, "HOLDS", "Permission", "c/shut/Permission/read-secrets", ""),
		step("ServiceAccount", "c/shut/ServiceAccount/default", "HOLDS", "Permission", "c/shut/Permission/create-pods", ""), // by a name
		step("Permission", "c/open/Permission/create-pods", "CAN_ESCALATE_TO", "Permission", nodes, "pod-on-node"),
		step("Permission", "c/shut/Permission/create-pods", "CAN_ESCALATE_TO", "Permission", nodes, "pod-on-node"),
		step("Container", "c/open/Pod/web/app", "CAN_TAKE_OVER", "Node", "c/Node/one", "privileged-container"),
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range answer.Proofs {
		got = append(got, string(p.Verdict)+": "+p.From+" "+p.Edge+" "+p.To+": "+p.Why)
	}
	for i, want := range []string{
		"unproven: Container c/open/Pod/web/app CAN_TAKE_OVER Node c/Node/one: only taking the step",
		"verified: Permission c/open/Permission/create-pods CAN_ESCALATE_TO Permission " + nodes +
			": admission lets a privileged pod into namespace open",
		"refuted: Permission c/shut/Permission/create-pods CAN_ESCALATE_TO Permission " + nodes + ": admission refuses a privileged pod: ",
		"verified: ServiceAccount " + app + " HOLDS Permission c/open/Permission/create-pods: the API server allows it",
		"refuted: ServiceAccount " + app + " HOLDS Permission c/shut/Permission/read-secrets: the API server does not allow it: ",
		"verified: ServiceAccount c/shut/ServiceAccount/default HOLDS Permission c/shut/Permission/create-pods: the API server allows it",
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Fatalf("proof %d: want %s…, got\n%s", i, want, strings.Join(got, "\n"))
		}
	}
	share, ok := answer.Precision()
	if len(got) != 6 || answer.Verified != 3 || answer.Refuted != 2 || answer.Unproven != 1 || !ok || share != 0.6 {
		t.Errorf("%d verified, %d refuted, %d unproven, precision %v %t", answer.Verified, answer.Refuted, answer.Unproven, share, ok)
	}
}

func TestWhereNothingCouldBeAskedThereIsNoPrecision(t *testing.T) {
	if share, ok := (prove.Answer{Unproven: 3}).Precision(); ok || share != 0 {
		t.Errorf("%v %t", share, ok)
	}
}
