// Package given makes Facts of short YAML documents, for the tests of the
// judges. It reads just what those tests write.
package given

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/yaml"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/breakwater-sec/breakwater/collect"
)

// Facts reads documents separated by "---". The namespace is "default" unless
// set; pods run on the node they name.
func Facts(t testing.TB, documents ...string) *collect.Facts {
	t.Helper()
	r := reader{t: t, facts: collect.NewFacts(), labels: map[string]*collect.Labels{}, shapes: map[string]*collect.PodShape{}}
	for _, d := range documents {
		for one := range bytes.SplitSeq([]byte("\n"+d), []byte("\n---")) {
			if len(bytes.TrimSpace(one)) > 0 {
				r.read(one)
			}
		}
	}
	return r.facts
}

// Manifests reads documents as other people wrote them: fields and kinds it
// does not know are skipped, and a workload is one pod of its name. It tells the
// workload of each pod as "Kind/name".
func Manifests(t testing.TB, documents ...[]byte) (*collect.Facts, map[collect.Key]string) {
	t.Helper()
	r := reader{t: t, facts: collect.NewFacts(), labels: map[string]*collect.Labels{}, shapes: map[string]*collect.PodShape{}, loose: true, owners: map[collect.Key]string{}}
	for _, d := range documents {
		for one := range bytes.SplitSeq(append([]byte("\n"), d...), []byte("\n---")) {
			r.manifest(one)
		}
	}
	return r.facts, r.owners
}

func (r reader) manifest(text []byte) {
	r.t.Helper()
	var o struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Items             []runtime.RawExtension `json:"items"`
		Spec              struct {
			Template    corev1.PodTemplateSpec `json:"template"`
			JobTemplate struct {
				Spec struct {
					Template corev1.PodTemplateSpec `json:"template"`
				} `json:"spec"`
			} `json:"jobTemplate"`
		} `json:"spec"`
	}
	if yaml.Unmarshal(text, &o) != nil {
		r.whole(text)
		return
	}
	for _, item := range o.Items {
		r.manifest(item.Raw)
	}
	switch o.Kind {
	case "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController":
		r.made(o.Kind, o.ObjectMeta, o.Spec.Template)
	case "CronJob":
		r.made(o.Kind, o.ObjectMeta, o.Spec.JobTemplate.Spec.Template)
	case "Pod":
		key := collect.Key{Namespace: cmp.Or(o.Namespace, "default"), Name: o.Name}
		r.owners[key] = "Pod/" + o.Name // a node owns its static pods; they are nobody's
		if len(o.OwnerReferences) > 0 && o.OwnerReferences[0].Kind != "Node" {
			r.owners[key] = o.OwnerReferences[0].Kind + "/" + o.OwnerReferences[0].Name
		}
		r.read(text)
	default:
		r.whole(text)
	}
}

// whole reads a document of a kind that judges read, if it is one.
func (r reader) whole(text []byte) {
	var head metav1.TypeMeta
	if yaml.Unmarshal(text, &head) == nil && slices.Contains(upstreamKinds, head.Kind) {
		r.read(text)
	}
}

var upstreamKinds = []string{"Namespace", "Service", "NetworkPolicy", "Ingress", "IngressClass", "Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute",
	"ReferenceGrant", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"}

func (r reader) made(kind string, meta metav1.ObjectMeta, t corev1.PodTemplateSpec) {
	t.Namespace, t.Name = cmp.Or(meta.Namespace, "default"), meta.Name+"-"+kind
	r.owners[collect.Key{Namespace: t.Namespace, Name: t.Name}] = kind + "/" + meta.Name
	r.pod(&corev1.Pod{ObjectMeta: t.ObjectMeta, Spec: t.Spec})
}

type reader struct {
	t      testing.TB
	loose  bool
	owners map[collect.Key]string
	facts  *collect.Facts
	labels map[string]*collect.Labels
	shapes map[string]*collect.PodShape
}

func (r reader) read(text []byte) {
	r.t.Helper()
	var head metav1.TypeMeta
	if err := yaml.Unmarshal(text, &head); err != nil {
		r.t.Fatalf("given %s: %v", text, err)
	}
	switch head.Kind {
	case "Pod":
		r.pod(into[corev1.Pod](r, text))
	case "DaemonSet":
		o := into[corev1.PodTemplate](r, text) // template at the top, not in spec
		k := collect.Key{Namespace: cmp.Or(o.Namespace, "default"), Name: o.Name}
		wk := collect.WorkloadKey{Kind: "DaemonSet", Key: k}
		r.facts.Workloads[wk] = &collect.Workload{WorkloadKey: wk, Shape: r.shape(o.Template.Spec)}
	case "Node":
		o := into[corev1.Node](r, text)
		n := &collect.Node{Name: o.Name, KubeletVersion: o.Status.NodeInfo.KubeletVersion}
		for _, a := range o.Status.Addresses {
			if a.Type == corev1.NodeExternalIP {
				n.ExternalIPs = append(n.ExternalIPs, a.Address)
			} else {
				n.InternalIPs = append(n.InternalIPs, a.Address)
			}
		}
		r.facts.Nodes[collect.Key{Name: o.Name}] = n
	case "EndpointSlice":
		r.slice(into[discoveryv1.EndpointSlice](r, text))
	default:
		r.upstream(head.Kind, text)
	}
}

func (r reader) upstream(kind string, text []byte) {
	f := r.facts
	switch kind {
	case "Namespace":
		put(r, f.Namespaces, into[corev1.Namespace](r, text), "")
	case "Service":
		put(r, f.Services, into[corev1.Service](r, text), "default")
	case "NetworkPolicy":
		put(r, f.NetworkPolicies, into[networkingv1.NetworkPolicy](r, text), "default")
	case "Ingress":
		put(r, f.Ingresses, into[networkingv1.Ingress](r, text), "default")
	case "IngressClass":
		put(r, f.IngressClasses, into[networkingv1.IngressClass](r, text), "")
	case "Gateway":
		put(r, f.Gateways, into[gatewayv1.Gateway](r, text), "default")
	case "GatewayClass":
		put(r, f.GatewayClasses, into[gatewayv1.GatewayClass](r, text), "")
	case "HTTPRoute":
		put(r, f.HTTPRoutes, into[gatewayv1.HTTPRoute](r, text), "default")
	case "GRPCRoute":
		put(r, f.GRPCRoutes, into[gatewayv1.GRPCRoute](r, text), "default")
	case "ReferenceGrant":
		put(r, f.ReferenceGrants, into[gatewayv1beta1.ReferenceGrant](r, text), "default")
	case "AdminNetworkPolicy":
		put(r, f.AdminNetworkPolicies, into[collect.AdminNetworkPolicy](r, text), "")
	case "BaselineAdminNetworkPolicy":
		put(r, f.BaselineAdminNetworkPolicies, into[collect.BaselineAdminNetworkPolicy](r, text), "")
	default:
		r.t.Fatalf("given: kind %q is not one that judges' tests write", kind)
	}
}

func into[T any](r reader, text []byte) *T {
	r.t.Helper()
	o := new(T)
	read := yaml.UnmarshalStrict
	if r.loose {
		read = yaml.Unmarshal
	}
	if err := read(text, o); err != nil {
		r.t.Fatalf("given %s: %v", text, err)
	}
	return o
}

func put[T metav1.Object](_ reader, all map[collect.Key]T, o T, namespace string) {
	o.SetNamespace(cmp.Or(o.GetNamespace(), namespace))
	all[collect.Key{Namespace: o.GetNamespace(), Name: o.GetName()}] = o
}

func (r reader) pod(o *corev1.Pod) {
	p := &collect.Pod{Key: collect.Key{Namespace: cmp.Or(o.Namespace, "default"), Name: o.Name}, Node: o.Spec.NodeName,
		HostIP: o.Status.HostIP, Phase: string(o.Status.Phase), Shape: r.shape(o.Spec)}
	for _, ip := range o.Status.PodIPs {
		p.IPs = append(p.IPs, ip.IP)
	}
	text := fmt.Sprint(o.Labels)
	if r.labels[text] == nil {
		r.labels[text] = &collect.Labels{Map: o.Labels}
	}
	p.Labels = r.labels[text]
	r.facts.Pods[p.Key] = p
}

// shape keeps what network judges read, shared by content as in real facts.
func (r reader) shape(spec corev1.PodSpec) *collect.PodShape {
	s := &collect.PodShape{ServiceAccount: cmp.Or(spec.ServiceAccountName, "default"), HostNetwork: spec.HostNetwork}
	for _, c := range spec.Containers {
		shape := collect.ContainerShape{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args}
		for _, p := range c.Ports {
			shape.Ports = append(shape.Ports, collect.ContainerPort{Name: p.Name, Port: p.ContainerPort, HostPort: p.HostPort, HostIP: p.HostIP, Protocol: string(p.Protocol)})
		}
		s.Containers = append(s.Containers, shape)
	}
	text := fmt.Sprintf("%+v", *s)
	if r.shapes[text] == nil {
		r.shapes[text] = s
	}
	return r.shapes[text]
}

func (r reader) slice(o *discoveryv1.EndpointSlice) {
	s := &collect.EndpointSlice{Key: collect.Key{Namespace: cmp.Or(o.Namespace, "default"), Name: o.Name}, Service: o.Labels[discoveryv1.LabelServiceName]}
	for _, p := range o.Ports {
		port := collect.EndpointPort{Port: *p.Port}
		if p.Name != nil {
			port.Name = *p.Name
		}
		s.Ports = append(s.Ports, port)
	}
	for _, e := range o.Endpoints {
		if e.TargetRef != nil {
			s.Pods = append(s.Pods, collect.Key{Namespace: cmp.Or(e.TargetRef.Namespace, s.Namespace), Name: e.TargetRef.Name})
		} else {
			s.Addresses = append(s.Addresses, e.Addresses...)
		}
	}
	r.facts.EndpointSlices[s.Key] = s
}
