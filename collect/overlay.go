package collect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/ref"
)

// Part is an object of a manifest that says less than an API server wants of a new one.
type Part struct {
	Kind string
	Key
	JSON []byte
}

// With is a copy of the facts as they would be had the objects of others been
// applied: each takes the place of the one of its kind and name. A workload that is
// applied brings the pods that it would make; those that it has now are gone. Nodes
// are not applied: a cluster has its own, and made pods are put on one of them.
func (f *Facts) With(applied *Facts) *Facts {
	out := f.Clone()
	was := out.dropOwned(func(k WorkloadKey) bool { _, again := applied.Workloads[k]; return again })
	placed := map[template]bool{} // they were made for nodes that are not this cluster's
	for _, kind := range Kinds {
		if kind == "Node" && len(f.Nodes) > 0 {
			continue
		}
		for k, o := range applied.Each(kind) {
			if p, ok := o.(*Pod); ok && len(out.Nodes) > 0 && out.Nodes[Key{Name: p.Node}] == nil {
				if of := (template{p.Owner, p.Namespace, p.Shape}); !placed[of] {
					placed[of] = p.Made && p.Owner.Kind != ""
					out.place(p, was)
				}
				continue
			}
			out.Apply(Change{Op: Put, Kind: kind, Key: k, Object: o})
		}
	}
	if len(applied.Kubelets) > 0 {
		out.Kubelets = applied.Kubelets
	}
	for k, g := range applied.Gaps {
		if g.Source == "file" {
			out.Gaps[k] = g
		}
	}
	return out
}

// template tells the pods that one workload makes alike.
type template struct {
	owner     OwnerRef
	namespace string
	shape     *PodShape
}

// WithoutPolicies is a copy of the facts without policies of the network; policies is false where
// there are none.
func (f *Facts) WithoutPolicies() (out *Facts, policies bool) {
	out = f.Clone()
	for _, kind := range Kinds {
		if !strings.HasSuffix(kind, "NetworkPolicy") {
			continue
		}
		for k := range f.Each(kind) {
			policies = true
			out.Apply(Change{Op: Gone, Kind: kind, Key: k})
		}
	}
	return out, policies
}

// Without is a copy of the facts as they would be without some objects, and without
// what goes with them: the pods of a workload, the content of a namespace.
func (f *Facts) Without(gone ...ref.Ref) (*Facts, error) {
	out := f.Clone()
	deleted := map[WorkloadKey]bool{}
	for _, r := range gone {
		if !slices.Contains(Kinds, r.Kind) {
			return nil, fmt.Errorf("%s is no kind that is read: want one such as Deployment", r.Kind)
		}
		if out.Get(r.Kind, KeyOf(r)) == nil {
			return nil, fmt.Errorf("there is no %s %s", r.Kind, KeyOf(r))
		}
		deleted[WorkloadKey{r.Kind, KeyOf(r)}] = true
	}
	out.dropOwned(func(k WorkloadKey) bool { return deleted[k] })
	for _, r := range gone {
		out.Apply(Change{Op: Gone, Kind: r.Kind, Key: KeyOf(r)})
		if r.Kind == "Namespace" {
			out.dropNamespace(r.Name)
		}
	}
	return out, nil
}

func (f *Facts) dropNamespace(name string) {
	for _, kind := range Kinds {
		for k := range f.Each(kind) {
			if k.Namespace == name {
				f.Apply(Change{Op: Gone, Kind: kind, Key: k})
			}
		}
	}
}

// maxOwnerChain bounds a chain of owners.
const maxOwnerChain = 8

// dropOwned removes the pods and workloads that chosen workloads own, directly or
// through others, and tells on which nodes each chosen one had pods.
func (f *Facts) dropOwned(chosen func(WorkloadKey) bool) map[WorkloadKey][]string {
	was := map[WorkloadKey][]string{}
	above := func(namespace string, o OwnerRef) (WorkloadKey, bool) {
		for range maxOwnerChain {
			k := WorkloadKey{o.Kind, Key{namespace, o.Name}}
			if o.Name == "" || chosen(k) {
				return k, o.Name != ""
			}
			w := f.Workloads[k]
			if w == nil {
				break
			}
			o = w.Owner
		}
		return WorkloadKey{}, false
	}
	for k, p := range f.Each("Pod") {
		if owner, ok := above(k.Namespace, p.(*Pod).Owner); ok {
			if on := p.(*Pod).Node; on != "" && !slices.Contains(was[owner], on) {
				was[owner] = append(was[owner], on)
			}
			f.Apply(Change{Op: Gone, Kind: "Pod", Key: k})
		}
	}
	for _, kind := range Kinds {
		for k, o := range f.Each(kind) {
			if w, is := o.(*Workload); is {
				if _, ok := above(k.Namespace, w.Owner); ok {
					f.Apply(Change{Op: Gone, Kind: kind, Key: k})
				}
			}
		}
	}
	return was
}

// place adds a pod that was put on a node that is not there, on nodes that are. Those of a DaemonSet are
// on each that takes them; those of others where their workload had some, as far as they are still
// taken there, else on one node of each sort.
func (f *Facts) place(p *Pod, was map[WorkloadKey][]string) {
	var nodes, had []*Node
	for k, n := range f.Each("Node") {
		nodes = append(nodes, n.(*Node))
		if slices.Contains(was[WorkloadKey{p.Owner.Kind, Key{p.Namespace, p.Owner.Name}}], k.Name) {
			had = append(had, n.(*Node))
		}
	}
	everywhere := p.Owner.Kind == "DaemonSet"
	var on []string
	if len(had) > 0 && !everywhere {
		on = Places(had, p.Shape, true)
	}
	if len(on) == 0 {
		on = Places(nodes, p.Shape, everywhere)
	}
	if p.Owner.Kind == "" {
		on = on[:min(1, len(on))]
	}
	if len(on) == 0 { // what takes it is none that there is now
		f.Apply(Change{Op: Put, Kind: "Node", Key: Key{Name: p.Node}, Object: &Node{Name: p.Node}})
		on = []string{p.Node}
	}
	for i, node := range on {
		again := *p
		again.Node = node
		for n := i + 1; i > 0 && f.Pods[again.Key] != nil; n++ {
			again.Name = fmt.Sprintf("%s-%d", p.Name, n)
		}
		f.Apply(Change{Op: Put, Kind: "Pod", Key: again.Key, Object: &again})
	}
}
