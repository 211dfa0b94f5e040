package collect

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
)

// tables is every map of Facts that holds objects, in the order of Kinds.
var tables = []table{
	one("Namespace", func(f *Facts) *map[Key]*corev1.Namespace { return &f.Namespaces }),
	one("Node", func(f *Facts) *map[Key]*Node { return &f.Nodes }),
	one("Pod", func(f *Facts) *map[Key]*Pod { return &f.Pods }),
	workloads,
	one("Service", func(f *Facts) *map[Key]*corev1.Service { return &f.Services }),
	one("EndpointSlice", func(f *Facts) *map[Key]*EndpointSlice { return &f.EndpointSlices }),
	one("ServiceAccount", func(f *Facts) *map[Key]*corev1.ServiceAccount { return &f.ServiceAccounts }),
	one("ConfigMap", func(f *Facts) *map[Key]*ConfigMap { return &f.ConfigMaps }),
	one("Secret", func(f *Facts) *map[Key]*Secret { return &f.Secrets }),
	one("PersistentVolume", func(f *Facts) *map[Key]*PersistentVolume { return &f.PersistentVolumes }),
	one("PersistentVolumeClaim", func(f *Facts) *map[Key]*PersistentVolumeClaim { return &f.PersistentVolumeClaims }),
	one("RuntimeClass", func(f *Facts) *map[Key]*nodev1.RuntimeClass { return &f.RuntimeClasses }),
	one("Role", func(f *Facts) *map[Key]*rbacv1.Role { return &f.Roles }),
	one("ClusterRole", func(f *Facts) *map[Key]*rbacv1.ClusterRole { return &f.ClusterRoles }),
	one("RoleBinding", func(f *Facts) *map[Key]*rbacv1.RoleBinding { return &f.RoleBindings }),
	one("ClusterRoleBinding", func(f *Facts) *map[Key]*rbacv1.ClusterRoleBinding { return &f.ClusterRoleBindings }),
	one("Ingress", func(f *Facts) *map[Key]*networkingv1.Ingress { return &f.Ingresses }),
	one("IngressClass", func(f *Facts) *map[Key]*networkingv1.IngressClass { return &f.IngressClasses }),
	one("NetworkPolicy", func(f *Facts) *map[Key]*networkingv1.NetworkPolicy { return &f.NetworkPolicies }),
	one("Gateway", func(f *Facts) *map[Key]*gatewayv1.Gateway { return &f.Gateways }),
	one("GatewayClass", func(f *Facts) *map[Key]*gatewayv1.GatewayClass { return &f.GatewayClasses }),
	one("HTTPRoute", func(f *Facts) *map[Key]*gatewayv1.HTTPRoute { return &f.HTTPRoutes }),
	one("GRPCRoute", func(f *Facts) *map[Key]*gatewayv1.GRPCRoute { return &f.GRPCRoutes }),
	one("TLSRoute", func(f *Facts) *map[Key]*gatewayv1.TLSRoute { return &f.TLSRoutes }),
	one("TCPRoute", func(f *Facts) *map[Key]*gatewayv1.TCPRoute { return &f.TCPRoutes }),
	one("UDPRoute", func(f *Facts) *map[Key]*gatewayv1.UDPRoute { return &f.UDPRoutes }),
	one("ReferenceGrant", func(f *Facts) *map[Key]*gatewayv1beta1.ReferenceGrant { return &f.ReferenceGrants }),
	one("AdminNetworkPolicy", func(f *Facts) *map[Key]*AdminNetworkPolicy { return &f.AdminNetworkPolicies }),
	one("BaselineAdminNetworkPolicy", func(f *Facts) *map[Key]*BaselineAdminNetworkPolicy { return &f.BaselineAdminNetworkPolicies }),
	one("ClusterNetworkPolicy", func(f *Facts) *map[Key]*ClusterNetworkPolicy { return &f.ClusterNetworkPolicies }),
	one("CiliumNetworkPolicy", func(f *Facts) *map[Key]*CiliumNetworkPolicy { return &f.CiliumNetworkPolicies }),
	one("CiliumClusterwideNetworkPolicy", func(f *Facts) *map[Key]*CiliumNetworkPolicy { return &f.CiliumClusterwidePolicies }),
	one("CalicoNetworkPolicy", func(f *Facts) *map[Key]*CalicoNetworkPolicy { return &f.CalicoNetworkPolicies }),
	one("CalicoGlobalNetworkPolicy", func(f *Facts) *map[Key]*CalicoNetworkPolicy { return &f.CalicoGlobalNetworkPolicies }),
	one("CalicoTier", func(f *Facts) *map[Key]*CalicoTier { return &f.CalicoTiers }),
	one("CalicoNetworkSet", func(f *Facts) *map[Key]*CalicoNetworkSet { return &f.CalicoNetworkSets }),
	one("CalicoGlobalNetworkSet", func(f *Facts) *map[Key]*CalicoNetworkSet { return &f.CalicoGlobalNetworkSets }),
	one("Route", func(f *Facts) *map[Key]*Route { return &f.Routes }),
	one("IstioGateway", func(f *Facts) *map[Key]*IstioGateway { return &f.IstioGateways }),
	one("VirtualService", func(f *Facts) *map[Key]*VirtualService { return &f.VirtualServices }),
	one("AuthorizationPolicy", func(f *Facts) *map[Key]*AuthorizationPolicy { return &f.AuthorizationPolicies }),
	one("PodDisruptionBudget", func(f *Facts) *map[Key]*policyv1.PodDisruptionBudget { return &f.PodDisruptionBudgets }),
	one("SecurityContextConstraints", func(f *Facts) *map[Key]*SecurityContextConstraints { return &f.SecurityContextConstraints }),
	one("ValidatingWebhookConfiguration",
		func(f *Facts) *map[Key]*admissionv1.ValidatingWebhookConfiguration { return &f.ValidatingWebhooks }),
	one("MutatingWebhookConfiguration", func(f *Facts) *map[Key]*admissionv1.MutatingWebhookConfiguration { return &f.MutatingWebhooks }),
	one("ValidatingAdmissionPolicy", func(f *Facts) *map[Key]*admissionv1.ValidatingAdmissionPolicy { return &f.ValidatingPolicies }),
	one("ValidatingAdmissionPolicyBinding", func(f *Facts) *map[Key]*admissionv1.ValidatingAdmissionPolicyBinding {
		return &f.ValidatingPolicyBindings
	}),
}

// workloads share a map, whose keys name the kind.
var workloads = holder[WorkloadKey, *Workload]{
	holds: []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController"},
	field: func(f *Facts) *map[WorkloadKey]*Workload { return &f.Workloads },
	join:  func(kind string, k Key) WorkloadKey { return WorkloadKey{kind, k} },
	split: func(k WorkloadKey) (string, Key) { return k.Kind, k.Key },
}

// one is the table of a single kind.
func one[T any](kind string, field func(*Facts) *map[Key]T) table {
	return holder[Key, T]{
		holds: []string{kind},
		field: field,
		join:  func(_ string, k Key) Key { return k },
		split: func(k Key) (string, Key) { return kind, k },
	}
}

// Kinds is every Kubernetes kind that Facts holds, in the order Each yields them.
var Kinds = func() (out []string) {
	for _, t := range tables {
		out = append(out, t.kinds()...)
	}
	return out
}()

var byKind = func() map[string]table {
	out := map[string]table{}
	for _, t := range tables {
		for _, kind := range t.kinds() {
			out[kind] = t
		}
	}
	return out
}()

func tableOf(kind string) table {
	t := byKind[kind]
	if t == nil {
		panic("collect: Facts does not hold the kind " + kind)
	}
	return t
}

// table is what Apply needs of a map of Facts.
type table interface {
	kinds() []string
	clear(*Facts)
	clone(*Facts)
	same(f, o *Facts) bool
	put(f *Facts, kind string, k Key, o any) bool
	gone(f *Facts, kind string, k Key) bool
	retain(f *Facts, kind string, keys map[Key]struct{}) bool
	each(f *Facts, kind string, yield func(Key, any) bool)
	get(f *Facts, kind string, k Key) any
	len(f *Facts, kind string) int
}

// holder is the table of one field of Facts. Its keys K are made of an object's
// kind and name, and tell them again.
type holder[K comparable, T any] struct {
	holds []string
	field func(*Facts) *map[K]T
	join  func(kind string, k Key) K
	split func(K) (kind string, k Key)
}

func (h holder[K, T]) kinds() []string { return h.holds }
func (h holder[K, T]) clear(f *Facts)  { *h.field(f) = map[K]T{} }
func (h holder[K, T]) clone(f *Facts)  { *h.field(f) = maps.Clone(*h.field(f)) }

// same says that both hold the very same objects.
func (h holder[K, T]) same(f, o *Facts) bool {
	return maps.EqualFunc(*h.field(f), *h.field(o), func(a, b T) bool { return any(a) == any(b) })
}

// put replaces even equal content: the newer object's interned parts are the
// ones the source still shares.
func (h holder[K, T]) put(f *Facts, kind string, k Key, o any) bool {
	all, key := *h.field(f), h.join(kind, k)
	old, known := all[key]
	all[key] = o.(T)
	return !known || !reflect.DeepEqual(old, o.(T))
}

func (h holder[K, T]) gone(f *Facts, kind string, k Key) bool {
	all, key := *h.field(f), h.join(kind, k)
	_, known := all[key]
	delete(all, key)
	return known
}

// retain removes the objects of a kind that are not among the keys.
func (h holder[K, T]) retain(f *Facts, kind string, keys map[Key]struct{}) bool {
	all := *h.field(f)
	before := len(all)
	maps.DeleteFunc(all, func(key K, _ T) bool {
		of, k := h.split(key)
		_, kept := keys[k]
		return of == kind && !kept
	})
	return len(all) != before
}

func (h holder[K, T]) get(f *Facts, kind string, k Key) any {
	if o, there := (*h.field(f))[h.join(kind, k)]; there {
		return o
	}
	return nil
}

func (h holder[K, T]) each(f *Facts, kind string, yield func(Key, any) bool) {
	all := *h.field(f)
	keys := make([]Key, 0, len(all))
	for key := range all {
		if of, k := h.split(key); of == kind {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		if !yield(k, all[h.join(kind, k)]) {
			return
		}
	}
}

func (h holder[K, T]) len(f *Facts, kind string) int {
	all := *h.field(f)
	if len(h.holds) == 1 {
		return len(all)
	}
	n := 0
	for key := range all {
		if of, _ := h.split(key); of == kind {
			n++
		}
	}
	return n
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
