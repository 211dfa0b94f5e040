package exposure

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// Serving are the ports of each pod that a Service leads to. A program may listen on
// ports that its container does not declare; that somebody made a Service for one says so. more are the pods to which
// Services lead on more ports than are told.
func Serving(f *collect.Facts) (ports map[collect.Key][]netpol.Port, more []collect.Key) {
	pods, out := indexPods(f), map[collect.Key][]netpol.Port{}
	crowded := map[collect.Key]bool{}
	for _, o := range f.Each("Service") {
		s := o.(*corev1.Service)
		for _, t := range pods.targets(s, s.Spec.Ports) {
			for _, p := range t.pods {
				switch have := out[p.Key]; {
				case len(have) == 0:
					out[p.Key] = t.ports // most pods are behind one Service
				case covers(have, t.ports):
				case len(have) >= portsOf:
					crowded[p.Key] = true
				default:
					out[p.Key] = distinct(append(append([]netpol.Port(nil), have...), t.ports...))
				}
				if all := out[p.Key]; len(all) > portsOf {
					out[p.Key], crowded[p.Key] = all[:portsOf:portsOf], true
				}
			}
		}
	}
	return out, slices.SortedFunc(maps.Keys(crowded), compareKeys)
}

// covers says whether ports in their order hold others.
func covers(have, others []netpol.Port) bool {
	for _, p := range others {
		if _, there := slices.BinarySearchFunc(have, p, comparePorts); !there {
			return false
		}
	}
	return true
}
