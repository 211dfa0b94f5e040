package audit

import (
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
// be like, or what runs in them.
func (r *record) podResource() string {
	switch r.ref.resource {
	case "pods":
		if r.ref.subresource == "" && r.writes() || r.ref.subresource == "ephemeralcontainers" {
			return "pods"
		}
	case "deployments", "daemonsets", "statefulsets", "replicasets", "replicationcontrollers", "jobs", "cronjobs", "podtemplates":
		if r.ref.subresource == "" {
			return r.ref.resource
		}
	default:
		if r.ref.subresource == "" && r.writes() && r.isCustom() && r.hasTemplate() {
			return r.ref.resource // a Rollout, a DeploymentConfig
		}
	}
	return ""
}

// hasTemplate says that what is written has a template of pods, which is known by its shape.
func (r *record) hasTemplate() bool {
	if r.template == nil {
		w := &written{}
		if object := r.object(); readable(object) && strings.Contains(object, "emplate") || strings.Contains(object, `\u`) {
			w = read(object)
		}
		p := w.pod(r.ref.resource)
		r.template = new(p != nil && (p.gives() || len(p.all()) > 0))
	}
	return *r.template
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

// What is not known of a request that cannot be looked into, by what it writes.
var (
	ofPods     = []string{"pod.", "container.", "known."}
	ofPrograms = []string{"container.reprogrammed", "container.image"}
	ofRights   = []string{"role.", "binding."}
	ofVolumes  = []string{"volume."}
)

// unseen are the beginnings of the names of the fields that the log does not tell.
func (r *record) unseen(unknownPast bool) []string {
	running := r.ref.resource == "pods" && r.ref.subresource == "" && r.verb != "create"
	switch {
	case !r.judged() && r.writes() && r.outcome() == "success" && !readable(r.object()):
		return detailsOf[r.detailed()]
	case !r.hides() && !unknownPast:
		return nil
	case r.isRights():
		return ofRights
	case r.isVolume():
		return ofVolumes
	case running:
		return ofPrograms
	}
	return ofPods
}

// blind says that the request makes pods or volumes or gives rights that cannot be looked at.
func (r *record) blind() bool {
	return r.hides() && (r.ref.resource != "pods" || r.verb == "create" || r.ref.subresource != "")
}

// hides says that what a request writes cannot be looked at: the level leaves objects out, or
// leaves the answer out and what was sent does not tell all.
func (r *record) hides() bool {
	if !r.judged() || !r.writes() || r.outcome() != "success" {
		return false
	}
	if !readable(r.object()) {
		return true
	}
	if r.verb != "patch" || readable(r.response) && !isStatus(r.response) {
		return false
	}
	if !strings.HasPrefix(r.request, "[") {
		w := r.written() // of a binding, subjects alone do not tell which role they are given
		return r.isRights() && len(w.Subjects) > 0 && w.roleOf(r) == nil
	}
	all, ok := operations(r.request)
	return !ok || slices.ContainsFunc(all, func(o operation) bool { return !r.told(o) })
}

// told says that an operation of a JSON patch tells what it changes of pods, volumes or rights.
func (r *record) told(o operation) bool {
	return o.tells() || r.isBuiltInBinding() && strings.HasPrefix(o.Path, "/subjects")
}

// isBuiltInBinding says that the object is the binding that every API server has and keeps
// as it is: which role it gives is known by its name.
func (r *record) isBuiltInBinding() bool {
	return r.isRights() && r.ref.resource == "clusterrolebindings" && r.ref.name == clusterAdmin
}

func readable(object string) bool {
	return len(object) >= 2 && object[0] == '{' && len(object) <= maxObject && strings.Count(object, "{") <= maxParts
}
