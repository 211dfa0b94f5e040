package segment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// openServices marks the containers whose program asks nobody who they are.
func (c *cluster) openServices() {
	for _, p := range c.facts.Pods {
		if p.Shape == nil {
			continue
		}
		for i, k := range p.Shape.Containers {
			r := c.containerAt(p, i)
			c.b.Set(r, maybe("tagMoves", c.judged.Clouds.TagMoves(k.Image)))
			c.origin(r, k.Image)
			if s := exposure.OpenTo(k); s != nil {
				c.b.Set(r, graph.S("openService", s.Name), graph.B("openExecutes", s.Executes))
			}
		}
	}
}

// origin says whose the registry is that an image comes from.
func (c *cluster) origin(container graph.Ref, image string) {
	if c.judged.ThirdParty == nil || image == "" {
		return
	}
	use, err := assess.UseOf(image, "")
	if err != nil {
		return // nobody can say whose it is
	}
	host := use.Registry
	c.b.Set(container, graph.B("thirdParty", c.judged.ThirdParty(host)), maybe("unknownRegistry", c.judged.UnknownRegistry(host)))
}

// network makes services, ingresses and network policies.
func (c *cluster) network() {
	for _, s := range c.facts.Services {
		c.service(s)
	}
	for _, i := range c.facts.Ingresses {
		c.ingress(i)
	}
	policies := map[*networkingv1.NetworkPolicy]graph.Ref{}
	for _, p := range c.facts.NetworkPolicies {
		ingress, egress := directions(p)
		policies[p] = c.object(ref.Ref{Namespace: p.Namespace, Kind: "NetworkPolicy", Name: p.Name}, labelList(p.Labels),
			graph.B("ingress", ingress), graph.B("egress", egress))
	}
	c.selections(policies)
	c.openServices()
}

// directions of a policy: those it names, else ingress, and egress where it has such rules.
func directions(p *networkingv1.NetworkPolicy) (ingress, egress bool) {
	if len(p.Spec.PolicyTypes) == 0 {
		return true, len(p.Spec.Egress) > 0
	}
	return slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeIngress),
		slices.Contains(p.Spec.PolicyTypes, networkingv1.PolicyTypeEgress)
}

// selections joins policies to the pods they select, as the judge reads them.
func (c *cluster) selections(policies map[*networkingv1.NetworkPolicy]graph.Ref) {
	if len(policies) == 0 {
		return
	}
	more, kept, left := map[collect.Key][]graph.Ref{}, 0, 0 // beyond those that are drawn of every pod
	for k, p := range c.facts.Pods {
		if p.Shape == nil {
			continue
		}
		pod, done := c.podAt(p), map[*networkingv1.NetworkPolicy]bool{}
		for _, d := range []netpol.Direction{netpol.Ingress, netpol.Egress} {
			for _, policy := range c.judged.Policies.Selecting(p, d) {
				r, ours := policies[policy]
				switch {
				case !ours || done[policy]:
				case len(done) < maxSelecting:
					c.b.Edge("SELECTS", r, pod)
				case kept < 4*maxSelections:
					more[k] = append(more[k], r)
					kept++
				default:
					left++
				}
				if ours {
					done[policy] = true
				}
			}
		}
	}
	drawn := 0
	for _, k := range slices.SortedFunc(maps.Keys(more), func(a, b collect.Key) int { return cmp.Compare(a.String(), b.String()) }) {
		room := min(maxSelections-drawn, len(more[k]))
		for _, r := range more[k][:room] {
			c.b.Edge("SELECTS", r, c.podAt(c.facts.Pods[k]))
		}
		drawn, left = drawn+room, left+len(more[k])-room
	}
	if left > 0 {
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "policies that select crowded pods", Kinds: []string{"SELECTS"},
			Why:         fmt.Sprintf("of pods with more than %d policies %d times one was left out", maxSelecting, left),
			Consequence: "Not each policy that selects these pods is shown; what policies let through is judged by all of them."})
	}
}

// Who may write policies and pods makes as many selections as the product of both: of a pod some are drawn, and of all more.
const (
	maxSelecting  = 64
	maxSelections = 100_000
)

func (c *cluster) service(s *corev1.Service) {
	var ports, addresses []string
	for _, p := range s.Spec.Ports {
		ports = append(ports, fmt.Sprintf("%d/%s", p.Port, protocol(p.Protocol)))
	}
	for _, a := range s.Status.LoadBalancer.Ingress {
		addresses = append(addresses, cmp.Or(a.IP, a.Hostname))
	}
	c.object(ref.Ref{Namespace: s.Namespace, Kind: "Service", Name: s.Name}, labelList(s.Labels),
		graph.S("type", cmp.Or(string(s.Spec.Type), "ClusterIP")),
		list("ports", ports), list("addresses", append(addresses, s.Spec.ExternalIPs...)))
}

func (c *cluster) ingress(i *networkingv1.Ingress) {
	var hosts []string
	for _, r := range i.Spec.Rules {
		if host := cmp.Or(r.Host, "*"); !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	if len(i.Spec.Rules) == 0 && i.Spec.DefaultBackend != nil {
		hosts = []string{"*"}
	}
	class, _ := exposure.ClassName(c.facts, i)
	c.object(ref.Ref{Namespace: i.Namespace, Kind: "Ingress", Name: i.Name}, labelList(i.Labels), text("class", class),
		list("hosts", hosts),
		graph.B("tls", len(i.Spec.TLS) > 0))
}
