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
