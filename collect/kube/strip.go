package kube

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/redact"
)

// stripper turns decoded objects into what Facts keeps. What it does not copy
// is gone: specs we do not read, managed fields, statuses, annotations.
type stripper struct{ in *Interner }

// maxAnnotation bounds a value we keep. An API server takes no more for all
// annotations of an object, so it drops none: a list of clients that is left out
// would count as open to everyone.
const maxAnnotation = 256 << 10

// annotations keeps those that Breakwater reads.
func annotations(in map[string]string) map[string]string {
	var out map[string]string
	for k, v := range in {
		if len(v) > maxAnnotation || !keptAnnotation(k) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[str(k)] = redact.Text(v)
	}
	return out
}

func keptAnnotation(k string) bool {
	return strings.HasPrefix(k, collect.OwnPrefix) ||
		slices.ContainsFunc(collect.Annotations, func(a collect.Annotation) bool { return a.Key == k })
}

// stripMeta keeps who an object is and how it is labelled.
func stripMeta(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: str(m.Namespace), Name: m.Name, UID: m.UID,
		Labels: shortLabels(m.Labels), Annotations: annotations(m.Annotations),
	}
}

func shortLabels(in map[string]string) map[string]string {
	if len(in) == 0 {
		return nil
	}
	out := make(map[string]string, len(in))
	for k, v := range in {
		out[str(redact.Known(k))] = str(redact.Known(v))
	}
	return out
}

func stripNamespace(_ *stripper, o *corev1.Namespace) (any, bool) {
	return &corev1.Namespace{ObjectMeta: stripMeta(o.ObjectMeta)}, true
}

func stripService(_ *stripper, o *corev1.Service) (any, bool) {
	s := &corev1.Service{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	s.Status.LoadBalancer = o.Status.LoadBalancer
	return s, true
}

func stripServiceAccount(_ *stripper, o *corev1.ServiceAccount) (any, bool) {
	return &corev1.ServiceAccount{ObjectMeta: stripMeta(o.ObjectMeta), Secrets: o.Secrets,
		ImagePullSecrets: o.ImagePullSecrets, AutomountServiceAccountToken: o.AutomountServiceAccountToken}, true
}

func stripConfigMap(_ *stripper, o *corev1.ConfigMap) (any, bool) {
	return &collect.ConfigMap{Key: keyOf(o), Labels: shortLabels(o.Labels)}, true
}

func stripSecret(_ *stripper, o *corev1.Secret) (any, bool) {
	s := &collect.Secret{Key: keyOf(o), Type: str(string(o.Type))}
	if o.Type == corev1.SecretTypeServiceAccountToken {
		s.Account = str(o.Annotations[corev1.ServiceAccountNameKey])
	}
	return s, true
}

func stripEndpointSlice(_ *stripper, o *discoveryv1.EndpointSlice) (any, bool) {
	e := &collect.EndpointSlice{Key: keyOf(o), Service: str(o.Labels[discoveryv1.LabelServiceName])}
	for _, p := range o.Ports {
		e.Ports = append(e.Ports, collect.EndpointPort{Name: str(deref(p.Name)), Port: deref(p.Port),
			Protocol: str(string(deref(p.Protocol)))})
	}
	for _, a := range o.Endpoints {
		if t := a.TargetRef; t != nil && t.Kind == "Pod" {
			e.Pods = append(e.Pods, collect.Key{Namespace: str(t.Namespace), Name: t.Name})
		} else {
			e.Addresses = append(e.Addresses, a.Addresses...)
		}
	}
	return e, true
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func stripRole(_ *stripper, o *rbacv1.Role) (any, bool) {
	return &rbacv1.Role{ObjectMeta: stripMeta(o.ObjectMeta), Rules: o.Rules}, true
}

func stripClusterRole(_ *stripper, o *rbacv1.ClusterRole) (any, bool) {
	return &rbacv1.ClusterRole{ObjectMeta: stripMeta(o.ObjectMeta), Rules: o.Rules, AggregationRule: o.AggregationRule}, true
}

func stripRoleBinding(_ *stripper, o *rbacv1.RoleBinding) (any, bool) {
	return &rbacv1.RoleBinding{ObjectMeta: stripMeta(o.ObjectMeta), Subjects: o.Subjects, RoleRef: o.RoleRef}, true
}

func stripClusterRoleBinding(_ *stripper, o *rbacv1.ClusterRoleBinding) (any, bool) {
	return &rbacv1.ClusterRoleBinding{ObjectMeta: stripMeta(o.ObjectMeta), Subjects: o.Subjects, RoleRef: o.RoleRef}, true
}

func stripIngress(_ *stripper, o *networkingv1.Ingress) (any, bool) {
	return &networkingv1.Ingress{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec, Status: o.Status}, true
}

func stripIngressClass(_ *stripper, o *networkingv1.IngressClass) (any, bool) {
	return &networkingv1.IngressClass{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

func stripNetworkPolicy(_ *stripper, o *networkingv1.NetworkPolicy) (any, bool) {
	return &networkingv1.NetworkPolicy{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

// conditions keeps what is so and why, not since when or in which words.
func conditions(in []metav1.Condition) []metav1.Condition {
	var out []metav1.Condition
	for _, c := range in {
		out = append(out, metav1.Condition{Type: c.Type, Status: c.Status, Reason: c.Reason})
	}
	return out
}

func stripGateway(_ *stripper, o *gatewayv1.Gateway) (any, bool) {
	g := &gatewayv1.Gateway{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	g.Status.Addresses, g.Status.Conditions = o.Status.Addresses, conditions(o.Status.Conditions)
	return g, true
}

func stripGatewayClass(_ *stripper, o *gatewayv1.GatewayClass) (any, bool) {
	g := &gatewayv1.GatewayClass{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	g.Status.Conditions = conditions(o.Status.Conditions)
	return g, true
}

func routeStatus(in gatewayv1.RouteStatus) (out gatewayv1.RouteStatus) {
	for _, p := range in.Parents {
		p.Conditions = conditions(p.Conditions)
		out.Parents = append(out.Parents, p)
	}
	return out
}

func stripHTTPRoute(_ *stripper, o *gatewayv1.HTTPRoute) (any, bool) {
	r := &gatewayv1.HTTPRoute{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	r.Status.RouteStatus = routeStatus(o.Status.RouteStatus)
	for i := range r.Spec.Rules {
		r.Spec.Rules[i].Filters = mirrors(r.Spec.Rules[i].Filters)
		for j := range r.Spec.Rules[i].BackendRefs {
			r.Spec.Rules[i].BackendRefs[j].Filters = mirrors(r.Spec.Rules[i].BackendRefs[j].Filters)
		}
	}
	return r, true
}

// mirrors keeps the filters that send requests to one more backend. Others may
// hold header values, which may be credentials.
func mirrors(in []gatewayv1.HTTPRouteFilter) (out []gatewayv1.HTTPRouteFilter) {
	for _, f := range in {
		if f.RequestMirror != nil {
			out = append(out, gatewayv1.HTTPRouteFilter{Type: f.Type, RequestMirror: f.RequestMirror})
		}
	}
	return out
}

func stripGRPCRoute(_ *stripper, o *gatewayv1.GRPCRoute) (any, bool) {
	r := &gatewayv1.GRPCRoute{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	r.Status.RouteStatus = routeStatus(o.Status.RouteStatus)
	for i := range r.Spec.Rules {
		r.Spec.Rules[i].Filters = grpcMirrors(r.Spec.Rules[i].Filters)
		for j := range r.Spec.Rules[i].BackendRefs {
			r.Spec.Rules[i].BackendRefs[j].Filters = grpcMirrors(r.Spec.Rules[i].BackendRefs[j].Filters)
		}
	}
	return r, true
}

func grpcMirrors(in []gatewayv1.GRPCRouteFilter) (out []gatewayv1.GRPCRouteFilter) {
	for _, f := range in {
		if f.RequestMirror != nil {
			out = append(out, gatewayv1.GRPCRouteFilter{Type: f.Type, RequestMirror: f.RequestMirror})
		}
	}
	return out
}

func stripTLSRoute(_ *stripper, o *gatewayv1.TLSRoute) (any, bool) {
	r := &gatewayv1.TLSRoute{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	r.Status.RouteStatus = routeStatus(o.Status.RouteStatus)
	return r, true
}

func stripTCPRoute(_ *stripper, o *gatewayv1.TCPRoute) (any, bool) {
	r := &gatewayv1.TCPRoute{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	r.Status.RouteStatus = routeStatus(o.Status.RouteStatus)
	return r, true
}

func stripUDPRoute(_ *stripper, o *gatewayv1.UDPRoute) (any, bool) {
	r := &gatewayv1.UDPRoute{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}
	r.Status.RouteStatus = routeStatus(o.Status.RouteStatus)
	return r, true
}

func stripReferenceGrant(_ *stripper, o *gatewayv1beta1.ReferenceGrant) (any, bool) {
	return &gatewayv1beta1.ReferenceGrant{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

// stripCustom keeps the whole spec of a kind that collect spells: it holds what is judged and no more.
func stripCustom[S any](_ *stripper, o *collect.Custom[S]) (any, bool) {
	return &collect.Custom[S]{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

func stripCilium(_ *stripper, o *collect.CiliumNetworkPolicy) (any, bool) {
	return &collect.CiliumNetworkPolicy{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec, Specs: o.Specs}, true
}

func stripOpenShiftRoute(_ *stripper, o *collect.Route) (any, bool) {
	return &collect.Route{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec, Status: o.Status}, true
}

// stripAuthorization keeps that there is one, and where.
func stripAuthorization(_ *stripper, o *collect.AuthorizationPolicy) (any, bool) {
	return &collect.AuthorizationPolicy{ObjectMeta: stripMeta(o.ObjectMeta)}, true
}

func stripConstraints(_ *stripper, o *collect.SecurityContextConstraints) (any, bool) {
	c := *o
	c.TypeMeta, c.ObjectMeta = metav1.TypeMeta{}, stripMeta(o.ObjectMeta)
	return &c, true
}

func stripPodDisruptionBudget(_ *stripper, o *policyv1.PodDisruptionBudget) (any, bool) {
	return &policyv1.PodDisruptionBudget{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

func stripValidatingWebhook(_ *stripper, o *admissionv1.ValidatingWebhookConfiguration) (any, bool) {
	w := &admissionv1.ValidatingWebhookConfiguration{ObjectMeta: stripMeta(o.ObjectMeta), Webhooks: o.Webhooks}
	for i := range w.Webhooks {
		w.Webhooks[i].ClientConfig.CABundle = nil
	}
	return w, true
}

func stripMutatingWebhook(_ *stripper, o *admissionv1.MutatingWebhookConfiguration) (any, bool) {
	w := &admissionv1.MutatingWebhookConfiguration{ObjectMeta: stripMeta(o.ObjectMeta), Webhooks: o.Webhooks}
	for i := range w.Webhooks {
		w.Webhooks[i].ClientConfig.CABundle = nil
	}
	return w, true
}

func stripValidatingPolicy(_ *stripper, o *admissionv1.ValidatingAdmissionPolicy) (any, bool) {
	return &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}

func stripValidatingPolicyBinding(_ *stripper, o *admissionv1.ValidatingAdmissionPolicyBinding) (any, bool) {
	return &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: stripMeta(o.ObjectMeta), Spec: o.Spec}, true
}
