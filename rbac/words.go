package rbac

import (
	"fmt"
	"strings"
)

// ParseSubject reads who is meant: "ServiceAccount shop/web" or "serviceaccount:shop/web", a
// User or Group in the same two forms, or a user's name alone.
func ParseSubject(text string) (Subject, error) {
	kind, name, ok := strings.Cut(text, " ")
	if !ok {
		if kind, name, ok = strings.Cut(text, ":"); !ok || strings.EqualFold(kind, "system") {
			kind, name = "user", text
		}
	}
	switch strings.ToLower(kind) {
	case "serviceaccount", "sa":
		ns, account, ok := strings.Cut(name, "/")
		if !ok || ns == "" || account == "" {
			return Subject{}, fmt.Errorf("%q: want the account with its namespace: serviceaccount:shop/web", text)
		}
		return ServiceAccount(ns, account), nil
	case "group":
		if name != "" {
			return Group(name), nil
		}
	case "user":
		if name != "" {
			return User(name), nil
		}
	}
	return Subject{}, fmt.Errorf("%q: want a user's name, or serviceaccount:NAMESPACE/NAME, user:NAME or group:NAME", text)
}

// ParseResource reads what is asked for as kubectl auth can-i does: "pods", "deployments.apps",
// "pods/exec", or "/metrics" for a path. Of a resource that Kubernetes brings, the group need not be said.
func ParseResource(text string) (Request, error) {
	if strings.HasPrefix(text, "/") {
		return Request{Path: text}, nil
	}
	name, subresource, _ := strings.Cut(text, "/")
	resource, group, said := strings.Cut(name, ".")
	if resource == "" || said && group == "" || strings.HasSuffix(text, "/") {
		return Request{}, fmt.Errorf("%q: want a resource such as pods, deployments.apps or pods/exec, or a path such as /metrics", text)
	}
	resource = strings.ToLower(resource)
	if !said {
		group = groupOf[resource]
	}
	return Request{Group: group, Resource: resource, Subresource: subresource}, nil
}

// groupOf is the API group of resources that Kubernetes brings and that are in no core group.
var groupOf = func() map[string]string {
	out := map[string]string{"*": "*"}
	for group, resources := range map[string]string{
		"apps":                      "deployments daemonsets statefulsets replicasets controllerrevisions",
		"batch":                     "jobs cronjobs",
		"rbac.authorization.k8s.io": "roles clusterroles rolebindings clusterrolebindings",
		"networking.k8s.io":         "ingresses ingressclasses networkpolicies",
		"certificates.k8s.io":       "certificatesigningrequests signers",
		"admissionregistration.k8s.io": "validatingwebhookconfigurations mutatingwebhookconfigurations " +
			"validatingadmissionpolicies validatingadmissionpolicybindings",
		"apiextensions.k8s.io":   "customresourcedefinitions",
		"apiregistration.k8s.io": "apiservices",
		"autoscaling":            "horizontalpodautoscalers",
		"policy":                 "poddisruptionbudgets",
		"storage.k8s.io":         "storageclasses csidrivers csinodes volumeattachments",
		"discovery.k8s.io":       "endpointslices",
		"coordination.k8s.io":    "leases",
		"authentication.k8s.io":  "tokenreviews userextras selfsubjectreviews",
		"authorization.k8s.io":   "subjectaccessreviews selfsubjectaccessreviews localsubjectaccessreviews",
		"scheduling.k8s.io":      "priorityclasses",
	} {
		for r := range strings.FieldsSeq(resources) {
			out[r] = group
		}
	}
	return out
}()
