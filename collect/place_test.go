package collect

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestANodeTakesAPodAsASchedulerWould(t *testing.T) {
	need := func(key string, op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorRequirement {
		return corev1.NodeSelectorRequirement{Key: key, Operator: op, Values: values}
	}
	all := func(of ...corev1.NodeSelectorRequirement) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: of}
	}
	asks := func(any ...corev1.NodeSelectorTerm) *PodShape { return &PodShape{Placing: &Placing{Affinity: any}} }
	bears := func(any ...corev1.Toleration) *PodShape { return &PodShape{Placing: &Placing{Tolerations: any}} }
	selects := func(k, v string) *PodShape { return &PodShape{NodeSelector: map[string]string{k: v}} }
	plain := &Node{Name: "n", Labels: map[string]string{"pool": "a", "size": "4"}}
	tainted := &Node{Name: "n", Taints: []string{"only=gpu:NoSchedule"}}
	for _, c := range []struct {
		name string
		node *Node
		of   *PodShape
		want Fit
	}{
		{"nothing is asked", plain, nil, Takes},
		{"the label is there", plain, selects("pool", "a"), Takes},
		{"it has another value", plain, selects("pool", "b"), Refuses},
		{"nothing is said of it", plain, selects("disk", "ssd"), MayTake},
		{"in", plain, asks(all(need("pool", "In", "x", "a"))), Takes},
		{"not in these", plain, asks(all(need("pool", "In", "x", "y"))), Refuses},
		{"in, of a label that is not there", plain, asks(all(need("disk", "In", "ssd"))), MayTake},
		{"not in, of a label that is not there", plain, asks(all(need("disk", "NotIn", "ssd"))), Takes},
		{"not in, and it is", plain, asks(all(need("pool", "NotIn", "a"))), Refuses},
		{"exists", plain, asks(all(need("pool", "Exists"))), Takes},
		{"does not exist, and does", plain, asks(all(need("pool", "DoesNotExist"))), Refuses},
		{"does not exist", plain, asks(all(need("disk", "DoesNotExist"))), Takes},
		{"greater", plain, asks(all(need("size", "Gt", "3"))), Takes},
		{"not greater", plain, asks(all(need("size", "Gt", "4"))), Refuses},
		{"less", plain, asks(all(need("size", "Lt", "5"))), Takes},
		{"one of two terms", plain, asks(all(need("pool", "In", "b")), all(need("pool", "In", "a"))), Takes},
		{"all of one term", plain, asks(all(need("pool", "In", "a"), need("size", "In", "5"))), Refuses},
		{"a term that asks for nothing matches nothing", plain, asks(all()), Refuses},
		{"by name", plain, asks(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{need("metadata.name", "In", "n")}}), Takes},
		{"by another name", plain, asks(corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{need("metadata.name", "In", "m")}}),
			Refuses},
		{"a taint", tainted, nil, Refuses},
		{"it is borne by its value", tainted, bears(corev1.Toleration{Key: "only", Value: "gpu"}), Takes},
		{"another value is borne", tainted, bears(corev1.Toleration{Key: "only", Value: "cpu"}), Refuses},
		{"another effect is borne", tainted, bears(corev1.Toleration{Key: "only", Operator: "Exists", Effect: "NoExecute"}), Refuses},
		{"whatever its value", tainted, bears(corev1.Toleration{Key: "only", Operator: "Exists", Effect: "NoSchedule"}), Takes},
		{"everything is borne", tainted, bears(corev1.Toleration{Operator: "Exists"}), Takes},
		{"nothing is named", tainted, bears(corev1.Toleration{}), Refuses},
		{"a taint that only prefers", &Node{Taints: []string{"only=gpu:PreferNoSchedule"}}, nil, Takes},
		{"a taint of the moment", &Node{Taints: []string{"node.kubernetes.io/unschedulable=:NoSchedule"}}, nil, Takes},
		{"a value with the signs between the parts", &Node{Taints: []string{"k=a=b:c:NoExecute"}},
			bears(corev1.Toleration{Key: "k", Value: "a=b:c"}), Takes},
	} {
		if got := c.node.Fit(c.of); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestWhatAPodAsksOfItsNodeIsKeptWhileItHasNone(t *testing.T) {
	spec := corev1.PodSpec{Tolerations: []corev1.Toleration{{Key: "node.kubernetes.io/not-ready", Operator: "Exists"}}}
	if got := Asks(&spec); got != nil {
		t.Errorf("what every pod bears is kept: %v", got)
	}
	spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Operator: "Exists"})
	if got := Asks(&spec); got == nil || len(got.Tolerations) != 1 {
		t.Errorf("%v, want what it bears", got)
	}
	spec.NodeName = "n"
	if got := Asks(&spec); got != nil {
		t.Errorf("of a pod that is somewhere %v is kept", got)
	}
}
