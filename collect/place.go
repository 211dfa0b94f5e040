package collect

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Placing is what a pod that has no node yet asks of one, beside its labels. Which of several
// nodes a scheduler prefers, and how it spreads pods among them, is no answer to where one may be.
type Placing struct {
	// Affinity are terms of which its node must match one; none ask for nothing.
	Affinity    []corev1.NodeSelectorTerm `json:"affinity,omitempty"`
	Tolerations []corev1.Toleration       `json:"tolerations,omitempty"`
}

// Fit says whether a node takes a pod.
type Fit int

// What is not said of a node may be so: files leave things out, and labels come and go.
const (
	Refuses Fit = iota
	MayTake     // it says nothing of a label that the pod asks for
	Takes
)

// Fit is how a node takes pods of a shape; those of no shape ask for nothing.
func (n *Node) Fit(s *PodShape) Fit {
	out := Takes
	var p Placing
	if s != nil {
		for k, v := range s.NodeSelector {
			switch has, there := n.Labels[k]; {
			case !there:
				out = MayTake
			case has != v:
				return Refuses
			}
		}
		if s.Placing != nil {
			p = *s.Placing
		}
	}
	for _, t := range n.Taints {
		if hard(t) && !slices.ContainsFunc(p.Tolerations, func(o corev1.Toleration) bool { return tolerates(o, t) }) {
			return Refuses
		}
	}
	if len(p.Affinity) == 0 {
		return out
	}
	best := Refuses
	for _, t := range p.Affinity {
		best = max(best, n.matches(t))
	}
	return min(out, best)
}

// matches says how a node fits one term: one that asks for nothing matches none.
func (n *Node) matches(t corev1.NodeSelectorTerm) Fit {
	if len(t.MatchExpressions)+len(t.MatchFields) == 0 {
		return Refuses
	}
	out := Takes
	for _, r := range t.MatchExpressions {
		has, there := n.Labels[r.Key]
		out = min(out, satisfies(has, there, r))
	}
	for _, r := range t.MatchFields { // metadata.name is the one that there is
		out = min(out, satisfies(n.Name, true, r))
	}
	return out
}

func satisfies(has string, there bool, r corev1.NodeSelectorRequirement) Fit {
	var is bool
	switch r.Operator {
	case corev1.NodeSelectorOpNotIn:
		is = !there || !slices.Contains(r.Values, has)
	case corev1.NodeSelectorOpDoesNotExist:
		is = !there
	default:
		if !there {
			return MayTake
		}
		is = r.Operator == corev1.NodeSelectorOpExists || r.Operator == corev1.NodeSelectorOpIn && slices.Contains(r.Values, has) ||
			compares(has, r)
	}
	if is {
		return Takes
	}
	return Refuses
}

func compares(has string, r corev1.NodeSelectorRequirement) bool {
	if len(r.Values) != 1 {
		return false
	}
	a, err := strconv.ParseInt(has, 10, 64)
	b, err2 := strconv.ParseInt(r.Values[0], 10, 64)
	return err == nil && err2 == nil && (r.Operator == corev1.NodeSelectorOpGt && a > b || r.Operator == corev1.NodeSelectorOpLt && a < b)
}

// ofTheMoment begins the keys of taints that come and go with a node's condition.
const ofTheMoment = "node.kubernetes.io/"

// hard says of a taint, key=value:effect, that it keeps pods away, and not for a moment alone.
func hard(taint string) bool {
	return !strings.HasSuffix(taint, ":"+string(corev1.TaintEffectPreferNoSchedule)) && !strings.HasPrefix(taint, ofTheMoment)
}

func tolerates(t corev1.Toleration, taint string) bool {
	rest, effect := cutLast(taint, ":")
	key, value, _ := strings.Cut(rest, "=")
	switch {
	case t.Effect != "" && string(t.Effect) != effect, t.Key != "" && t.Key != key:
		return false
	case t.Operator == "" || t.Operator == corev1.TolerationOpEqual:
		return t.Key != "" && t.Value == value
	}
	return true // it exists, or its value is compared: then it may be so
}

func cutLast(s, sep string) (before, after string) {
	i := strings.LastIndex(s, sep)
	return s[:max(i, 0)], s[i+1:]
}

// Asks are the tolerations and terms of a spec that say where its pods may be, nil if none does.
func Asks(spec *corev1.PodSpec) *Placing {
	if spec.NodeName != "" {
		return nil // it is somewhere
	}
	var p Placing
	for _, t := range spec.Tolerations {
		if !strings.HasPrefix(t.Key, ofTheMoment) {
			p.Tolerations = append(p.Tolerations, t)
		}
	}
	if a := spec.Affinity; a != nil && a.NodeAffinity != nil && a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		p.Affinity = a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	}
	if len(p.Tolerations)+len(p.Affinity) == 0 {
		return nil
	}
	return &p
}

// OfControlPlane says of a node's labels that it is one of the control plane.
func OfControlPlane(labels map[string]string) bool {
	_, is := labels["node-role.kubernetes.io/control-plane"]
	_, was := labels["node-role.kubernetes.io/master"]
	return is || was
}

// sort is equal for nodes that nothing keeps the same pods from.
func (n *Node) sort() string {
	taints := slices.DeleteFunc(slices.Clone(n.Taints), func(t string) bool { return !hard(t) })
	slices.Sort(taints)
	return strconv.FormatBool(OfControlPlane(n.Labels)) + strings.Join(taints, " ")
}

// tellsAll says that a node's labels are all that it has: an API server stored it, or somebody copied
// what its kubelet said of it. Who writes a node by hand names the labels that matter to them.
func (n *Node) tellsAll() bool {
	_, registered := n.Labels[corev1.LabelHostname]
	return registered || n.UID != ""
}

// Places are the names of nodes that pods of a shape may be on, those of the control plane first and of
// these those that are known to take them: each if they are everywhere, else one of each sort, as one pod is
// on one node. One that tells all its labels and lacks what the pods ask for counts if there is no other.
func Places(nodes []*Node, s *PodShape, everywhere bool) (out []string) {
	var some, last []placing
	for _, n := range nodes {
		switch p := (placing{n, n.Fit(s)}); {
		case p.fit == Takes, p.fit == MayTake && !n.tellsAll():
			some = append(some, p)
		case p.fit == MayTake:
			last = append(last, p)
		}
	}
	if len(some) == 0 {
		some = last
	}
	slices.SortFunc(some, placing.compare)
	sorts := map[string]bool{}
	for _, p := range some {
		if sort := p.node.sort(); everywhere || !sorts[sort] {
			sorts[sort] = true
			out = append(out, p.node.Name)
		}
	}
	return out
}

// placing is a node and how it takes a pod.
type placing struct {
	node *Node
	fit  Fit
}

func (a placing) compare(b placing) int {
	worker := func(p placing) int {
		if OfControlPlane(p.node.Labels) {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(worker(a), worker(b)), cmp.Compare(b.fit, a.fit), cmp.Compare(a.node.Name, b.node.Name))
}

// Wants are the labels that a shape's node must have as far as one node can have them: what it
// selects, and what its affinity leaves no choice of.
func (s *PodShape) Wants() map[string]string {
	out := maps.Clone(s.NodeSelector)
	if s.Placing == nil || len(s.Placing.Affinity) != 1 {
		return out
	}
	for _, r := range s.Placing.Affinity[0].MatchExpressions {
		value := ""
		switch {
		case r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1:
			value = r.Values[0]
		case r.Operator != corev1.NodeSelectorOpExists || !OfControlPlane(map[string]string{r.Key: ""}):
			continue
		}
		if _, there := out[r.Key]; there {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[r.Key] = value
	}
	return out
}
