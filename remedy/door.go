package remedy

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// exposure closes a way in: at the object through which the cluster is entered, or at
// the pods themselves.
func (m *Maker) exposure(p *analyse.Path, f analyse.Fix) ([]analyse.Change, error) {
	kind, id := ref.ParseKindID(f.Concerns[0])
	r, _, _ := ref.Parse(id)
	switch kind {
	case "Service":
		return m.closeService(collect.KeyOf(r))
	case "Ingress":
		return m.closeIngress(p, collect.KeyOf(r))
	case "NetClass":
		return m.apart(p, f)
	case "Pod":
		pod := m.facts.Pods[collect.KeyOf(r)]
		if pod == nil || pod.Shape == nil {
			return nil, errGone
		}
		if f.Title == analyse.OffHostNetwork {
			e := edit{m: m}
			if err := e.template(pod, "", &analyse.Code{Pod: map[string]any{"hostNetwork": false}}); err != nil {
				return nil, err
			}
			e.templates[0].withoutHostPorts()
			return e.changes()
		}
		w := wall{m: m, pod: pod, of: m.owner(pod), outside: true}
		for _, id := range p.Carriers {
			if r, _, ok := ref.Parse(id); ok {
				w.apart = append(w.apart, r.In(""))
			}
		}
		return w.policy()
	}
	return nil, errors.New("what leads in here is not an object of the cluster, or not one that is changed by hand")
}

// closeService keeps a service for the cluster alone.
func (m *Maker) closeService(k collect.Key) ([]analyse.Change, error) {
	s := m.facts.Services[k]
	if s == nil {
		return nil, errors.New("the service is no longer there")
	}
	spec := map[string]any{}
	if s.Spec.Type == corev1.ServiceTypeLoadBalancer || s.Spec.Type == corev1.ServiceTypeNodePort {
		spec["type"] = corev1.ServiceTypeClusterIP
	}
	if len(s.Spec.LoadBalancerSourceRanges) > 0 {
		spec["loadBalancerSourceRanges"] = nil
	}
	if len(s.Spec.ExternalIPs) > 0 {
		spec["externalIPs"] = nil
	}
	if len(spec) == 0 {
		return nil, errors.New("the service itself is open to the cluster alone: what leads to it has to be changed")
	}
	return []analyse.Change{patch(k.Of("Service"), "merge", map[string]any{"spec": spec},
		[]string{"Nothing outside of the cluster reaches the service then; inside all stays as it is."})}, nil
}

// closeIngress takes out the rules that lead to the pods of the path, and the ingress
// itself if no other is left.
func (m *Maker) closeIngress(p *analyse.Path, k collect.Key) ([]analyse.Change, error) {
	in := m.facts.Ingresses[k]
	if in == nil {
		return nil, errors.New("the ingress is no longer there")
	}
	leads := func(b *networkingv1.IngressBackend) bool {
		return b != nil && b.Service != nil && m.serves(collect.Key{Namespace: k.Namespace, Name: b.Service.Name}, p)
	}
	left, found := []networkingv1.IngressRule{}, leads(in.Spec.DefaultBackend)
	for _, rule := range in.Spec.Rules {
		if rule.HTTP == nil {
			left = append(left, rule)
			continue
		}
		http := *rule.HTTP
		http.Paths = slices.DeleteFunc(slices.Clone(http.Paths), func(p networkingv1.HTTPIngressPath) bool { return leads(&p.Backend) })
		found = found || len(http.Paths) < len(rule.HTTP.Paths)
		if rule.HTTP = &http; len(http.Paths) > 0 {
			left = append(left, rule)
		}
	}
	spec := map[string]any{"rules": left}
	if leads(in.Spec.DefaultBackend) {
		spec["defaultBackend"] = nil
	}
	switch {
	case !found:
		return nil, fmt.Errorf("no rule of ingress %s leads straight to the pods", k)
	case len(left) == 0 && (in.Spec.DefaultBackend == nil || leads(in.Spec.DefaultBackend)):
		return []analyse.Change{deletion(k.Of("Ingress"))}, nil
	}
	return []analyse.Change{patch(k.Of("Ingress"), "merge", map[string]any{"spec": spec}, nil)}, nil
}

// serves says that a service leads to pods of the path's foothold.
func (m *Maker) serves(service collect.Key, p *analyse.Path) bool {
	s := m.facts.Services[service]
	if s == nil || len(s.Spec.Selector) == 0 {
		return false
	}
	for _, pod := range m.podsIn(service.Namespace) {
		if m.owner(pod).In(p.Cluster).ID() == p.Cluster+"/"+p.Foothold.Namespace+"/"+p.Foothold.Workload &&
			labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels.Map)) {
			return true
		}
	}
	return false
}
