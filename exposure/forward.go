package exposure

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// forward takes a way through a service to the pods that the frontend connects to.
func (j *judge) forward(f frontend, w way, from ref.Ref, s *corev1.Service, ports []corev1.ServicePort, via string) {
	if !j.leads(f, s, ports, nil) {
		j.lostEndpoints(s, len(ports) > 0)
		return
	}
	h := j.hop(Hop{From: from, To: serviceRef(s), Ports: portsOfService(ports), Width: widthOf(w.clients), Ranges: listed(w.clients),
		Source: f.senders[0].source, Via: via, Evidence: []ref.Ref{from, serviceRef(s)}, Uncertain: f.unreadOf(s)})
	j.toPods(f, way{append(slices.Clone(w.hops), h), w.clients}, s, ports)
}

// unreadOf is what a Service says of those who get to it from the frontend that is not read.
func (f frontend) unreadOf(s *corev1.Service) string {
	for _, a := range collect.Said(collect.BackendElsewhere, s.Annotations) {
		if f.by != nil && f.by.reads(a) == yes {
			return unread(a, s.Annotations)
		}
	}
	return ""
}

// toPods takes a way that has come to a service on to its pods: those of its own,
// or of the service that its name stands for.
func (j *judge) toPods(f frontend, w way, s *corev1.Service, ports []corev1.ServicePort) {
	if s.Spec.Type != corev1.ServiceTypeExternalName {
		j.deliver(w, serviceRef(s), j.pods.targets(s, ports), f.senders)
		return
	}
	next, doubt := j.named(s)
	if doubt == "" {
		doubt = f.byName.doubt
	}
	there := portsThere(next, ports)
	h := j.hop(Hop{From: serviceRef(s), To: serviceRef(next), Ports: portsOfService(there), Width: widthOf(w.clients),
		Ranges: listed(w.clients), Source: f.senders[0].source, Via: "the name " + s.Spec.ExternalName,
		Evidence: []ref.Ref{serviceRef(s), serviceRef(next)}, Uncertain: doubt})
	j.toPods(f, way{append(slices.Clone(w.hops), h), w.clients}, next, there)
}

// leads says whether a service, or what its name stands for, has pods on such ports.
func (j *judge) leads(f frontend, s *corev1.Service, ports []corev1.ServicePort, passed []*corev1.Service) bool {
	if s.Spec.Type != corev1.ServiceTypeExternalName {
		return len(j.pods.targets(s, ports)) > 0
	}
	next, _ := j.named(s)
	return next != nil && !f.byName.none && !slices.Contains(passed, s) && j.leads(f, next, portsThere(next, ports), append(passed, s))
}

// aliases is what a frontend does with Services of type ExternalName: it follows
// none, or perhaps, if there is a doubt.
type aliases struct {
	none  bool
	doubt string
}

// named is the Service of the cluster whose DNS name a Service of type ExternalName
// has, in any namespace: "api.shop.svc.cluster.local". A cluster may have another
// domain, and a resolver may complete shorter names: that is doubtful.
func (j *judge) named(s *corev1.Service) (next *corev1.Service, doubt string) {
	labels := strings.Split(strings.TrimSuffix(strings.ToLower(s.Spec.ExternalName), "."), ".")
	at := slices.Index(labels, "svc")
	switch {
	case at < 0 && len(labels) == 2:
		at, doubt = 2, "whether the name "+s.Spec.ExternalName+" is completed to one of the cluster is not known"
	case at < 2:
		return nil, ""
	case at > 2:
		doubt = "the name " + s.Spec.ExternalName + " may be of one pod only"
	case len(labels) > at+1 && strings.Join(labels[at+1:], ".") != "cluster.local":
		doubt = "whether " + strings.Join(labels[at+1:], ".") + " is the cluster's domain is not known"
	}
	return j.serviceAt(labels[at-1], labels[at-2]), doubt
}

// portsAsked are a service's ports of a number. One of type ExternalName needs to list none.
func portsAsked(s *corev1.Service, number int32) (out []corev1.ServicePort) {
	if s.Spec.Type == corev1.ServiceTypeExternalName && len(s.Spec.Ports) == 0 {
		return []corev1.ServicePort{{Port: number}}
	}
	for _, p := range s.Spec.Ports {
		if p.Port == number {
			out = append(out, p)
		}
	}
	return out
}

// portsThere are the ports at which somebody who asks for some ports of an alias
// arrives: those of the same number. A headless service's name is its pods'
// addresses, so the number is theirs.
func portsThere(s *corev1.Service, ports []corev1.ServicePort) (out []corev1.ServicePort) {
	for _, alias := range ports {
		number := alias.Port
		if alias.TargetPort.IntVal != 0 {
			number = alias.TargetPort.IntVal
		}
		if s.Spec.ClusterIP == corev1.ClusterIPNone {
			out = append(out, corev1.ServicePort{Protocol: alias.Protocol, Port: number})
			continue
		}
		out = append(out, portsAsked(s, number)...)
	}
	return out
}
