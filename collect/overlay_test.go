package collect

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/ref"
)

// running is a cluster of one Deployment with a ReplicaSet and two pods, and a pod of its own.
func running() *Facts {
	f := NewFacts()
	f.Cluster.Name = "c"
	put := func(kind string, k Key, o any) { f.Apply(Change{Op: Put, Kind: kind, Key: k, Object: o}) }
	workload := func(kind, name string, owner OwnerRef) {
		k := Key{"shop", name}
		put(kind, k, &Workload{WorkloadKey: WorkloadKey{kind, k}, Owner: owner})
	}
	pod := func(name, node string, owner OwnerRef) {
		k := Key{"shop", name}
		put("Pod", k, &Pod{Key: k, Node: node, Owner: owner})
	}
	put("Namespace", Key{Name: "shop"}, &corev1.Namespace{})
	put("Node", Key{Name: "control"}, &Node{Name: "control", Taints: []string{"a=b:NoSchedule"}})
	put("Node", Key{Name: "one"}, &Node{Name: "one"})
	put("Node", Key{Name: "two"}, &Node{Name: "two"})
	workload("Deployment", "web", OwnerRef{})
	workload("ReplicaSet", "web-1", OwnerRef{Kind: "Deployment", Name: "web"})
	pod("web-1-a", "two", OwnerRef{Kind: "ReplicaSet", Name: "web-1"})
	pod("web-1-b", "two", OwnerRef{Kind: "ReplicaSet", Name: "web-1"})
	pod("alone", "one", OwnerRef{})
	return f
}

func held(f *Facts) string {
	var out []string
	for _, k := range slices.SortedFunc(maps.Keys(f.Pods), compareKeys) {
		out = append(out, "Pod "+k.Name+" on "+f.Pods[k].Node)
	}
	for k := range f.Workloads {
		out = append(out, k.Kind+" "+k.Name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestWhatIsAppliedTakesThePlaceOfWhatThereIs(t *testing.T) {
	manifest := func(workload string) *Facts {
		f := NewFacts()
		k := Key{"shop", workload}
		f.Apply(Change{Op: Put, Kind: "Deployment", Key: k, Object: &Workload{WorkloadKey: WorkloadKey{"Deployment", k}}})
		f.Apply(Change{Op: Put, Kind: "Node", Key: Key{Name: "any-node"}, Object: &Node{Name: "any-node"}})
		f.Apply(Change{Op: Put, Kind: "Pod", Key: k, Object: &Pod{Key: k, Node: "any-node", Made: true,
			Owner: OwnerRef{Kind: "Deployment", Name: workload}}})
		return f
	}
	for _, test := range []struct {
		name, applied, want string
	}{
		{"a workload again: its pods are made anew where it had one", "web", "Deployment web, Pod alone on one, Pod web on two"},
		{"a new one: on a node that takes pods", "cart",
			"Deployment cart, Deployment web, Pod alone on one, Pod cart on one, Pod web-1-a on two, Pod web-1-b on two, ReplicaSet web-1"},
	} {
		before := running()
		got := before.With(manifest(test.applied))
		if held(got) != test.want || len(got.Nodes) != 3 || got.Cluster.Name != "c" {
			t.Errorf("%s:\n%s, want\n%s", test.name, held(got), test.want)
		}
		if held(before) != held(running()) {
			t.Errorf("%s: the cluster itself is now %s", test.name, held(before))
		}
	}
}

// TestWhatIsAppliedIsOnEveryNodeThatItCouldBeOn: a path that leads to a node is not closed because a pod
// was told on another, or on none.
func TestWhatIsAppliedIsOnEveryNodeThatItCouldBeOn(t *testing.T) {
	tolerant := &PodShape{Placing: &Placing{Tolerations: []corev1.Toleration{{Key: "a", Operator: corev1.TolerationOpExists}}}}
	elsewhere := &PodShape{NodeSelector: map[string]string{"pool": "gpu"}}
	apply := func(on *Facts, kind string, shape *PodShape) string {
		f, k := NewFacts(), Key{"shop", "web"}
		f.Apply(Change{Op: Put, Kind: kind, Key: k, Object: &Workload{WorkloadKey: WorkloadKey{kind, k}}})
		f.Apply(Change{Op: Put, Kind: "Node", Key: Key{Name: "any-node"}, Object: &Node{Name: "any-node"}})
		f.Apply(Change{Op: Put, Kind: "Node", Key: Key{Name: "any-node-2"}, Object: &Node{Name: "any-node-2"}})
		for i, node := range []string{"any-node", "any-node-2"} { // as they are made where nothing is known of nodes
			k := Key{"shop", []string{"web", "web-2"}[i]}
			f.Apply(Change{Op: Put, Kind: "Pod", Key: k, Object: &Pod{Key: k, Node: node, Made: true, Shape: shape,
				Owner: OwnerRef{Kind: kind, Name: "web"}}})
		}
		var out []string
		for k, p := range on.With(f).Each("Pod") {
			if strings.HasPrefix(k.Name, "web") && p.(*Pod).Owner.Kind == kind {
				out = append(out, k.Name+" on "+p.(*Pod).Node)
			}
		}
		return strings.Join(out, ", ")
	}
	alone := func() *Facts { // its only node is one of the control plane
		f := NewFacts()
		f.Apply(Change{Op: Put, Kind: "Node", Key: Key{Name: "control"}, Object: &Node{Name: "control", Taints: []string{"a=b:NoSchedule"}}})
		return f
	}
	spread := running()
	spread.Pods[Key{"shop", "web-1-a"}].Node = "one"
	for name, c := range map[string]struct{ got, want string }{
		"a daemon set is on each that takes it":        {apply(running(), "DaemonSet", &PodShape{}), "web on one, web-2 on two"},
		"one that tolerates the taint on all":          {apply(running(), "DaemonSet", tolerant), "web on control, web-2 on one, web-3 on two"},
		"a workload stays where it is":                 {apply(spread, "Deployment", &PodShape{}), "web on one, web-2 on two"},
		"a new one is on one node of each sort":        {apply(running(), "StatefulSet", tolerant), "web on control, web-2 on one"},
		"no node takes it: it is on one that may come": {apply(alone(), "Deployment", &PodShape{}), "web on any-node"},
		"nothing is said of a label":                   {apply(running(), "StatefulSet", elsewhere), "web on one"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
}

func TestWhatIsDeletedTakesWithItWhatItOwns(t *testing.T) {
	for _, test := range []struct {
		gone       ref.Ref
		want, says string
	}{
		{gone: ref.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}, want: "Pod alone on one"},
		{gone: ref.Ref{Kind: "Pod", Namespace: "shop", Name: "alone"},
			want: "Deployment web, Pod web-1-a on two, Pod web-1-b on two, ReplicaSet web-1"},
		{gone: ref.Ref{Kind: "Namespace", Name: "shop"}},
		{gone: ref.Ref{Kind: "Deployment", Namespace: "shop", Name: "cart"}, says: "there is no Deployment shop/cart"},
		{gone: ref.Ref{Kind: "Ship", Name: "a"}, says: "no kind that is read"},
	} {
		got, err := running().Without(test.gone)
		if test.says != "" {
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v: %v, want %s", test.gone, err, test.says)
			}
			continue
		}
		if err != nil || held(got) != test.want {
			t.Errorf("%v: %s (%v), want %s", test.gone, held(got), err, test.want)
		}
	}
}

func TestOwnersInACircleEnd(t *testing.T) {
	f := NewFacts()
	for i := range 2 {
		k := Key{"a", fmt.Sprint(i)}
		f.Apply(Change{Op: Put, Kind: "ReplicaSet", Key: k, Object: &Workload{WorkloadKey: WorkloadKey{"ReplicaSet", k},
			Owner: OwnerRef{Kind: "ReplicaSet", Name: fmt.Sprint(1 - i)}}})
	}
	if got := f.With(NewFacts()); len(got.Workloads) != 2 {
		t.Errorf("%d workloads", len(got.Workloads))
	}
}
