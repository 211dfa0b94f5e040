package harborshop

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// endpoints are the pods behind a service.
func (c *controllers) endpoints(s corev1.Service) *discoveryv1.EndpointSlice {
	yes := true
	owner := ownerOf(s.TypeMeta, s.ObjectMeta)
	out := &discoveryv1.EndpointSlice{
		TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		AddressType: discoveryv1.AddressTypeIPv4,
		ObjectMeta: metav1.ObjectMeta{Name: s.Name + "-" + letters(5, s.Namespace, s.Name), Namespace: s.Namespace,
			Labels:          map[string]string{discoveryv1.LabelServiceName: s.Name, discoveryv1.LabelManagedBy: "endpointslice-controller.k8s.io"},
			OwnerReferences: []metav1.OwnerReference{owner}},
	}
	for _, p := range c.pods {
		if p.Namespace != s.Namespace || !selects(s.Spec.Selector, p.Labels) {
			continue
		}
		out.Endpoints = append(out.Endpoints, discoveryv1.Endpoint{Addresses: []string{p.Status.PodIP}, NodeName: &p.Spec.NodeName,
			Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID}})
		if len(out.Ports) == 0 {
			out.Ports = portsOf(s, p)
		}
	}
	return out
}

func selects(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

// portsOf are the service's ports as the pod opens them.
func portsOf(s corev1.Service, p *corev1.Pod) (out []discoveryv1.EndpointPort) {
	for _, port := range s.Spec.Ports {
		number := port.TargetPort.IntVal
		for _, k := range p.Spec.Containers {
			i := slices.IndexFunc(k.Ports, func(o corev1.ContainerPort) bool { return o.Name != "" && o.Name == port.TargetPort.StrVal })
			if i >= 0 {
				number = k.Ports[i].ContainerPort
			}
		}
		tcp := corev1.ProtocolTCP
		out = append(out, discoveryv1.EndpointPort{Name: &port.Name, Port: &number, Protocol: &tcp})
	}
	return out
}
