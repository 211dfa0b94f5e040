package audit

import (
	"encoding/json"
	"slices"
	"strings"
)

// kinds names the things of which resources are made; what is not here is called
// by its resource.
var kinds = map[string]string{
	"pods": "Pod", "deployments": "Deployment", "daemonsets": "DaemonSet", "statefulsets": "StatefulSet",
	"replicasets": "ReplicaSet", "replicationcontrollers": "ReplicationController", "jobs": "Job", "cronjobs": "CronJob",
	"podtemplates": "PodTemplate", "persistentvolumes": "PersistentVolume", "persistentvolumeclaims": "PersistentVolumeClaim",
	"secrets": "Secret", "configmaps": "ConfigMap", "services": "Service", "nodes": "Node",
	"namespaces": "Namespace", "serviceaccounts": "ServiceAccount", "roles": "Role", "clusterroles": "ClusterRole",
	"rolebindings": "RoleBinding", "clusterrolebindings": "ClusterRoleBinding", "ingresses": "Ingress", "networkpolicies": "NetworkPolicy",
}

func kindOf(resource string) string {
	if k := kinds[resource]; k != "" {
		return k
	}
	return resource
}

// podResource is the resource if the request makes pods or decides what pods will
// be like. Other updates of a pod cannot change what its containers may do.
func (r *record) podResource() string {
	switch r.ref.resource {
	case "pods":
		if r.ref.subresource == "" && r.verb == "create" || r.ref.subresource == "ephemeralcontainers" {
			return "pods"
		}
	case "deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs", "cronjobs", "podtemplates":
		if r.ref.subresource == "" {
			return r.ref.resource
		}
	default:
		if r.ref.subresource == "" && r.writes() && r.isCustom() && strings.Contains(r.object(), `"containers"`) {
			return r.ref.resource // a Rollout, a DeploymentConfig: its template is known by its shape
		}
	}
	return ""
}

// isCustom says that a resource is none of Kubernetes' own.
func (r *record) isCustom() bool {
	return strings.Contains(r.ref.group, ".") && !strings.HasSuffix(r.ref.group, ".k8s.io")
}

func (r *record) isRights() bool {
	return r.ref.group == "rbac.authorization.k8s.io" && r.ref.subresource == "" && r.writes()
}

func (r *record) isVolume() bool {
	return r.ref.resource == "persistentvolumes" && r.ref.group == "" && r.ref.subresource == "" && r.writes()
}

// judged says that what the request writes is looked into.
func (r *record) judged() bool { return r.podResource() != "" || r.isRights() || r.isVolume() }

// writes says that the request brings an object.
func (r *record) writes() bool {
	switch r.verb {
	case "create", "update", "patch":
		return true
	}
	return false
}

// written reads the object that the request wrote: all of it where that tells
// something, otherwise only who owns it.
func (r *record) written() *written {
	object := r.object()
	switch {
	case !readable(object):
		return nil
	case r.judged():
		return read(object)
	case r.ref.subresource == "" && r.verb == "create":
		return readMetadata(object)
	}
	return nil
}

// blind says that the request makes pods or volumes or gives rights that cannot be looked at:
// the level leaves objects out, or leaves the answer out where a JSON patch was sent.
func (r *record) blind() bool {
	return r.judged() && r.writes() && r.outcome() == "success" && !readable(r.object()) && !r.harmlessPatch()
}

// harmlessPatch is a JSON patch, sent without its answer, that leaves alone what pods
// and rights are made of: labels, annotations, a number of replicas.
func (r *record) harmlessPatch() bool {
	var operations []operation
	if !strings.HasPrefix(r.request, "[") || json.Unmarshal([]byte(r.request), &operations) != nil {
		return false
	}
	return !slices.ContainsFunc(operations, func(o operation) bool {
		return o.Op != "test" && !strings.HasPrefix(o.Path, "/metadata/") && o.Path != "/spec/replicas"
	})
}

func readable(object string) bool {
	return len(object) >= 2 && object[0] == '{' && len(object) <= maxObject
}
