package collect

import (
	"maps"
	"slices"
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
	plain := &Node{Name: "n", Labels: map[string]string{"pool": "a", "size": "4", "cores": "10", "bare": ""}}
	named := func(op corev1.NodeSelectorOperator, names ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchFields: []corev1.NodeSelectorRequirement{need("metadata.name", op, names...)}}
	}
	both := func(r corev1.NodeSelectorRequirement, name string) corev1.NodeSelectorTerm {
		t := named("In", name)
		t.MatchExpressions = []corev1.NodeSelectorRequirement{r}
		return t
	}
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
		{"not in others", plain, asks(all(need("pool", "NotIn", "x", "y"))), Takes},
		{"not in the empty value, of a label that is not there", plain, asks(all(need("disk", "NotIn", ""))), Takes},
		{"not in the empty value, and it is empty", plain, asks(all(need("bare", "NotIn", ""))), Refuses},
		{"exists, with an empty value", plain, asks(all(need("bare", "Exists"))), Takes},
		{"exists, and nothing is said of it", plain, asks(all(need("disk", "Exists"))), MayTake},
		{"greater than the same", plain, asks(all(need("cores", "Gt", "10"))), Refuses},
		{"less than the same", plain, asks(all(need("cores", "Lt", "10"))), Refuses},
		{"greater than one less", plain, asks(all(need("cores", "Gt", "9"))), Takes},
		{"less than one more", plain, asks(all(need("cores", "Lt", "11"))), Takes},
		{"numbers and no texts", plain, asks(all(need("cores", "Gt", "4"))), Takes},
		{"less, and it is greater", plain, asks(all(need("size", "Lt", "3"))), Refuses},
		{"greater, and it is less", plain, asks(all(need("size", "Gt", "5"))), Refuses},
		{"greater, of what is no number", plain, asks(all(need("pool", "Gt", "-1"))), Refuses},
		{"less, of what is no number", plain, asks(all(need("pool", "Lt", "1"))), Refuses},
		{"greater than what is no number", plain, asks(all(need("size", "Gt", "x"))), Refuses},
		{"greater than nothing", plain, asks(all(need("size", "Gt"))), Refuses},
		{"greater than one of two", plain, asks(all(need("size", "Gt", "3", "2"))), Refuses},
		{"greater, and nothing is said of it", plain, asks(all(need("weight", "Gt", "3"))), MayTake},
		{"one more than a way that there is", plain, asks(all(need("size", "Near", "4"))), Refuses},
		{"all of one term, and nothing is said of a part", plain, asks(all(need("pool", "In", "a"), need("disk", "In", "ssd"))), MayTake},
		{"all of one term, a part is refused and nothing is said of one", plain,
			asks(all(need("disk", "In", "ssd"), need("pool", "In", "b"))), Refuses},
		{"of two terms nothing is said of one", plain, asks(all(need("pool", "In", "b")), all(need("disk", "In", "ssd"))), MayTake},
		{"of two terms none", plain, asks(all(need("pool", "In", "b")), all(need("size", "In", "5"))), Refuses},
		{"an empty term beside one that fits", plain, asks(all(), all(need("pool", "In", "a"))), Takes},
		{"by name", plain, asks(named("In", "n")), Takes},
		{"by another name", plain, asks(named("In", "m")), Refuses},
		{"by any name but this", plain, asks(named("NotIn", "n")), Refuses},
		{"by any name but another", plain, asks(named("NotIn", "m")), Takes},
		{"by name and label", plain, asks(both(need("pool", "In", "a"), "n")), Takes},
		{"by name, with another label", plain, asks(both(need("pool", "In", "b"), "n")), Refuses},
		{"by label, with another name", plain, asks(both(need("pool", "In", "a"), "m")), Refuses},
		{"selected, and of another affinity", plain, &PodShape{NodeSelector: map[string]string{"pool": "a"},
			Placing: &Placing{Affinity: []corev1.NodeSelectorTerm{all(need("size", "In", "5"))}}}, Refuses},
		{"nothing is said of what is selected, and the affinity fits", plain, &PodShape{NodeSelector: map[string]string{"disk": "ssd"},
			Placing: &Placing{Affinity: []corev1.NodeSelectorTerm{all(need("size", "In", "4"))}}}, MayTake},
		{"a taint", tainted, nil, Refuses},
		{"it is borne by its value", tainted, bears(corev1.Toleration{Key: "only", Value: "gpu"}), Takes},
		{"another value is borne", tainted, bears(corev1.Toleration{Key: "only", Value: "cpu"}), Refuses},
		{"another effect is borne", tainted, bears(corev1.Toleration{Key: "only", Operator: "Exists", Effect: "NoExecute"}), Refuses},
		{"whatever its value", tainted, bears(corev1.Toleration{Key: "only", Operator: "Exists", Effect: "NoSchedule"}), Takes},
		{"everything is borne", tainted, bears(corev1.Toleration{Operator: "Exists"}), Takes},
		{"by its value, said at length", tainted, bears(corev1.Toleration{Key: "only", Operator: "Equal", Value: "gpu"}), Takes},
		{"another value, said at length", tainted, bears(corev1.Toleration{Key: "only", Operator: "Equal", Value: "cpu"}), Refuses},
		{"no value", tainted, bears(corev1.Toleration{Key: "only"}), Refuses},
		{"another key is borne", tainted, bears(corev1.Toleration{Key: "other", Operator: "Exists"}), Refuses},
		{"another key with the same value is borne", tainted, bears(corev1.Toleration{Key: "other", Value: "gpu"}), Refuses},
		{"a value without a key", tainted, bears(corev1.Toleration{Value: "gpu"}), Refuses},
		{"everything of its effect is borne", tainted, bears(corev1.Toleration{Operator: "Exists", Effect: "NoSchedule"}), Takes},
		{"everything of another effect is borne", tainted, bears(corev1.Toleration{Operator: "Exists", Effect: "NoExecute"}), Refuses},
		{"a value that may be compared", tainted, bears(corev1.Toleration{Key: "only", Operator: "Gt", Value: "5"}), Takes},
		{"the second of two bears it", tainted, bears(corev1.Toleration{Key: "other"}, corev1.Toleration{Key: "only", Value: "gpu"}), Takes},
		{"one of two taints is borne", &Node{Taints: []string{"only=gpu:NoSchedule", "more:NoExecute"}},
			bears(corev1.Toleration{Key: "only", Value: "gpu"}), Refuses},
		{"a taint without a value", &Node{Taints: []string{"more:NoExecute"}}, bears(corev1.Toleration{Key: "more"}), Takes},
		{"a taint that says nothing", &Node{Taints: []string{""}}, bears(corev1.Toleration{Operator: "Exists"}), Takes},
		{"a taint of an effect alone", &Node{Taints: []string{":NoExecute"}}, bears(corev1.Toleration{Key: ":", Operator: "Exists"}), Refuses},
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
	spec.Tolerations = append(spec.Tolerations, corev1.Toleration{Key: "only", Value: "gpu"})
	if got := Asks(&spec); got == nil || len(got.Tolerations) != 2 || got.Tolerations[1].Key != "only" || got.Affinity != nil {
		t.Errorf("%v, want both that it bears", got)
	}
	spec.NodeName = "n"
	if got := Asks(&spec); got != nil {
		t.Errorf("of a pod that is somewhere %v is kept", got)
	}
}

func TestWhatAnAffinityRequiresIsKeptAndWhatItPrefersIsNot(t *testing.T) {
	requires := func(terms int) *corev1.NodeAffinity {
		return &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: make([]corev1.NodeSelectorTerm, terms)},
		}
	}
	for name, of := range map[string]*corev1.Affinity{
		"none":    nil,
		"of pods": {PodAffinity: &corev1.PodAffinity{}},
		"one that prefers": {NodeAffinity: &corev1.NodeAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: make([]corev1.PreferredSchedulingTerm, 1)}},
		"one without a term": {NodeAffinity: requires(0)},
	} {
		if got := Asks(&corev1.PodSpec{Affinity: of}); got != nil {
			t.Errorf("%s: %v is kept", name, got)
		}
	}
	if got := Asks(&corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: requires(2)}}); got == nil || len(got.Affinity) != 2 {
		t.Errorf("%v, want both terms", got)
	}
	got := Asks(&corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: requires(1)}, Tolerations: make([]corev1.Toleration, 1)})
	if got == nil || len(got.Affinity) != 1 || len(got.Tolerations) != 1 {
		t.Errorf("%v, want what it bears beside what it asks for", got)
	}
}

func TestPodsAreOnOneNodeOfEachSortOrOnAllThatTakeThem(t *testing.T) {
	node := func(name string, label string, taints ...string) *Node {
		n := &Node{Name: name, Labels: map[string]string{}, Taints: taints}
		if label != "" {
			n.Labels[label] = ""
		}
		return n
	}
	const lead, was, said = "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master", "kubernetes.io/hostname"
	also := func(n *Node, label string) *Node {
		n.Labels[label] = ""
		return n
	}
	stored := &Node{Name: "a", UID: "1"}
	bears := &PodShape{Placing: &Placing{Tolerations: []corev1.Toleration{{Operator: "Exists"}}}}
	selects := &PodShape{NodeSelector: map[string]string{"ssd": ""}}
	for _, c := range []struct {
		name       string
		nodes      []*Node
		of         *PodShape
		everywhere bool
		want       []string
	}{
		{name: "no node"},
		{name: "one of two of a sort", nodes: []*Node{node("b", ""), node("a", "")}, want: []string{"a"}},
		{name: "everywhere", nodes: []*Node{node("b", ""), node("a", "")}, everywhere: true, want: []string{"a", "b"}},
		{name: "the control plane comes first", nodes: []*Node{node("a", ""), node("z", lead)}, want: []string{"z", "a"}},
		{name: "so does one of the former name", nodes: []*Node{node("a", ""), node("z", was)}, want: []string{"z", "a"}},
		{name: "both names are one sort", nodes: []*Node{node("z", was), node("y", lead)}, want: []string{"y"}},
		{name: "by name among those of the control plane and those not", everywhere: true,
			nodes: []*Node{node("b", ""), node("z", lead), node("a", ""), node("y", lead)}, want: []string{"y", "z", "a", "b"}},
		{name: "a taint that only prefers makes no sort", want: []string{"a"},
			nodes: []*Node{node("a", "", "k=v:PreferNoSchedule"), node("b", "")}},
		{name: "nor does one of the moment", want: []string{"a"},
			nodes: []*Node{node("a", "", "node.kubernetes.io/not-ready=:NoExecute"), node("b", "")}},
		{name: "one that keeps pods away does", of: bears, want: []string{"a", "b"},
			nodes: []*Node{node("a", "", "k=v:NoSchedule"), node("b", "")}},
		{name: "in whatever order they are", of: bears, want: []string{"a"},
			nodes: []*Node{node("a", "", "k=v:NoSchedule", "l=v:NoSchedule"), node("b", "", "l=v:NoSchedule", "k=v:NoSchedule")}},
		{name: "none that refuses", nodes: []*Node{node("a", "", "k=v:NoSchedule"), node("b", "")}, everywhere: true, want: []string{"b"}},
		{name: "none, if all refuse", nodes: []*Node{node("a", "", "k=v:NoSchedule")}, everywhere: true},
		{name: "those that are known to take them, and those that say too little", of: selects, everywhere: true, want: []string{"b", "c", "a"},
			nodes: []*Node{node("a", ""), node("b", "ssd"), node("c", "ssd")}},
		{name: "those that are known to take them, where the others say all", of: selects, everywhere: true, want: []string{"b", "c"},
			nodes: []*Node{node("a", said), stored, node("b", "ssd"), node("c", "ssd")}},
		{name: "of a sort one that is known to take them", of: selects, want: []string{"b"},
			nodes: []*Node{node("a", ""), node("b", "ssd")}},
		{name: "the control plane, if it says too little", of: selects, want: []string{"z", "b"},
			nodes: []*Node{node("a", ""), node("b", "ssd"), node("z", lead)}},
		{name: "not the control plane, if it says all", of: selects, want: []string{"b"},
			nodes: []*Node{node("b", "ssd"), also(node("z", lead), said)}},
		{name: "those that may, if of none it is known", of: selects, everywhere: true, want: []string{"a", "b"},
			nodes: []*Node{node("b", ""), node("a", "")}},
		{name: "those that may though they say all, if there is no other", of: selects, everywhere: true, want: []string{"a", "b"},
			nodes: []*Node{node("b", said), stored}},
		{name: "those that say too little rather than those that say all", of: selects, everywhere: true, want: []string{"b"},
			nodes: []*Node{node("b", ""), stored}},
	} {
		before := slices.Clone(c.nodes)
		if got := Places(c.nodes, c.of, c.everywhere); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !slices.Equal(c.nodes, before) {
			t.Errorf("%s: the nodes are in another order than before", c.name)
		}
	}
}

func TestAPodWantsOfItsNodeWhatOneNodeCanHave(t *testing.T) {
	type labels = map[string]string
	const lead = "node-role.kubernetes.io/control-plane"
	term := func(key string, op corev1.NodeSelectorOperator, values ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: op, Values: values}}}
	}
	asks := func(any ...corev1.NodeSelectorTerm) *Placing { return &Placing{Affinity: any} }
	two := term("pool", "In", "a")
	two.MatchExpressions = append(two.MatchExpressions, term("size", "In", "4").MatchExpressions...)
	for _, c := range []struct {
		name string
		of   PodShape
		want labels
	}{
		{"nothing", PodShape{}, nil},
		{"what it selects", PodShape{NodeSelector: labels{"pool": "a"}}, labels{"pool": "a"}},
		{"nothing, by tolerations alone", PodShape{Placing: &Placing{Tolerations: make([]corev1.Toleration, 1)}}, nil},
		{"the one value", PodShape{Placing: asks(term("pool", "In", "a"))}, labels{"pool": "a"}},
		{"each of one term", PodShape{Placing: asks(two)}, labels{"pool": "a", "size": "4"}},
		{"both, of what it selects and asks", PodShape{NodeSelector: labels{"pool": "a"}, Placing: asks(term("size", "In", "4"))},
			labels{"pool": "a", "size": "4"}},
		{"what it selects, asking for another", PodShape{NodeSelector: labels{"pool": "a"}, Placing: asks(term("pool", "In", "b"))},
			labels{"pool": "a"}},
		{"no one of two values", PodShape{Placing: asks(term("pool", "In", "a", "b"))}, nil},
		{"no one of two terms", PodShape{Placing: asks(term("pool", "In", "a"), term("size", "In", "4"))}, nil},
		{"not what it must not be", PodShape{Placing: asks(term("pool", "NotIn", "a"))}, nil},
		{"no number greater than one", PodShape{Placing: asks(term("size", "Gt", "3"))}, nil},
		{"not one that must not be there", PodShape{Placing: asks(term(lead, "DoesNotExist"))}, nil},
		{"no value that may be any", PodShape{Placing: asks(term("pool", "Exists"))}, nil},
		{"the control plane", PodShape{Placing: asks(term(lead, "Exists"))}, labels{lead: ""}},
		{"the control plane by a value", PodShape{Placing: asks(term(lead, "In", "true"))}, labels{lead: "true"}},
		{"not what the first of two values says of the control plane", PodShape{Placing: asks(term(lead, "In", "true", ""))}, nil},
	} {
		before := maps.Clone(c.of.NodeSelector)
		if got := c.of.Wants(); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !maps.Equal(c.of.NodeSelector, before) {
			t.Errorf("%s: what it selects is %v now", c.name, c.of.NodeSelector)
		}
	}
}
