package netpol

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// tier is policies that are asked together. Tiers are asked one after the other,
// until one decides.
type tier struct {
	name  string
	order float64
	// refuses says that what no policy of the tier decides is refused, where one restricts.
	refuses bool
	// clusterWide policies may select pods of any namespace.
	clusterWide []*policy
	byNamespace map[string][]*policy
}

// The places of tiers and of NetworkPolicies in theirs are those that Calico gives
// them: only there others may stand between.
const (
	adminOrder    = 1000
	defaultOrder  = 1_000_000
	baselineOrder = 10_000_000
	networkOrder  = 1000
)

var atLast = math.Inf(1)

// tiers are by name; those of Kubernetes are always there.
type tiers map[string]*tier

func newTiers() tiers {
	t := tiers{}
	t.add("admin", adminOrder, false)
	t.add("default", defaultOrder, true)
	t.add("baseline", baselineOrder, false)
	return t
}

func (t tiers) add(name string, order float64, refuses bool) {
	t[name] = &tier{name: name, order: order, refuses: refuses, byNamespace: map[string][]*policy{}}
}

// put files a policy under the namespace of the pods that it selects, if it has one.
func (t tiers) put(name string, p *policy) {
	at := t[name]
	if ns := p.subject.namespace; ns != "" {
		at.byNamespace[ns] = append(at.byNamespace[ns], p)
		return
	}
	at.clusterWide = append(at.clusterWide, p)
}

func (t tiers) inOrder() []*tier {
	return slices.SortedFunc(maps.Values(t), func(a, b *tier) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name,
			b.name))
	})
}

// selection is the policies that select a pod, by tier, in the order they are asked.
type selection [][]*policy

// of those of a tier that keep says select the pod.
func (t *tier) of(namespace string, keep func(*policy) bool) (out []*policy) {
	for _, all := range [][]*policy{t.clusterWide, t.byNamespace[namespace]} {
		for _, p := range all {
			if keep(p) {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *policy) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Name, b.Name), cmp.Compare(a.kind, b.kind))
	})
	return out
}

// all yields every policy of a tier.
func (t *tier) all(yield func(*policy)) {
	for _, p := range t.clusterWide {
		yield(p)
	}
	for _, ps := range t.byNamespace {
		for _, p := range ps {
			yield(p)
		}
	}
}
