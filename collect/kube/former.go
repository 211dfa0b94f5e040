package kube

import (
	"encoding/json"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// former are versions that API servers no longer serve, or not yet as stable, and
// whose objects say in the same fields what today's say, but for what change mends.
var former = []struct {
	version string
	kinds   string
	change  func(spec map[string]any)
}{
	{"extensions/v1beta1", "Deployment DaemonSet ReplicaSet NetworkPolicy", nil},
	{"apps/v1beta1", "Deployment StatefulSet", nil},
	{"apps/v1beta2", "Deployment StatefulSet DaemonSet ReplicaSet", nil},
	{"batch/v1beta1", "CronJob", nil},
	{"batch/v2alpha1", "CronJob", nil},
	{"extensions/v1beta1", "Ingress", formerIngress},
	{"networking.k8s.io/v1beta1", "Ingress", formerIngress},
	{"networking.k8s.io/v1beta1", "IngressClass", nil},
	{"discovery.k8s.io/v1beta1", "EndpointSlice", nil},
	{"policy/v1beta1", "PodDisruptionBudget", nil},
	{"node.k8s.io/v1beta1", "RuntimeClass", nil},
	{"rbac.authorization.k8s.io/v1beta1", "Role ClusterRole RoleBinding ClusterRoleBinding", nil},
	{"rbac.authorization.k8s.io/v1alpha1", "Role ClusterRole", nil},
	{"rbac.authorization.k8s.io/v1alpha1", "RoleBinding ClusterRoleBinding", formerSubjects},
	{"authorization.openshift.io/v1", "Role ClusterRole", nil},
	{"authorization.openshift.io/v1", "RoleBinding ClusterRoleBinding", formerOpenShift},
	{"admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration MutatingWebhookConfiguration", formerWebhooks},
	{"admissionregistration.k8s.io/v1beta1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", nil},
	{"admissionregistration.k8s.io/v1alpha1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", nil},
	{"gateway.networking.k8s.io/v1alpha2", "Gateway GatewayClass HTTPRoute GRPCRoute ReferenceGrant", nil},
}

// formerKind is a kind that an older version named, and how its objects become
// today's.
type formerKind struct {
	*kind
	change func(map[string]any)
}

func formerKinds(kinds []kind) map[schema.GroupVersionKind]formerKind {
	out := map[schema.GroupVersionKind]formerKind{}
	for _, f := range former {
		gv, _ := schema.ParseGroupVersion(f.version)
		for i := range kinds {
			if strings.Contains(" "+f.kinds+" ", " "+kinds[i].name+" ") {
				out[gv.WithKind(kinds[i].name)] = formerKind{&kinds[i], f.change}
			}
		}
	}
	return out
}

// today is an object of an older version in the fields of today's.
func (f formerKind) today(b []byte) ([]byte, error) {
	if f.change == nil {
		return b, nil
	}
	var o map[string]any
	if err := json.Unmarshal(b, &o); err != nil {
		return nil, err
	}
	f.change(o)
	return json.Marshal(o)
}

// formerIngress: spec.backend is defaultBackend now, a backend's serviceName and
// servicePort are its service.
func formerIngress(o map[string]any) {
	spec := field(o, "spec")
	if b, ok := spec["backend"]; ok {
		spec["defaultBackend"] = formerBackend(b)
		delete(spec, "backend")
	}
	for _, rule := range objects(spec, "rules") {
		for _, p := range objects(field(rule, "http"), "paths") {
			if _, typed := p["pathType"]; !typed {
				p["pathType"] = "ImplementationSpecific"
			}
			if b, ok := p["backend"]; ok {
				p["backend"] = formerBackend(b)
			}
		}
	}
}

func formerBackend(b any) any {
	old, ok := b.(map[string]any)
	if !ok {
		return b
	}
	service := map[string]any{}
	if name, ok := old["serviceName"]; ok {
		service["name"] = name
	}
	switch port := old["servicePort"].(type) {
	case string:
		service["port"] = map[string]any{"name": port}
	case float64:
		service["port"] = map[string]any{"number": port}
	}
	out := map[string]any{}
	if len(service) > 0 {
		out["service"] = service
	}
	if r, ok := old["resource"]; ok {
		out["resource"] = r
	}
	return out
}

// formerSubjects: a subject named its API version, and the user "*" was everybody
// who is authenticated.
func formerSubjects(o map[string]any) {
	for _, s := range objects(o, "subjects") {
		group := ""
		if v, ok := s["apiVersion"].(string); ok {
			group, _, _ = strings.Cut(v, "/")
			delete(s, "apiVersion")
		}
		switch s["kind"] {
		case rbacv1.UserKind, rbacv1.GroupKind:
			group = rbacv1.GroupName
		case rbacv1.ServiceAccountKind:
			group = ""
		}
		s["apiGroup"] = group
		if s["kind"] == rbacv1.UserKind && s["name"] == "*" {
			s["kind"], s["name"] = rbacv1.GroupKind, "system:authenticated"
		}
	}
}

// formerOpenShift: OpenShift's own bindings lead to a role of the cluster unless they say
// of which namespace, and may name their subjects as users and groups alone.
func formerOpenShift(o map[string]any) {
	role := field(o, "roleRef")
	kind := "ClusterRole"
	if namespace, _ := role["namespace"].(string); namespace != "" {
		kind = "Role"
	}
	o["roleRef"] = map[string]any{"apiGroup": rbacv1.GroupName, "kind": kind, "name": role["name"]}
	subjects, _ := o["subjects"].([]any)
	if len(subjects) == 0 {
		for from, kind := range map[string]string{"userNames": rbacv1.UserKind, "groupNames": rbacv1.GroupKind} {
			names, _ := o[from].([]any)
			for _, name := range names {
				subjects = append(subjects, map[string]any{"kind": kind, "name": name})
			}
		}
	}
	o["subjects"] = subjects
	for _, s := range objects(o, "subjects") {
		kind, _ := s["kind"].(string)
		s["kind"] = strings.TrimPrefix(kind, "System")
		s["apiGroup"] = rbacv1.GroupName
		if s["kind"] == rbacv1.ServiceAccountKind {
			s["apiGroup"] = ""
		}
	}
	delete(o, "userNames")
	delete(o, "groupNames")
}

// formerWebhooks: a webhook that could not be asked was passed over unless it said
// otherwise; today's default is to refuse.
func formerWebhooks(o map[string]any) {
	for _, w := range objects(o, "webhooks") {
		for field, was := range map[string]string{"failurePolicy": "Ignore", "matchPolicy": "Exact", "sideEffects": "Unknown"} {
			if _, said := w[field]; !said {
				w[field] = was
			}
		}
	}
}

// field is a field that holds an object, or an empty one.
func field(o map[string]any, name string) map[string]any {
	v, _ := o[name].(map[string]any)
	if v == nil {
		v = map[string]any{}
	}
	return v
}

// objects is a field that holds a list of objects.
func objects(o map[string]any, field string) (out []map[string]any) {
	list, _ := o[field].([]any)
	for _, e := range list {
		if v, ok := e.(map[string]any); ok {
			out = append(out, v)
		}
	}
	return out
}
