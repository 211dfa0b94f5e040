package exposure

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// frontend is what stands between the internet and an Ingress or Gateway: who gets
// to it, and who then connects to the pods behind.
type frontend struct {
	clients netpol.Ranges
	// seen are the addresses that its pods can see clients at, nil if any: pods without an
	// address of IPv6 see none of it.
	seen      netpol.Ranges
	via       string
	evidence  []ref.Ref
	uncertain string
	senders   []sender
	byName    aliases
	// pods take the requests; none where they were not found, or a cloud does.
	pods []*collect.Pod
	// by is what serves an Ingress, if that is known.
	by *controller
}

// intoPods indexes the routes found so far by the pod they end in.
func (j *judge) intoPods() map[collect.Key][]Route {
	out := map[collect.Key][]Route{}
	for _, r := range j.res.Routes {
		out[collect.KeyOf(r.Target())] = append(out[collect.KeyOf(r.Target())], r)
	}
	return out
}

// proxies is the frontend made of pods that take the requests and pass them on. It
// is none unless some of them are exposed themselves.
func (j *judge) proxies(pods []*collect.Pod, what string) (frontend, bool) {
	h := sha256.New()
	for _, p := range pods {
		fmt.Fprintf(h, "%s/%s ", p.Namespace, p.Name)
	}
	key := [sha256.Size]byte(h.Sum(nil))
	f, known := j.fronts[key]
	if !known { // thousands of Ingresses may be served by the same thousands of pods
		f = j.proxy(pods)
		j.fronts[key] = f
	}
	if f == nil {
		return frontend{}, false
	}
	out := *f
	out.via += ", " + what
	return out, true
}

// proxy is the frontend made of pods, nil unless some of them are exposed themselves.
func (j *judge) proxy(pods []*collect.Pod) *frontend {
	var best []Route
	for _, p := range pods {
		best = append(best, j.into[p.Key]...)
	}
	if len(best) == 0 {
		return nil
	}
	r := slices.MinFunc(best, func(a, b Route) int {
		return cmp.Or(cmp.Compare(len(a.Uncertain()), len(b.Uncertain())), cmp.Compare(a.Width, b.Width), compare(a.via(), b.via()))
	})
	f := &frontend{uncertain: strings.Join(r.Uncertain(), "; "), senders: podSenders(pods), seen: familiesOf(pods), pods: pods}
	for _, other := range best {
		if len(other.Uncertain()) == 0 || f.uncertain != "" {
			f.clients = f.clients.Or(other.clients())
		}
	}
	f.via = fmt.Sprintf("%s → %s", r.via(), podNames(pods))
	for _, h := range r.Hops {
		f.evidence = append(f.evidence, h.To)
	}
	return f
}

// familiesOf are all addresses of the families that the pods have, nil where some are not known.
func familiesOf(pods []*collect.Pod) (out netpol.Ranges) {
	for _, p := range pods {
		if len(p.IPs) == 0 {
			return nil
		}
		for _, text := range p.IPs {
			if a, err := netip.ParseAddr(text); err != nil {
				return nil
			} else if a.Is4() {
				out = out.Or(everyV4)
			} else {
				out = out.Or(everyV6)
			}
		}
	}
	return out
}

func (r Route) clients() netpol.Ranges {
	if r.Width == Any {
		return everyone()
	}
	return netpol.In(r.Ranges...)
}

func podNames(pods []*collect.Pod) string {
	text := "Pod " + pods[0].Key.String()
	if more := len(pods) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// podSenders are the proxies as policies see them: one of each labels, or of
// each node where they are on the host's network.
func podSenders(pods []*collect.Pod) (out []sender) {
	seen := map[groupKey]bool{}
	for _, p := range pods {
		key := groupKey{namespace: p.Namespace, labels: p.Labels}
		if p.Shape.HostNetwork {
			key.node = p.Node
		}
		if !seen[key] {
			seen[key] = true
			out = append(out, sender{Endpoint: netpol.Pod(p), source: FromController, whole: true, perNode: p.Shape.HostNetwork})
		}
	}
	return out
}

// balancerFrontend is a load balancer that a cloud runs for the object itself.
func (j *judge) balancerFrontend(via, uncertain string) frontend {
	w := way{clients: everyone()}
	return frontend{clients: w.clients, via: via, uncertain: uncertain, senders: append(j.relay(w),
		sender{Endpoint: netpol.Somewhere("the load balancer", netpol.Everywhere()), source: FromLoadBalancer, whole: true})}
}

// hiddenFrontend is a controller whose pods were not found, so that policies may
// let it in by any of their rules.
func (j *judge) hiddenFrontend(via, uncertain string) frontend {
	f := j.balancerFrontend(via, uncertain)
	f.senders = append(f.senders,
		sender{Endpoint: netpol.Somebody("a controller whose pods were not found"), source: FromController, whole: true})
	return f
}

// podsAt finds the pods of the load balancer Service that has one of these
// addresses: what serves an object publishes its own address on it.
func (j *judge) podsAt(addresses []string) (out []*collect.Pod) {
	if j.published == nil {
		j.published = map[string][]*corev1.Service{}
		for _, o := range j.facts.Each("Service") {
			s := o.(*corev1.Service)
			for _, a := range balancerAddresses(s.Status.LoadBalancer.Ingress) {
				j.published[plain(a)] = append(j.published[plain(a)], s)
			}
		}
	}
	var found []*corev1.Service
	for _, a := range addresses {
		for _, s := range j.published[plain(a)] {
			if !slices.Contains(found, s) {
				found = append(found, s)
				out = append(out, j.selected(s)...)
			}
		}
	}
	return out
}

// selected are all pods behind a service.
func (j *judge) selected(s *corev1.Service) (out []*collect.Pod) {
	for _, t := range j.pods.targets(s, s.Spec.Ports) {
		out = append(out, t.pods...)
	}
	return out
}
