package exposure

import (
	"crypto/sha256"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// judge is one run.
type judge struct {
	facts *collect.Facts
	net   *netpol.Judge
	res   *Result
	pods  *podIndex
	hops  map[hopKey]*Hop
	crowd crowd
	// once is each list of ports and of ranges that hops have.
	once  once
	nodes nodes
	// into is the routes into each pod by services and nodes alone.
	into   map[collect.Key][]Route
	fronts map[[sha256.Size]byte]*frontend // of pods, nil where they are not exposed
	// serving is the pods found for each class, published the services by the
	// addresses of their load balancers: ingresses ask for the same again.
	serving   map[class][]*collect.Pod
	published map[string][]*corev1.Service
	// clouds are the providers whose machines the nodes are, none if nothing tells.
	clouds map[cloud.Provider]bool
	// partial facts are manifests without the cluster around them: that a node
	// or an ingress controller is not there proves nothing.
	partial bool
	// scheme is of the AWS Load Balancer Controller, once asked for.
	scheme string
	// noNodes says that load balancers have node ports, and no node was seen.
	noNodes bool
}

// Judge finds every way from the internet to a pod. policies judges the same facts.
func Judge(f *collect.Facts, policies *netpol.Judge) *Result {
	j := &judge{facts: f, net: policies, pods: indexPods(f), hops: map[hopKey]*Hop{}, crowd: newCrowd(len(f.Pods)), nodes: nodesOf(f), clouds: cloud.Providers(f),
		serving: map[class][]*collect.Pod{}, fronts: map[[sha256.Size]byte]*frontend{}, res: &Result{}}
	j.partial = j.nodes.count == 0 && len(f.IngressClasses) == 0
	j.services()
	j.hostPorts()
	j.into = j.intoPods()
	j.ingresses()
	j.gateways()
	j.openShiftRoutes()
	j.virtualServices()
	j.kubelets()
	j.missing()
	j.crowded()
	j.finish()
	return j.res
}

// ofManifest says that no cluster has taken an object yet, and none is around it: that what would serve it
// is not there proves nothing.
func (j *judge) ofManifest(uid types.UID) bool { return uid == "" && j.nodes.count == 0 }

// said are the annotations of a meaning that an object has, but for those of a provider
// on whose machines no node is known to be.
func (j *judge) said(m collect.Meaning, all map[string]string) (out []collect.Annotation) {
	for _, a := range collect.Said(m, all) {
		if of := cloud.Provider(a.Cloud()); of == "" || len(j.clouds) == 0 || j.clouds[of] {
			out = append(out, a)
		}
	}
	return out
}

// way is a route under way: who may use it so far, and the hops.
type way struct {
	hops    []*Hop
	clients netpol.Ranges
}

// sender is who a receiver sees: several may send the same traffic.
type sender struct {
	netpol.Endpoint
	source Source
	// whole senders stand for all clients: an address rule does not narrow them.
	whole bool
	// perNode senders are judged differently for pods on their own node.
	perNode bool
}

// clients of a way, as a pod sees them that gets their packets unchanged.
func (w way) sender() sender {
	return sender{Endpoint: netpol.Addresses("clients on the internet", w.clients), source: FromInternet}
}

// hop is a hop under way: routes that are told share those of one content.
func (j *judge) hop(h Hop) *Hop { return &h }

// shared is the hop of this content that routes have.
func (j *judge) shared(h *Hop) *Hop {
	key := hopKey{h.From, h.To, 0, 0, h.Width, h.Source, h.Via, h.Uncertain, h.Policy}
	h.Ports, key.ports = j.once.portList(h.Ports)
	h.Ranges, key.ranges = j.once.prefixList(h.Ranges)
	if old := j.hops[key]; old != nil {
		return old
	}
	j.hops[key] = h
	return h
}

// tell adds a route.
func (j *judge) tell(hops []*Hop, width Width, ranges []netip.Prefix) {
	out := make([]*Hop, len(hops))
	for i, h := range hops {
		out[i] = j.shared(h)
	}
	j.res.Routes = append(j.res.Routes, Route{out, width, ranges})
}

// deliver takes a way through a service into its pods: one route for each pod
// that some sender is let into.
func (j *judge) deliver(w way, service ref.Ref, targets []target, senders []sender) {
	for _, t := range perNode(targets, senders) {
		if !j.crowd.follows(w, t.pods[0].Namespace) {
			j.crowd.lost++
			continue
		}
		for _, v := range j.verdicts(w, t, senders) {
			if v.closed != nil {
				j.closed(w, service, t, v)
				continue
			}
			width, ranges, via := widthOf(v.clients), j.listed(v.clients), v.via(service)
			for _, p := range t.pods {
				if !j.crowd.tells(w, p) {
					j.crowd.leaveOut(p, v.ports, width, v.uncertain)
					continue
				}
				h := j.hop(Hop{From: service, To: p.Of("Pod"), Ports: v.ports, Width: width, Ranges: ranges, Source: v.source, Via: via,
					Evidence: []ref.Ref{service, p.Of("Pod")}, Uncertain: v.uncertain, Policy: v.policy})
				j.tell(append(slices.Clone(w.hops), h), width, ranges)
			}
		}
	}
}

// perNode takes pods of different nodes apart where a sender is a node itself,
// whose traffic its own pods always accept.
func perNode(targets []target, senders []sender) []target {
	if !slices.ContainsFunc(senders, func(s sender) bool { return s.perNode }) {
		return targets
	}
	var out []target
	for _, t := range targets {
		byNode := map[string][]*collect.Pod{}
		for _, p := range t.pods {
			byNode[p.Node] = append(byNode[p.Node], p)
		}
		for _, node := range slices.Sorted(maps.Keys(byNode)) {
			out = append(out, target{byNode[node], t.ports})
		}
	}
	return out
}

func (j *judge) route(w way) {
	j.tell(w.hops, widthOf(w.clients), listed(w.clients))
}

func (j *judge) closed(w way, service ref.Ref, t target, v verdict) {
	for _, p := range t.pods {
		if j.crowd.shut[p.Key]++; j.crowd.shut[p.Key] > waysOfPod && !j.crowd.more.take(p.Namespace, 1) {
			j.crowd.closed++
			continue
		}
		j.res.Closed = append(j.res.Closed, Closed{To: p.Of("Pod"), Via: through(w.hops, v.via(service)), Ports: v.ports,
			Policy: v.closed.Witness, Answer: v.closed.Explain()})
	}
}

func serviceRef(s *corev1.Service) ref.Ref {
	return ref.Ref{Namespace: s.Namespace, Kind: "Service", Name: s.Name}
}
func nodeRef(name string) ref.Ref { return ref.Ref{Kind: "Node", Name: name} }
func through(hops []*Hop, last string) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.Via)
	}
	return strings.Join(append(out, last), " → ")
}
