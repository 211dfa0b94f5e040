package collect

import (
	"cmp"
	"iter"
	"maps"
	"reflect"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
)

// NewFacts is an empty cluster: every map is there to be read and written.
func NewFacts() *Facts {
	return &Facts{
		Namespaces:      map[Key]*corev1.Namespace{},
		Nodes:           map[Key]*Node{},
		Pods:            map[Key]*Pod{},
		Workloads:       map[WorkloadKey]*Workload{},
		Services:        map[Key]*corev1.Service{},
		EndpointSlices:  map[Key]*EndpointSlice{},
		ServiceAccounts: map[Key]*corev1.ServiceAccount{},
		ConfigMaps:      map[Key]*ConfigMap{},
		Secrets:         map[Key]*Secret{},

		Roles:               map[Key]*rbacv1.Role{},
		ClusterRoles:        map[Key]*rbacv1.ClusterRole{},
		RoleBindings:        map[Key]*rbacv1.RoleBinding{},
		ClusterRoleBindings: map[Key]*rbacv1.ClusterRoleBinding{},

		Ingresses:       map[Key]*networkingv1.Ingress{},
		IngressClasses:  map[Key]*networkingv1.IngressClass{},
		NetworkPolicies: map[Key]*networkingv1.NetworkPolicy{},

		Gateways:        map[Key]*gatewayv1.Gateway{},
		GatewayClasses:  map[Key]*gatewayv1.GatewayClass{},
		HTTPRoutes:      map[Key]*gatewayv1.HTTPRoute{},
		GRPCRoutes:      map[Key]*gatewayv1.GRPCRoute{},
		ReferenceGrants: map[Key]*gatewayv1beta1.ReferenceGrant{},

		AdminNetworkPolicies:         map[Key]*AdminNetworkPolicy{},
		BaselineAdminNetworkPolicies: map[Key]*BaselineAdminNetworkPolicy{},

		PodDisruptionBudgets:     map[Key]*policyv1.PodDisruptionBudget{},
		ValidatingWebhooks:       map[Key]*admissionv1.ValidatingWebhookConfiguration{},
		MutatingWebhooks:         map[Key]*admissionv1.MutatingWebhookConfiguration{},
		ValidatingPolicies:       map[Key]*admissionv1.ValidatingAdmissionPolicy{},
		ValidatingPolicyBindings: map[Key]*admissionv1.ValidatingAdmissionPolicyBinding{},

		Unread:           map[string]int{},
		Gaps:             map[GapKey]Gap{},
		ResourceVersions: map[string]string{},
	}
}

// Kinds is every Kubernetes kind that Facts holds, in the order Each yields them.
var Kinds = []string{
	"Namespace", "Node", "Pod",
	"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController",
	"Service", "EndpointSlice", "ServiceAccount", "ConfigMap", "Secret",
	"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding",
	"Ingress", "IngressClass", "NetworkPolicy",
	"Gateway", "GatewayClass", "HTTPRoute", "GRPCRoute", "ReferenceGrant",
	"AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
	"PodDisruptionBudget", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
	"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
}

// Apply moves the facts by one change and says whether anything that counts is
// different now. A Put of equal content, Alive and Synced change nothing but
// AsOf. A kind or an object type that Facts does not hold is a mistake of the
// caller and panics.
func (f *Facts) Apply(c Change) (changed bool) {
	switch c.Op {
	case Put:
		return f.table(c.Kind).put(c.Key, c.Object)
	case Gone:
		return f.table(c.Kind).gone(c.Key)
	case Resynced:
		if c.Version != "" {
			f.ResourceVersions[c.Kind] = c.Version
		}
		return f.table(c.Kind).retain(c.Keys)
	case GapOpen:
		return f.openGap(*c.Gap)
	case GapClosed:
		_, changed = f.Gaps[c.Gap.Key()]
		delete(f.Gaps, c.Gap.Key())
		return changed
	case Info:
		info := c.Object.(ClusterInfo)
		changed = f.Cluster != info
		f.Cluster = info
		return changed
	case Counted:
		old, known := f.Unread[c.Kind]
		f.Unread[c.Kind] = c.Object.(int)
		return !known || old != c.Object.(int)
	case Synced, Alive:
		if c.Time.After(f.AsOf) {
			f.AsOf = c.Time
		}
	}
	return false
}

// openGap keeps the time of the first sight while the same thing stays unseen.
func (f *Facts) openGap(g Gap) bool {
	old, known := f.Gaps[g.Key()]
	if known {
		g.Since = old.Since
	}
	f.Gaps[g.Key()] = g
	return !known || !reflect.DeepEqual(old, g)
}

// Clone copies the maps and shares what they point to, which nobody changes:
// the copy stays as it is while the original goes on.
func (f *Facts) Clone() *Facts {
	n := *f
	n.Namespaces, n.Nodes, n.Pods, n.Workloads = maps.Clone(f.Namespaces), maps.Clone(f.Nodes), maps.Clone(f.Pods), maps.Clone(f.Workloads)
	n.Services, n.EndpointSlices, n.ServiceAccounts = maps.Clone(f.Services), maps.Clone(f.EndpointSlices), maps.Clone(f.ServiceAccounts)
	n.ConfigMaps, n.Secrets = maps.Clone(f.ConfigMaps), maps.Clone(f.Secrets)
	n.Roles, n.ClusterRoles = maps.Clone(f.Roles), maps.Clone(f.ClusterRoles)
	n.RoleBindings, n.ClusterRoleBindings = maps.Clone(f.RoleBindings), maps.Clone(f.ClusterRoleBindings)
	n.Ingresses, n.IngressClasses, n.NetworkPolicies = maps.Clone(f.Ingresses), maps.Clone(f.IngressClasses), maps.Clone(f.NetworkPolicies)
	n.Gateways, n.GatewayClasses, n.HTTPRoutes = maps.Clone(f.Gateways), maps.Clone(f.GatewayClasses), maps.Clone(f.HTTPRoutes)
	n.GRPCRoutes, n.ReferenceGrants = maps.Clone(f.GRPCRoutes), maps.Clone(f.ReferenceGrants)
	n.AdminNetworkPolicies, n.BaselineAdminNetworkPolicies = maps.Clone(f.AdminNetworkPolicies), maps.Clone(f.BaselineAdminNetworkPolicies)
	n.PodDisruptionBudgets = maps.Clone(f.PodDisruptionBudgets)
	n.ValidatingWebhooks, n.MutatingWebhooks = maps.Clone(f.ValidatingWebhooks), maps.Clone(f.MutatingWebhooks)
	n.ValidatingPolicies, n.ValidatingPolicyBindings = maps.Clone(f.ValidatingPolicies), maps.Clone(f.ValidatingPolicyBindings)
	n.Unread, n.Gaps, n.ResourceVersions = maps.Clone(f.Unread), maps.Clone(f.Gaps), maps.Clone(f.ResourceVersions)
	return &n
}

// Each yields every object of a kind, sorted by namespace and name.
func (f *Facts) Each(kind string) iter.Seq2[Key, any] { return f.table(kind).each }

// Len is how many objects of a kind there are.
func (f *Facts) Len(kind string) int { return f.table(kind).len() }

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// kindTable is what Apply needs of the map that holds a kind.
type kindTable interface {
	put(Key, any) bool
	gone(Key) bool
	retain(map[Key]struct{}) bool
	each(yield func(Key, any) bool)
	len() int
}

func (f *Facts) table(kind string) kindTable {
	switch kind {
	case "Namespace":
		return table[*corev1.Namespace](f.Namespaces)
	case "Node":
		return table[*Node](f.Nodes)
	case "Pod":
		return table[*Pod](f.Pods)
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "ReplicationController":
		return workloads{kind, f.Workloads}
	case "Service":
		return table[*corev1.Service](f.Services)
	case "EndpointSlice":
		return table[*EndpointSlice](f.EndpointSlices)
	case "ServiceAccount":
		return table[*corev1.ServiceAccount](f.ServiceAccounts)
	case "ConfigMap":
		return table[*ConfigMap](f.ConfigMaps)
	case "Secret":
		return table[*Secret](f.Secrets)
	case "Role":
		return table[*rbacv1.Role](f.Roles)
	case "ClusterRole":
		return table[*rbacv1.ClusterRole](f.ClusterRoles)
	case "RoleBinding":
		return table[*rbacv1.RoleBinding](f.RoleBindings)
	case "ClusterRoleBinding":
		return table[*rbacv1.ClusterRoleBinding](f.ClusterRoleBindings)
	}
	return f.tableBeyondCore(kind)
}

func (f *Facts) tableBeyondCore(kind string) kindTable {
	switch kind {
	case "Ingress":
		return table[*networkingv1.Ingress](f.Ingresses)
	case "IngressClass":
		return table[*networkingv1.IngressClass](f.IngressClasses)
	case "NetworkPolicy":
		return table[*networkingv1.NetworkPolicy](f.NetworkPolicies)
	case "Gateway":
		return table[*gatewayv1.Gateway](f.Gateways)
	case "GatewayClass":
		return table[*gatewayv1.GatewayClass](f.GatewayClasses)
	case "HTTPRoute":
		return table[*gatewayv1.HTTPRoute](f.HTTPRoutes)
	case "GRPCRoute":
		return table[*gatewayv1.GRPCRoute](f.GRPCRoutes)
	case "ReferenceGrant":
		return table[*gatewayv1beta1.ReferenceGrant](f.ReferenceGrants)
	case "AdminNetworkPolicy":
		return table[*AdminNetworkPolicy](f.AdminNetworkPolicies)
	case "BaselineAdminNetworkPolicy":
		return table[*BaselineAdminNetworkPolicy](f.BaselineAdminNetworkPolicies)
	case "PodDisruptionBudget":
		return table[*policyv1.PodDisruptionBudget](f.PodDisruptionBudgets)
	case "ValidatingWebhookConfiguration":
		return table[*admissionv1.ValidatingWebhookConfiguration](f.ValidatingWebhooks)
	case "MutatingWebhookConfiguration":
		return table[*admissionv1.MutatingWebhookConfiguration](f.MutatingWebhooks)
	case "ValidatingAdmissionPolicy":
		return table[*admissionv1.ValidatingAdmissionPolicy](f.ValidatingPolicies)
	case "ValidatingAdmissionPolicyBinding":
		return table[*admissionv1.ValidatingAdmissionPolicyBinding](f.ValidatingPolicyBindings)
	}
	panic("collect: Facts does not hold the kind " + kind)
}

type table[T any] map[Key]T

// put replaces even equal content: the newer object's interned parts are the
// ones the source still shares.
func (t table[T]) put(k Key, o any) bool {
	old, known := t[k]
	t[k] = o.(T)
	return !known || !reflect.DeepEqual(old, o.(T))
}

func (t table[T]) gone(k Key) bool {
	_, known := t[k]
	delete(t, k)
	return known
}

func (t table[T]) retain(keys map[Key]struct{}) bool {
	before := len(t)
	maps.DeleteFunc(t, func(k Key, _ T) bool { _, kept := keys[k]; return !kept })
	return len(t) != before
}

func (t table[T]) each(yield func(Key, any) bool) {
	for _, k := range slices.SortedFunc(maps.Keys(t), compareKeys) {
		if !yield(k, t[k]) {
			return
		}
	}
}

func (t table[T]) len() int { return len(t) }

// workloads is the part of Facts.Workloads that is of one kind.
type workloads struct {
	kind string
	all  map[WorkloadKey]*Workload
}

func (w workloads) put(k Key, o any) bool {
	key := WorkloadKey{w.kind, k}
	old, known := w.all[key]
	w.all[key] = o.(*Workload)
	return !known || !reflect.DeepEqual(old, o.(*Workload))
}

func (w workloads) gone(k Key) bool {
	key := WorkloadKey{w.kind, k}
	_, known := w.all[key]
	delete(w.all, key)
	return known
}

func (w workloads) retain(keys map[Key]struct{}) bool {
	before := len(w.all)
	maps.DeleteFunc(w.all, func(k WorkloadKey, _ *Workload) bool {
		_, kept := keys[k.Key]
		return k.Kind == w.kind && !kept
	})
	return len(w.all) != before
}

func (w workloads) each(yield func(Key, any) bool) {
	var keys []Key
	for k := range w.all {
		if k.Kind == w.kind {
			keys = append(keys, k.Key)
		}
	}
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		if !yield(k, w.all[WorkloadKey{w.kind, k}]) {
			return
		}
	}
}

func (w workloads) len() (n int) {
	for k := range w.all {
		if k.Kind == w.kind {
			n++
		}
	}
	return n
}
