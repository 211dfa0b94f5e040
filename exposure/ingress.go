package exposure

import (
	"cmp"
	"fmt"
	"slices"

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
	id     string
	known  *controller
	object ref.Ref // the IngressClass, if one was seen
}

// ingresses judges ingresses through their controllers: one is exposed only if
// the controller of its class is.
func (j *judge) ingresses() {
	for _, o := range j.facts.Each("Ingress") {
		in := o.(*networkingv1.Ingress)
		for _, c := range j.classesOf(in) {
			if f, ok := j.frontendOf(in, c); ok {
				j.ingress(in, c, f)
			}
		}
	}
	for _, argument := range []string{"tcp-services-configmap", "udp-services-configmap"} {
		pods := j.podsWith(func(k collect.ContainerShape) bool { return k.HasArgument(argument) })
		if len(pods) > 0 {
			j.gap("services of "+argument,
				podNames(pods)+" passes ports on to services of any namespace as a ConfigMap says, whose content is not read",
				"Pods may be exposed through them and not be shown.")
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

// classesOf are those that may serve an Ingress: the one it names, or else each
// controller that serves what names none.
func (j *judge) classesOf(in *networkingv1.Ingress) (out []class) {
	if name, legacy := ClassName(j.facts, in); name != "" {
		return []class{j.classNamed(name, legacy)}
	}
	for i := range controllers {
		if c := (class{known: &controllers[i]}); len(j.controllerPods(c)) > 0 {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		out = []class{{}}
	}
	return out
}

// classNamed is a class by its name. The annotation of old means the argument of a
// controller, not an IngressClass, which tells only which controller that is.
func (j *judge) classNamed(name string, legacy bool) class {
	c := class{name: name, known: controllerByClass(name)}
	if o := j.facts.IngressClasses[collect.Key{Name: name}]; o != nil {
		c.object, c.known = collect.Key{Name: name}.Of("IngressClass"), controllerByID(o.Spec.Controller)
		if !legacy {
			c.id = o.Spec.Controller
		}
	}
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
	pods, doubt := j.watching(j.controllerPods(c), in.Namespace)
	if len(pods) == 0 {
		pods = j.podsAt(points)
	}
	if len(pods) > 0 {
		f, ok := j.proxies(pods, "which serve ingresses as "+c.text())
		f.uncertain = allOf(f.uncertain, doubt)
		return f, ok
	}
	switch {
	case len(open) > 0:
		return j.hiddenFrontend("the address "+texts(open)+" of "+ingressRef(in).String(),
			"the pods of "+c.text()+" were not found"), true
	case len(points) == 0 && (j.partial || c.name != "" && j.ofManifest(in.UID)):
		return j.hiddenFrontend(c.text(), "the manifests do not contain "+c.text()+", so whether the internet reaches it is not known"),
			true
	case len(points) == 0:
		j.gap("the controller of "+ingressRef(in).String(), c.lost(), "What this ingress leads to may be exposed and is not shown.")
	}
	return frontend{}, false
}

// lost says why nothing is known to serve an Ingress of the class.
func (c class) lost() string {
	switch {
	case c.name == "":
		return "it names no class, none is the default, and no controller was seen that serves such"
	case c.known == nil:
		return "class " + c.name + " is of no controller we know, and its pods were not found"
	}
	return "the pods of " + c.known.name + " that serve class " + c.name + " were not found"
}

// managed is the frontend of a load balancer that a cloud runs for the Ingress.
func (j *judge) managed(in *networkingv1.Ingress, c class, points, open []string) (frontend, bool) {
	says := func(annotation, value string) bool { return annotation != "" && in.Annotations[annotation] == value }
	led := says(c.known.unless, "true")
	switch {
	case c.known.private && !led, says(c.known.inside, "true"), says(c.known.scheme, "internal"):
		return frontend{}, false
	case led:
		open = points
	}
	if len(open) > 0 {
		return j.balancerFrontend(fmt.Sprintf("%s at %s", c.known.name, texts(open)), ""), true
	}
	if len(points) > 0 || in.UID != "" {
		return frontend{}, false
	}
	doubt := "a manifest does not say which address the load balancer will get"
	if c.known.scheme != "" && !says(c.known.scheme, "internet-facing") && j.schemeByDefault() == "internal" {
		if !j.parameterised(c) {
			return frontend{}, false
		}
		doubt = "the parameters of " + c.object.String() + " may say whether the load balancer faces the internet: they are not read"
	}
	return j.balancerFrontend(c.known.name, doubt), true
}

// parameterised says whether a class has parameters: an object of its controller's own kind.
func (j *judge) parameterised(c class) bool {
	o := j.facts.IngressClasses[collect.Key{Name: c.name}]
	return o != nil && o.Spec.Parameters != nil
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
	clients, doubt := j.lets(f, in.Annotations, c)
	if len(clients) == 0 {
		return
	}
	w := way{clients: clients}
	f.uncertain = allOf(f.uncertain, doubt)
	evidence := append(slices.Clone(f.evidence), e)
	if c.object != (ref.Ref{}) {
		evidence = append(evidence, c.object)
	}
	f.byName, f.by = j.aliases(c), c.known
	w.hops = []*Hop{j.hop(Hop{From: internet, To: e, Ports: webPorts(len(in.Spec.TLS) > 0), Width: widthOf(w.clients),
		Ranges: listed(w.clients),
		Source: FromInternet, Via: f.via, Evidence: evidence, Uncertain: f.uncertain})}
	for _, b := range backendsOf(in) {
		if s := j.serviceAt(in.Namespace, b.service); s != nil {
			j.forward(f, w, e, s, portsNamed(s, b.port), e.String()+" for "+texts(b.hosts))
		} else if in.UID == "" { // a manifest, and the rest may be in others
			j.unseenService(in.Namespace, b.service, e)
		}
	}
	if kinds := resourcesOf(in); len(kinds) > 0 {
		j.gap("backends of "+e.String(), "it leads to objects that are not interpreted: "+texts(kinds),
			"Pods may be exposed through them and not be shown.")
	}
}

// unseenService tells of a Service to which something of a manifest leads.
func (j *judge) unseenService(namespace, name string, from ref.Ref) {
	j.gap("Service "+namespace+"/"+name, from.String()+" leads to it, and it was not seen", "Its pods may be exposed and are not shown.")
}

// aliases says what becomes of a Service of type ExternalName that an Ingress of
// the class leads to.
func (j *judge) aliases(c class) aliases {
	told := func(by func(installation) string) (value string) {
		if c.known == nil {
			return ""
		}
		for _, p := range j.controllerPods(c) {
			for _, k := range p.Shape.Containers {
				for _, in := range c.known.pods {
					if in.is(k) {
						value = cmp.Or(value, in.value(k, by(in)))
					}
				}
			}
		}
		return value
	}
	switch {
	case told(func(in installation) string { return in.noNames }) == "true":
		return aliases{none: true}
	case told(func(in installation) string { return in.names }) == "true":
		return aliases{}
	case c.known == nil:
		return aliases{doubt: "whether " + c.text() + " follows Services of type ExternalName is not known"}
	case c.known.managed:
		return aliases{none: true} // its targets are nodes and pods
	case !c.known.byNames:
		return aliases{doubt: "whether " + c.known.name + " follows Services of type ExternalName depends on how it is configured"}
	}
	return aliases{}
}

// resourcesOf are the backends of an Ingress that are no services.
func resourcesOf(in *networkingv1.Ingress) (out []string) {
	add := func(b *networkingv1.IngressBackend) {
		if b == nil || b.Resource == nil {
			return
		}
		if text := b.Resource.Kind + " " + b.Resource.Name; !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	add(in.Spec.DefaultBackend)
	for _, r := range in.Spec.Rules {
		if r.HTTP != nil {
			for i := range r.HTTP.Paths {
				add(&r.HTTP.Paths[i].Backend)
			}
		}
	}
	return out
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
	type at struct {
		service string
		port    networkingv1.ServiceBackendPort
	}
	known, led := map[at]int{}, map[int]map[string]bool{}
	add := func(b *networkingv1.IngressServiceBackend, host string) {
		if b == nil {
			return
		}
		i, there := known[at{b.Name, b.Port}]
		if !there {
			i = len(out)
			out, known[at{b.Name, b.Port}], led[i] = append(out, backend{b.Name, b.Port, nil}), i, map[string]bool{}
		}
		if host = cmp.Or(host, "any host"); !led[i][host] {
			led[i][host] = true
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
	if port.Name == "" {
		return portsAsked(s, port.Number)
	}
	for _, p := range s.Spec.Ports {
		if p.Name == port.Name {
			out = append(out, p)
		}
	}
	return out
}
