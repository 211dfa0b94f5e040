package exposure

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
)

// Serving are the ports of each pod that a Service leads to. A program may listen on
// ports that its container does not declare; that somebody made a Service for one says so.
func Serving(f *collect.Facts) map[collect.Key][]netpol.Port {
	pods, out := indexPods(f), map[collect.Key][]netpol.Port{}
	for _, o := range f.Each("Service") {
		s := o.(*corev1.Service)
		for _, t := range pods.targets(s, s.Spec.Ports) {
			for _, p := range t.pods {
				if len(out[p.Key]) == 0 {
					out[p.Key] = t.ports // most pods are behind one Service
				} else {
					out[p.Key] = distinct(append(append([]netpol.Port(nil), out[p.Key]...), t.ports...))
				}
			}
		}
	}
	return out
}
