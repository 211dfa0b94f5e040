package collect

import (
	"cmp"
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
	for _, kind := range Kinds {
		if kind == "Node" && len(f.Nodes) > 0 {
			continue
		}
		for k, o := range applied.Each(kind) {
			if p, ok := o.(*Pod); ok {
				o = out.placed(p, was)
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
// through others, and tells on which node each chosen one had a pod.
func (f *Facts) dropOwned(chosen func(WorkloadKey) bool) map[WorkloadKey]string {
	was := map[WorkloadKey]string{}
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
			was[owner] = cmp.Or(was[owner], p.(*Pod).Node)
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

// placed is a pod on a node that there is: where its workload had one, else the first
// node that takes pods.
func (f *Facts) placed(p *Pod, was map[WorkloadKey]string) *Pod {
	if len(f.Nodes) == 0 || f.Nodes[Key{Name: p.Node}] != nil {
		return p
	}
	on := was[WorkloadKey{p.Owner.Kind, Key{p.Namespace, p.Owner.Name}}]
	for k, n := range f.Each("Node") {
		if on == "" && len(n.(*Node).Taints) == 0 {
			on = k.Name
		}
	}
	again := *p
	again.Node = on
	return &again
}
