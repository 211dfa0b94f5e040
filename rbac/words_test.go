package rbac

import "testing"

func TestSubjectsAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]Subject{
		"serviceaccount:shop/web":        ServiceAccount("shop", "web"),
		"ServiceAccount shop/web":        ServiceAccount("shop", "web"),
		"sa:shop/web":                    ServiceAccount("shop", "web"),
		"system:serviceaccount:shop:web": ServiceAccount("shop", "web"),
		"group:system:authenticated":     Group("system:authenticated"),
		"Group devs":                     Group("devs"),
		"user:oidc:alice":                User("oidc:alice"),
		"alice":                          User("alice"),
		"system:kube-scheduler":          User("system:kube-scheduler"),
	} {
		if got, err := ParseSubject(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"serviceaccount:web", "sa:/web", "sa:shop/", "group:", "user:", "pod:web"} {
		if got, err := ParseSubject(text); err == nil {
			t.Errorf("%s is taken for %v", text, got)
		}
	}
}

func TestResourcesAreReadAsKubectlReadsThem(t *testing.T) {
	for text, want := range map[string]Request{
		"pods":                         {Resource: "pods"},
		"Pods":                         {Resource: "pods"},
		"pods/exec":                    {Resource: "pods", Subresource: "exec"},
		"deployments":                  {Group: "apps", Resource: "deployments"},
		"deployments.extensions":       {Group: "extensions", Resource: "deployments"},
		"deployments.apps/scale":       {Group: "apps", Resource: "deployments", Subresource: "scale"},
		"clusterroles":                 {Group: "rbac.authorization.k8s.io", Resource: "clusterroles"},
		"certificates.cert-manager.io": {Group: "cert-manager.io", Resource: "certificates"},
		"*":                            {Group: "*", Resource: "*"},
		"/metrics":                     {Path: "/metrics"},
	} {
		if got, err := ParseResource(text); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".apps", "pods.", "pods/"} {
		if got, err := ParseResource(text); err == nil {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
