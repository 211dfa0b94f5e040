// Package kube fills collect.Facts from Kubernetes: from live API servers
// (Watch), from manifests (Read) and from the dumps it writes (Save, Load).
// All three go through the same typed decoding and the same stripping. It knows
// nothing of graphs, but for the names of the kinds that a gap leaves unseen.
package kube

import (
	"cmp"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	nodev1 "k8s.io/api/node/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/breakwater-sec/breakwater/collect"
)

// object is any Kubernetes object with its metadata.
type object interface {
	runtime.Object
	metav1.Object
}

// kind is one Kubernetes kind that we read.
type kind struct {
	name     string // "Pod": also collect.Change.Kind
	served   string // what its API calls it, where two APIs have a kind of one name
	resource string // "pods"
	// versions are those whose fields we know, best first.
	versions []schema.GroupVersion
	cluster  bool // cluster-scoped
	// optional kinds are extensions: their absence from a server is no gap.
	optional bool
	// partial kinds have fields that we do not spell: those are not unknown.
	partial bool
	how     reading
	make    func() object
	list    func() runtime.Object
	strip   func(*stripper, object) (any, bool)
	// graph is the graph kinds and edges that nobody sees without this kind;
	// lost is the same for people.
	graph []string
	lost  string
}

// reading is how much of an object we ask for.
type reading int

const (
	whole    reading = iota
	metadata         // PartialObjectMetadata: names and labels
	table            // Table without objects: only what kubectl get prints
)

// what names a kind in gaps, as kubectl does: "services", "ingresses.networking.k8s.io".
func (k *kind) what() string {
	if g := k.versions[0].Group; g != "" {
		return k.resource + "." + g
	}
	return k.resource
}

// formerRoutes are the versions in which clusters serve routes of connections whose
// fields are those of today's.
var formerRoutes = []schema.GroupVersion{
	{Group: gatewayv1.GroupName, Version: "v1alpha3"}, {Group: gatewayv1.GroupName, Version: "v1alpha2"},
}

// in is the kind as a version of its API names it.
func (k *kind) in(v schema.GroupVersion) schema.GroupVersionKind {
	return v.WithKind(cmp.Or(k.served, k.name))
}

func gv(gvs ...schema.GroupVersion) []schema.GroupVersion { return gvs }

// of makes a kind out of its typed struct, so that no line repeats the type.
func of[T any, P interface {
	*T
	object
}](name, resource string, versions []schema.GroupVersion, list func() runtime.Object, strip func(*stripper, P) (any, bool)) kind {
	return kind{
		name: name, resource: resource, versions: versions,
		make:  func() object { return P(new(T)) },
		list:  list,
		strip: func(s *stripper, o object) (any, bool) { return strip(s, o.(P)) },
	}
}

func (k kind) called(served string) kind { k.served = served; return k }
func (k kind) clusterWide() kind         { k.cluster = true; return k }
func (k kind) extension() kind           { k.optional = true; return k }
func (k kind) partly() kind              { k.partial = true; return k }
func (k kind) by(r reading) kind         { k.how = r; return k }
func (k kind) unseen(lost string, graph ...string) kind {
	k.lost, k.graph = lost, graph
	return k
}

func newList[T any, P interface {
	*T
	runtime.Object
}]() runtime.Object {
	return P(new(T))
}

const (
	lostRights   = "Who may do what is incomplete: an identity may hold permissions that are not shown."
	lostPolicies = "Policies that close a way are unseen: connections and exposures are shown as open."
	lostRoutes   = "Ways from the internet that go through it are missing: what looks unexposed may be exposed."
)

// kinds is everything we read. The read-only ClusterRole in deploy/rbac grants
// exactly this, without Secrets; a test keeps the two together.
func kinds() []kind {
	core, apps, batch := gv(corev1.SchemeGroupVersion), gv(appsv1.SchemeGroupVersion), gv(batchv1.SchemeGroupVersion)
	rbac, net := gv(rbacv1.SchemeGroupVersion), gv(networkingv1.SchemeGroupVersion)
	admission := gv(admissionv1.SchemeGroupVersion)
	gateway, gatewayOld := gv(schema.GroupVersion(gatewayv1.GroupVersion)), gv(schema.GroupVersion(gatewayv1.GroupVersion),
		schema.GroupVersion(gatewayv1beta1.GroupVersion))
	routes := gv(append([]schema.GroupVersion{schema.GroupVersion(gatewayv1.GroupVersion)}, formerRoutes...)...)
	netpol, clusterNetpol := gv(schema.GroupVersion{Group: "policy.networking.k8s.io", Version: "v1alpha1"}),
		gv(schema.GroupVersion{Group: "policy.networking.k8s.io", Version: "v1alpha2"})
	cilium := gv(schema.GroupVersion{Group: "cilium.io", Version: "v2"})
	calico := gv(
		schema.GroupVersion{Group: "projectcalico.org", Version: "v3"},
		schema.GroupVersion{Group: "crd.projectcalico.org", Version: "v1"},
	)
	istio := gv(schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}, schema.GroupVersion{Group: "networking.istio.io",
		Version: "v1beta1"}, schema.GroupVersion{Group: "networking.istio.io", Version: "v1alpha3"})
	istioSecurity := gv(schema.GroupVersion{Group: "security.istio.io", Version: "v1"}, schema.GroupVersion{Group: "security.istio.io",
		Version: "v1beta1"})
	openshiftRoutes := gv(schema.GroupVersion{Group: "route.openshift.io", Version: "v1"})
	return []kind{
		of("Namespace", "namespaces", core, newList[corev1.NamespaceList], stripNamespace).clusterWide().
			unseen("Namespaces and their labels are unknown, so policies that select by them cannot be judged.", "Namespace"),
		of("Node", "nodes", core, newList[corev1.NodeList], stripNode).clusterWide().
			unseen("Public addresses of nodes are unknown, so exposure through node ports and host ports cannot be judged.", "Node",
				"RUNS_ON", "ROUTES_TO"),
		of("Pod", "pods", core, newList[corev1.PodList], stripPod).
			unseen("Nothing that runs can be seen: pods, containers, their images and every path through them are missing.", "Pod",
				"Container", "Volume", "Image", "RUNS", "RUNS_ON", "RUNS_AS", "USES_IMAGE", "MOUNTS", "ROUTES_TO", "SELECTS"),
		of("Deployment", "deployments", apps, newList[appsv1.DeploymentList], stripDeployment).
			unseen("Pods cannot be attributed to their Deployments.", "Deployment", "OWNS"),
		of("StatefulSet", "statefulsets", apps, newList[appsv1.StatefulSetList], stripStatefulSet).
			unseen("Pods cannot be attributed to their StatefulSets.", "StatefulSet", "OWNS"),
		of("DaemonSet", "daemonsets", apps, newList[appsv1.DaemonSetList], stripDaemonSet).
			unseen("Pods cannot be attributed to their DaemonSets.", "DaemonSet", "OWNS"),
		of("ReplicaSet", "replicasets", apps, newList[appsv1.ReplicaSetList], stripReplicaSet).
			unseen("Pods cannot be attributed to their Deployments, which own them through ReplicaSets.", "ReplicaSet", "OWNS"),
		of("Job", "jobs", batch, newList[batchv1.JobList], stripJob).unseen("Pods cannot be attributed to their Jobs.", "Job", "OWNS"),
		of("CronJob", "cronjobs", batch, newList[batchv1.CronJobList], stripCronJob).
			unseen("Pods cannot be attributed to their CronJobs.", "CronJob", "OWNS"),
		of("ReplicationController", "replicationcontrollers", core, newList[corev1.ReplicationControllerList], stripReplicationController).
			unseen("Pods cannot be attributed to their ReplicationControllers.", "ReplicationController", "OWNS"),
		of("Service", "services", core, newList[corev1.ServiceList], stripService).unseen(lostRoutes, "Service", "ROUTES_TO"),
		of("EndpointSlice", "endpointslices", gv(discoveryv1.SchemeGroupVersion), newList[discoveryv1.EndpointSliceList],
			stripEndpointSlice).
			unseen("Which pods a Service reaches is guessed from its selector; Services without one lead nowhere.", "ROUTES_TO"),
		of("ServiceAccount", "serviceaccounts", core, newList[corev1.ServiceAccountList], stripServiceAccount).
			unseen("Whether a service account's token is mounted is guessed, and accounts that no pod uses are missing.",
				"ServiceAccount", "RUNS_AS"),
		of("ConfigMap", "configmaps", core, nil, stripConfigMap).by(metadata).
			unseen("ConfigMaps are seen only where something refers to them.", "ConfigMap"),
		of("Secret", "secrets", core, nil, stripSecret).by(table).
			unseen("Secrets are seen only where something refers to them; their types are unknown.", "Secret"),
		of("PersistentVolume", "persistentvolumes", core, newList[corev1.PersistentVolumeList], stripPersistentVolume).clusterWide().
			unseen("Folders of nodes that containers have through persistent volumes are unseen.", "MOUNTS"),
		of("PersistentVolumeClaim", "persistentvolumeclaims", core, newList[corev1.PersistentVolumeClaimList], stripPersistentVolumeClaim).
			unseen("Folders of nodes that containers have through persistent volumes are unseen.", "MOUNTS"),
		of("RuntimeClass", "runtimeclasses", gv(nodev1.SchemeGroupVersion), newList[nodev1.RuntimeClassList], stripRuntimeClass).
			clusterWide().unseen("Whether pods run in sandboxes is told by the names of their runtime classes only."),
		of("Role", "roles", rbac, newList[rbacv1.RoleList], stripRole).unseen(lostRights, "Role", "GRANTS", "HOLDS", "Permission"),
		of("ClusterRole", "clusterroles", rbac, newList[rbacv1.ClusterRoleList], stripClusterRole).clusterWide().
			unseen(lostRights, "ClusterRole", "GRANTS", "HOLDS", "Permission"),
		of("RoleBinding", "rolebindings", rbac, newList[rbacv1.RoleBindingList], stripRoleBinding).
			unseen(lostRights, "RoleBinding", "BOUND_BY", "GRANTS", "HOLDS", "Permission", "User", "Group"),
		of("ClusterRoleBinding", "clusterrolebindings", rbac, newList[rbacv1.ClusterRoleBindingList], stripClusterRoleBinding).
			clusterWide().
			unseen(lostRights, "ClusterRoleBinding", "BOUND_BY", "GRANTS", "HOLDS", "Permission", "User", "Group"),
		of("Ingress", "ingresses", net, newList[networkingv1.IngressList], stripIngress).unseen(lostRoutes, "Ingress", "ROUTES_TO"),
		of("IngressClass", "ingressclasses", net, newList[networkingv1.IngressClassList], stripIngressClass).clusterWide().
			unseen("Which controller serves an Ingress cannot be told, so its exposure is uncertain.", "ROUTES_TO"),
		of("NetworkPolicy", "networkpolicies", net, newList[networkingv1.NetworkPolicyList], stripNetworkPolicy).
			unseen("Policies that close a way are unseen: connections and exposures are shown as open.", "NetworkPolicy", "SELECTS",
				"ROUTES_TO"),
		of("Gateway", "gateways", gatewayOld, newList[gatewayv1.GatewayList], stripGateway).extension().unseen(lostRoutes, "ROUTES_TO"),
		of("GatewayClass", "gatewayclasses", gatewayOld, newList[gatewayv1.GatewayClassList], stripGatewayClass).clusterWide().extension().
			unseen("Which controller serves a Gateway cannot be told, so its exposure is uncertain.", "ROUTES_TO"),
		of("HTTPRoute", "httproutes", gatewayOld, newList[gatewayv1.HTTPRouteList], stripHTTPRoute).extension().
			unseen(lostRoutes, "ROUTES_TO"),
		of("GRPCRoute", "grpcroutes", gateway, newList[gatewayv1.GRPCRouteList], stripGRPCRoute).extension().
			unseen(lostRoutes, "ROUTES_TO"),
		of("TLSRoute", "tlsroutes", routes, newList[gatewayv1.TLSRouteList], stripTLSRoute).extension().unseen(lostRoutes, "ROUTES_TO"),
		of("TCPRoute", "tcproutes", routes, newList[gatewayv1.TCPRouteList], stripTCPRoute).extension().unseen(lostRoutes, "ROUTES_TO"),
		of("UDPRoute", "udproutes", routes, newList[gatewayv1.UDPRouteList], stripUDPRoute).extension().unseen(lostRoutes, "ROUTES_TO"),
		of("ReferenceGrant", "referencegrants", gv(schema.GroupVersion(gatewayv1beta1.GroupVersion),
			schema.GroupVersion(gatewayv1.GroupVersion)), newList[gatewayv1beta1.ReferenceGrantList], stripReferenceGrant).
			extension().unseen("Routes across namespaces cannot be judged and are shown as closed.", "ROUTES_TO"),
		of(
			"AdminNetworkPolicy",
			"adminnetworkpolicies",
			netpol,
			newList[collect.CustomList[collect.AdminNetworkPolicy]],
			stripCustom[collect.AdminPolicySpec],
		).
			clusterWide().
			extension().
			unseen("Administrators' policies are unseen: connections and exposures are shown as open.", "SELECTS", "ROUTES_TO"),
		of("BaselineAdminNetworkPolicy", "baselineadminnetworkpolicies", netpol,
			newList[collect.CustomList[collect.BaselineAdminNetworkPolicy]], stripCustom[collect.BaselinePolicySpec]).clusterWide().extension().
			unseen("The administrators' baseline policy is unseen: connections and exposures are shown as open.", "SELECTS", "ROUTES_TO"),
		of("ClusterNetworkPolicy", "clusternetworkpolicies", clusterNetpol, newList[collect.CustomList[collect.ClusterNetworkPolicy]],
			stripCustom[collect.ClusterPolicySpec]).clusterWide().extension().
			unseen("Administrators' policies are unseen: connections and exposures are shown as open.", "SELECTS", "ROUTES_TO"),
		of("CiliumNetworkPolicy", "ciliumnetworkpolicies", cilium, newList[collect.CustomList[collect.CiliumNetworkPolicy]], stripCilium).
			extension().unseen(lostPolicies, "ROUTES_TO"),
		of("CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies", cilium,
			newList[collect.CustomList[collect.CiliumNetworkPolicy]], stripCilium).clusterWide().extension().unseen(lostPolicies, "ROUTES_TO"),
		of("CalicoNetworkPolicy", "networkpolicies", calico, newList[collect.CustomList[collect.CalicoNetworkPolicy]],
			stripCustom[collect.CalicoPolicySpec]).called("NetworkPolicy").extension().unseen(lostPolicies, "ROUTES_TO"),
		of("CalicoGlobalNetworkPolicy", "globalnetworkpolicies", calico, newList[collect.CustomList[collect.CalicoNetworkPolicy]],
			stripCustom[collect.CalicoPolicySpec]).called("GlobalNetworkPolicy").clusterWide().extension().unseen(lostPolicies, "ROUTES_TO"),
		of("CalicoTier", "tiers", calico, newList[collect.CustomList[collect.CalicoTier]], stripCustom[collect.CalicoTierSpec]).
			called("Tier").clusterWide().extension().
			unseen("In which order Calico asks its policies is unknown: those of tiers that were not seen close nothing.", "ROUTES_TO"),
		of("CalicoNetworkSet", "networksets", calico, newList[collect.CustomList[collect.CalicoNetworkSet]],
			stripCustom[collect.CalicoNetworkSetSpec]).called("NetworkSet").extension().
			unseen("Which addresses Calico's policies mean by labels is unknown.", "ROUTES_TO"),
		of("CalicoGlobalNetworkSet", "globalnetworksets", calico, newList[collect.CustomList[collect.CalicoNetworkSet]],
			stripCustom[collect.CalicoNetworkSetSpec]).called("GlobalNetworkSet").clusterWide().extension().
			unseen("Which addresses Calico's policies mean by labels is unknown.", "ROUTES_TO"),
		of("Route", "routes", openshiftRoutes, newList[collect.CustomList[collect.Route]], stripOpenShiftRoute).extension().partly().
			unseen(lostRoutes, "ROUTES_TO"),
		of("IstioGateway", "gateways", istio, newList[collect.CustomList[collect.IstioGateway]], stripCustom[collect.IstioGatewaySpec]).
			called("Gateway").extension().partly().unseen(lostRoutes, "ROUTES_TO"),
		of("VirtualService", "virtualservices", istio, newList[collect.CustomList[collect.VirtualService]],
			stripCustom[collect.VirtualServiceSpec]).extension().partly().unseen(lostRoutes, "ROUTES_TO"),
		of("AuthorizationPolicy", "authorizationpolicies", istioSecurity, newList[collect.CustomList[collect.AuthorizationPolicy]],
			stripAuthorization).extension().partly().unseen("Whether a service mesh refuses requests is unknown, so none is assumed to."),
		of("PodDisruptionBudget", "poddisruptionbudgets", gv(policyv1.SchemeGroupVersion), newList[policyv1.PodDisruptionBudgetList],
			stripPodDisruptionBudget).
			unseen("Availability marks are missing; no path depends on them."),
		of("SecurityContextConstraints", "securitycontextconstraints", gv(schema.GroupVersion{Group: "security.openshift.io", Version: "v1"}),
			newList[collect.CustomList[collect.SecurityContextConstraints]], stripConstraints).clusterWide().extension().partly().
			unseen("Which pods OpenShift refuses is unknown."),
		of("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", admission,
			newList[admissionv1.ValidatingWebhookConfigurationList], stripValidatingWebhook).
			clusterWide().unseen("Whether admission webhooks guard the cluster is unknown, so none is assumed.", "AdmissionWebhook"),
		of("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", admission,
			newList[admissionv1.MutatingWebhookConfigurationList], stripMutatingWebhook).
			clusterWide().unseen("Whether admission webhooks change what is created is unknown.", "AdmissionWebhook"),
		of("ValidatingAdmissionPolicy", "validatingadmissionpolicies", admission, newList[admissionv1.ValidatingAdmissionPolicyList],
			stripValidatingPolicy).
			clusterWide().extension().unseen("Whether admission policies guard the cluster is unknown, so none is assumed."),
		of("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", admission,
			newList[admissionv1.ValidatingAdmissionPolicyBindingList], stripValidatingPolicyBinding).
			clusterWide().extension().unseen("Whether admission policies guard the cluster is unknown, so none is assumed."),
	}
}

// newScheme knows the kinds we decode and nothing else.
func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	metav1.AddToGroupVersion(s, schema.GroupVersion{Version: "v1"})
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, batchv1.AddToScheme, rbacv1.AddToScheme, networkingv1.AddToScheme,
		discoveryv1.AddToScheme, policyv1.AddToScheme, nodev1.AddToScheme, admissionv1.AddToScheme,
		gatewayv1.Install, gatewayv1beta1.Install, metav1.AddMetaToScheme,
	} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	for _, k := range kinds() {
		addOwn(s, &k)
	}
	return s, nil
}

// addOwn adds the versions of a kind that no published package registers.
func addOwn(s *runtime.Scheme, k *kind) {
	for _, v := range k.versions {
		if k.list == nil || s.Recognizes(k.in(v)) {
			continue
		}
		s.AddKnownTypeWithName(k.in(v), k.make())
		s.AddKnownTypeWithName(v.WithKind(k.in(v).Kind+"List"), k.list())
		metav1.AddToGroupVersion(s, v)
	}
}

func keyOf(o metav1.Object) collect.Key {
	return collect.Key{Namespace: str(o.GetNamespace()), Name: o.GetName()}
}

// items yields the objects of a typed list.
func items(list runtime.Object, each func(object)) error {
	return meta.EachListItem(list, func(o runtime.Object) error {
		each(o.(object))
		return nil
	})
}
