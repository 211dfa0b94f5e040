package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// class is who should serve an Ingress.
type class struct {
	name string
	// id is the IngressClass's controller, "" if no such object was seen.
	id    string
	known *controller
	// legacy classes are named by the annotation of old.
	legacy bool
	object ref.Ref // the IngressClass, if one was seen
}

// ingresses judges ingresses through their controllers: one is exposed only if
// the controller of its class is.
func (j *judge) ingresses() {
	for _, o := range j.facts.Each("Ingress") {
		in := o.(*networkingv1.Ingress)
		c := j.classOf(in)
		if f, ok := j.frontendOf(in, c); ok {
			j.ingress(in, c, f)
		}
	}
}

// ClassName is the class in effect: the field, the old annotation, or the default;
// empty if there is none. legacy says that the annotation names it.
func ClassName(f *collect.Facts, in *networkingv1.Ingress) (name string, legacy bool) {
	if n := in.Spec.IngressClassName; n != nil {
		return *n, false
	}
	if n := in.Annotations[collect.IngressClass]; n != "" {
		return n, true
	}
	for k, o := range f.Each("IngressClass") {
		if o.(*networkingv1.IngressClass).Annotations[collect.DefaultClass] == "true" {
			return k.Name, false
		}
	}
	return "", false
}

func (j *judge) classOf(in *networkingv1.Ingress) class {
	if name, legacy := ClassName(j.facts, in); name != "" {
		c := j.classNamed(name)
		c.legacy = legacy
		return c
	}
	for i := range controllers {
		c := class{known: &controllers[i]}
		if controllers[i].classless && len(j.controllerPods(c)) > 0 {
			return c
		}
	}
	return class{}
}

func (j *judge) classNamed(name string) class {
	c := class{name: name}
	if o := j.facts.IngressClasses[collect.Key{Name: name}]; o != nil {
		c.id, c.object = o.Spec.Controller, collect.Key{Name: name}.Of("IngressClass")
		c.known = controllerByID(c.id)
		return c
	}
	c.known = controllerByClass(name)
	return c
}

func (c class) text() string {
	switch {
	case c.known != nil:
		return c.known.name
	case c.name != "":
		return "the controller of class " + c.name
	}
	return "an ingress controller"
}

// frontendOf finds what serves an Ingress and whether the internet reaches that.
func (j *judge) frontendOf(in *networkingv1.Ingress, c class) (frontend, bool) {
	points := ingressAddresses(in)
	open := publicAmong(points)
	if c.known != nil && c.known.managed {
		return j.managed(in, c, points, open)
	}
	pods := j.controllerPods(c)
	if len(pods) == 0 {
		pods = j.podsAt(points)
	}
	if len(pods) > 0 {
		return j.proxies(pods, "which serve ingresses as "+c.text())
	}
	switch {
	case len(open) > 0:
		return j.hiddenFrontend("the address "+strings.Join(open, ", ")+" of "+ingressRef(in).String(),
			"the pods of "+c.text()+" were not found"), true
	case j.partial && len(points) == 0:
		return j.hiddenFrontend(c.text(), "the manifests do not contain "+c.text()+", so whether the internet reaches it is not known"),
			true
	case len(points) == 0 && c.name != "" && c.known == nil:
		j.gap("the controller of "+ingressRef(in).String(), "class "+c.name+" is of no controller we know, and its pods were not found",
			"What this ingress leads to may be exposed and is not shown.")
	}
	return frontend{}, false
}

// managed is the frontend of a load balancer that a cloud runs for the Ingress.
func (j *judge) managed(in *networkingv1.Ingress, c class, points, open []string) (frontend, bool) {
	scheme := in.Annotations[c.known.scheme]
	if c.known.private || c.known.scheme != "" && scheme == "internal" {
		return frontend{}, false
	}
	if len(open) > 0 {
		return j.balancerFrontend(fmt.Sprintf("%s at %s", c.known.name, strings.Join(open, ", ")), ""), true
	}
	if len(points) > 0 || in.UID != "" || c.known.scheme != "" && scheme != "internet-facing" {
		return frontend{}, false
	}
	return j.balancerFrontend(c.known.name, "a manifest does not say which address the load balancer will get"), true
}

func ingressRef(in *networkingv1.Ingress) ref.Ref {
	return ref.Ref{Namespace: in.Namespace, Kind: "Ingress", Name: in.Name}
}

func ingressAddresses(in *networkingv1.Ingress) (out []string) {
	for _, i := range in.Status.LoadBalancer.Ingress {
		if a := cmp.Or(i.IP, i.Hostname); a != "" {
			out = append(out, a)
		}
	}
	return out
}

// ingress follows an Ingress that is reached to the pods of its backends.
func (j *judge) ingress(in *networkingv1.Ingress, c class, f frontend) {
	e := ingressRef(in)
	w := way{clients: f.clients}
	for _, a := range collect.Said(collect.AllowList, in.Annotations) {
		if r, ok := parseRanges(strings.Split(in.Annotations[a.Key], ",")); ok {
			w.clients = w.clients.And(r)
		}
	}
	if len(w.clients) == 0 {
		return
	}
	evidence := append(slices.Clone(f.evidence), e)
	if c.object != (ref.Ref{}) {
		evidence = append(evidence, c.object)
	}
	w.hops = []*Hop{j.hop(Hop{From: internet, To: e, Ports: webPorts(len(in.Spec.TLS) > 0), Width: widthOf(w.clients),
		Ranges: listed(w.clients),
		Source: FromInternet, Via: f.via, Evidence: evidence, Uncertain: f.uncertain})}
	for _, b := range backendsOf(in) {
		s := j.serviceAt(in.Namespace, b.service)
		if s == nil {
			continue
		}
		j.forward(f, w, e, s, portsNamed(s, b.port), e.String()+" for "+strings.Join(b.hosts, ", "))
	}
}

func webPorts(tls bool) []netpol.Port {
	out := []netpol.Port{{Protocol: "TCP", Number: 80}}
	if tls {
		out = append(out, netpol.Port{Protocol: "TCP", Number: 443})
	}
	return out
}

// backend is a service port that an Ingress leads to, with the hosts that do.
type backend struct {
	service string
	port    networkingv1.ServiceBackendPort
	hosts   []string
}

func backendsOf(in *networkingv1.Ingress) (out []backend) {
	add := func(b *networkingv1.IngressServiceBackend, host string) {
		if b == nil {
			return
		}
		i := slices.IndexFunc(out, func(x backend) bool { return x.service == b.Name && x.port == b.Port })
		if i < 0 {
			out, i = append(out, backend{b.Name, b.Port, nil}), len(out)
		}
		if host = cmp.Or(host, "any host"); !slices.Contains(out[i].hosts, host) {
			out[i].hosts = append(out[i].hosts, host)
		}
	}
	if in.Spec.DefaultBackend != nil {
		add(in.Spec.DefaultBackend.Service, "")
	}
	for _, r := range in.Spec.Rules {
		if r.HTTP == nil {
			continue
		}
		for _, p := range r.HTTP.Paths {
			add(p.Backend.Service, r.Host)
		}
	}
	return out
}

// portsNamed are the service's ports that a backend means, by name or number.
func portsNamed(s *corev1.Service, port networkingv1.ServiceBackendPort) (out []corev1.ServicePort) {
	for _, p := range s.Spec.Ports {
		if port.Name != "" && p.Name == port.Name || port.Name == "" && p.Port == port.Number {
			out = append(out, p)
		}
	}
	return out
}
