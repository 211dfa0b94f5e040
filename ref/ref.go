// Package ref names the objects of an estate. It knows how a stable id is written
// and read, and nothing else of clusters or graphs.
package ref

import "strings"

// Ref names one object. Cluster is empty where only one is meant, Namespace for
// objects that lie in none, and Name for the cluster itself.
type Ref struct{ Cluster, Namespace, Kind, Name string }

// ID is the stable id: "prod/shop/Pod/web", "prod/Node/n1". Without Cluster it is
// the id within the cluster.
func (r Ref) ID() string {
	var b strings.Builder
	b.Grow(len(r.Cluster) + len(r.Namespace) + len(r.Kind) + len(r.Name) + 3)
	for _, part := range []string{r.Cluster, r.Namespace, r.Kind, r.Name} {
		if part != "" {
			if b.Len() > 0 {
				b.WriteByte('/')
			}
			b.WriteString(part)
		}
	}
	return b.String()
}

// String names the object in a sentence: "Pod shop/web".
func (r Ref) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// KindName is kind and name, which is how a workload is told in its namespace: "Deployment/web".
func (r Ref) KindName() string { return r.Kind + "/" + r.Name }

// WithKindName reads what KindName writes.
func (r Ref) WithKindName(text string) Ref {
	r.Kind, r.Name, _ = strings.Cut(text, "/")
	return r
}

// KindID writes kind and id of anything in the graph, as evidence names it: "Pod prod/shop/Pod/web".
func KindID(kind, id string) string { return kind + " " + id }

// ParseKindID reads what KindID writes.
func ParseKindID(text string) (kind, id string) {
	kind, id, _ = strings.Cut(text, " ")
	return kind, id
}

// In is the same name in a cluster.
func (r Ref) In(cluster string) Ref { r.Cluster = cluster; return r }

// Beside names another object of the same cluster and namespace.
func (r Ref) Beside(kind, name string) Ref { r.Kind, r.Name = kind, name; return r }

// Parse reads a stable id that names a cluster. rest is what follows the name: the
// container in "prod/shop/Pod/web/app". A cluster may be named with slashes, as
// contexts of a kubeconfig are; its name must then not contain a kind.
func Parse(id string) (r Ref, rest string, ok bool) {
	parts := strings.Split(id, "/")
	for i := 1; i < len(parts); i++ {
		lies, known := kinds[parts[i]]
		if !known {
			continue
		}
		r.Kind = parts[i]
		cluster, after := parts[:i], parts[i+1:]
		if lies == inNamespace {
			cluster, r.Namespace = parts[:i-1], parts[i-1]
			if r.Namespace == "" {
				return Ref{}, "", false
			}
		}
		r.Cluster = strings.Join(cluster, "/")
		switch {
		case lies == isCluster:
		case lies == free:
			r.Name, after = strings.Join(after, "/"), nil
		case len(after) > 0:
			r.Name, after = after[0], after[1:]
		}
		rest = strings.Join(after, "/")
		if r.Cluster == "" || (r.Name == "") != (lies == isCluster) || rest == "" && len(after) > 0 {
			return Ref{}, "", false
		}
		return r, rest, true
	}
	return Ref{}, "", false
}

// where an object lies.
type where int

const (
	inNamespace where = iota
	inCluster
	free      // in the cluster, under a name that may hold slashes
	isCluster // the cluster itself
)

// Namespaced says whether objects of a kind lie in namespaces; ok is false for a
// kind that has no refs.
func Namespaced(kind string) (namespaced, ok bool) {
	lies, ok := kinds[kind]
	return lies == inNamespace, ok
}

var kinds = map[string]where{
	"Cluster": isCluster, "User": free, "Group": free, "NetClass": inCluster,

	"Namespace": inCluster, "Node": inCluster, "ClusterRole": inCluster, "ClusterRoleBinding": inCluster,
	"IngressClass": inCluster, "GatewayClass": inCluster, "AdminNetworkPolicy": inCluster, "BaselineAdminNetworkPolicy": inCluster,
	"ClusterNetworkPolicy": inCluster,
	"CiliumNetworkPolicy":  inNamespace, "CiliumClusterwideNetworkPolicy": inCluster, "CalicoNetworkPolicy": inNamespace,
	"CalicoGlobalNetworkPolicy": inCluster, "CalicoTier": inCluster, "CalicoNetworkSet": inNamespace, "CalicoGlobalNetworkSet": inCluster,
	"ValidatingWebhookConfiguration": inCluster, "MutatingWebhookConfiguration": inCluster,
	"ValidatingAdmissionPolicy": inCluster, "ValidatingAdmissionPolicyBinding": inCluster,
	"PersistentVolume": inCluster, "RuntimeClass": inCluster, "SecurityContextConstraints": inCluster,

	"Pod": inNamespace, "Deployment": inNamespace, "StatefulSet": inNamespace, "DaemonSet": inNamespace, "ReplicaSet": inNamespace,
	"Job": inNamespace, "CronJob": inNamespace, "ReplicationController": inNamespace,
	"Service": inNamespace, "EndpointSlice": inNamespace, "ServiceAccount": inNamespace, "ConfigMap": inNamespace, "Secret": inNamespace,
	"Role": inNamespace, "RoleBinding": inNamespace, "Ingress": inNamespace, "NetworkPolicy": inNamespace,
	"Gateway": inNamespace, "HTTPRoute": inNamespace, "GRPCRoute": inNamespace, "TLSRoute": inNamespace,
	"Route": inNamespace, "IstioGateway": inNamespace, "VirtualService": inNamespace, "AuthorizationPolicy": inNamespace,
	"TCPRoute": inNamespace, "UDPRoute": inNamespace, "ReferenceGrant": inNamespace,
	"PodDisruptionBudget": inNamespace, "PersistentVolumeClaim": inNamespace,
}
