package bench

import (
	"fmt"
	"strings"
)

// rules is verbs, API groups and resources, each a list with commas.
func rules(verbs, groups, resources string, names ...string) object {
	out := object{"verbs": strings.Split(verbs, ","), "apiGroups": strings.Split(groups, ","), "resources": strings.Split(resources, ",")}
	if len(names) > 0 {
		out["resourceNames"] = names
	}
	return out
}

func account(namespace, name string) object {
	return object{"kind": "ServiceAccount", "namespace": namespace, "name": name}
}

func group(name string) object {
	return object{"kind": "Group", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
}

func user(name string) object {
	return object{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
}

const rbacVersion = "rbac.authorization.k8s.io/v1"

func (m *made) account(namespace, name string) {
	m.put("v1", "ServiceAccount", namespace, name, object{})
}

func (m *made) clusterRole(name string, labels object, rules ...object) {
	m.put(rbacVersion, "ClusterRole", "", name, object{"labels": labels, "rules": rules})
}

func (m *made) role(namespace, name string, rules ...object) {
	m.put(rbacVersion, "Role", namespace, name, object{"rules": rules})
}

func (m *made) bindCluster(name, role string, subjects ...object) {
	m.put(rbacVersion, "ClusterRoleBinding", "", name, object{"subjects": subjects,
		"roleRef": object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}})
}

func (m *made) bind(namespace, name, kind, role string, subjects ...object) {
	m.put(rbacVersion, "RoleBinding", namespace, name, object{"subjects": subjects,
		"roleRef": object{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}})
}

// builtInRoles are those that every API server has, as far as they matter.
func (m *made) builtInRoles() {
	const read, write = "get,list,watch", "create,delete,deletecollection,patch,update"
	aggregate := func(to string) object { return object{"rbac.authorization.k8s.io/aggregate-to-" + to: "true"} }
	m.clusterRole("cluster-admin", nil, rules("*", "*", "*"))
	m.bindCluster("cluster-admin", "cluster-admin", group("system:masters"))
	for _, to := range []string{"view", "edit", "admin"} {
		m.put(rbacVersion, "ClusterRole", "", to, object{"rules": list{}, "aggregationRule": object{"clusterRoleSelectors": list{
			object{"matchLabels": aggregate(to)}}}})
	}
	viewed := aggregate("view")
	viewed["rbac.authorization.k8s.io/aggregate-to-edit"], viewed["rbac.authorization.k8s.io/aggregate-to-admin"] = "true", "true"
	m.clusterRole("system:aggregate-to-view", viewed, rules(read, "", "configmaps,endpoints,pods,pods/log,services,serviceaccounts"),
		rules(read, "apps,batch", "deployments,replicasets,statefulsets,daemonsets,jobs,cronjobs"))
	edited := aggregate("edit")
	edited["rbac.authorization.k8s.io/aggregate-to-admin"] = "true"
	m.clusterRole("system:aggregate-to-edit", edited, rules(read, "", "pods/attach,pods/exec,pods/portforward,pods/proxy,secrets"),
		rules("impersonate", "", "serviceaccounts"), rules("create", "", "serviceaccounts/token"),
		rules(write, "", "pods,pods/attach,pods/exec,pods/portforward,secrets,configmaps,services,serviceaccounts"),
		rules(write, "apps,batch", "deployments,deployments/scale,replicasets,statefulsets,daemonsets,jobs,cronjobs"))
	m.clusterRole("system:aggregate-to-admin", aggregate("admin"),
		rules(read+","+write, "rbac.authorization.k8s.io", "roles,rolebindings"))
	m.clusterRole("system:discovery", nil, object{"verbs": list{"get"}, "nonResourceURLs": list{"/api", "/apis", "/healthz", "/version"}})
	m.bindCluster("system:discovery", "system:discovery", group("system:authenticated"))
	m.clusterRole("system:basic-user", nil, rules("create", "authorization.k8s.io", "selfsubjectaccessreviews"))
	m.bindCluster("system:basic-user", "system:basic-user", group("system:authenticated"))
	for _, c := range []string{"replicaset", "deployment", "daemon-set", "statefulset", "job", "cronjob"} {
		name := "system:controller:" + c + "-controller"
		m.account("kube-system", c+"-controller")
		m.clusterRole(name, nil, rules("create,delete,get,list,patch,watch,update", ",apps,batch", "pods,replicasets,controllerrevisions,jobs"),
			rules("create,patch", "", "events"))
		m.bindCluster(name, name, account("kube-system", c+"-controller"))
	}
	m.bindCluster("platform-team", "cluster-admin", group("oidc:platform"), user("root@example.com"))
	m.bindCluster("auditors", "view", group("oidc:auditors"))
}

// operators run in the cluster with what their charts ask for.
var operators = []struct {
	name string
	may  []object
}{
	{"argocd-application-controller", []object{rules("*", "*", "*")}},
	{"cert-manager", []object{rules("get,list,watch,create,update,delete,patch", "", "secrets"),
		rules("*", "cert-manager.io,acme.cert-manager.io", "*"),
		rules("get,list,watch,create,update,delete", "networking.k8s.io", "ingresses")}},
	{"cert-manager-cainjector", []object{rules("get,list,watch", "", "secrets"), rules("get,list,watch,update,patch",
		"admissionregistration.k8s.io", "validatingwebhookconfigurations,mutatingwebhookconfigurations")}},
	{"external-secrets", []object{rules("get,list,watch,create,update,delete,patch", "", "secrets"), rules("get,list", "", "namespaces"),
		rules("create", "", "serviceaccounts/token")}},
	{"ingress-nginx", []object{rules("get,list,watch", "", "configmaps,endpoints,nodes,pods,secrets,services"),
		rules("get,list,watch", "networking.k8s.io", "ingresses")}},
	{"prometheus", []object{rules("get,list,watch", "", "nodes,nodes/metrics,services,endpoints,pods")}},
	{"prometheus-operator", []object{rules("*", "apps", "statefulsets"), rules("*", "", "configmaps,secrets"),
		rules("list,delete", "", "pods"), rules("*", "monitoring.coreos.com", "*")}},
	{"kube-state-metrics", []object{rules("list,watch", "", "configmaps,secrets,nodes,pods,services"),
		rules("list,watch", "apps,batch", "*")}},
	{"metrics-server", []object{rules("get", "", "nodes/metrics"), rules("get,list,watch", "", "pods,nodes")}},
	{"cluster-autoscaler", []object{rules("watch,list,get,update", "", "nodes"), rules("create", "", "pods/eviction"),
		rules("list,watch,get", "", "pods")}},
	{"keda-operator", []object{rules("get,list,watch", "", "configmaps,pods,secrets"), rules("*", "*", "*/scale"),
		rules("*", "keda.sh", "*")}},
	{"velero", []object{rules("*", "*", "*")}},
	{"kyverno-background", []object{rules("get,list,watch", "", "pods,namespaces,configmaps"),
		rules("create,update,delete", "networking.k8s.io", "networkpolicies"), rules("create,update,delete", "", "configmaps,secrets")}},
	{"istiod", []object{rules("get,list,watch", "", "pods,services,endpoints,namespaces,nodes"),
		rules("create", "", "serviceaccounts/token"),
		rules("get,watch,list,update,patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
		rules("get,list,watch", "", "secrets")}},
	{"gitlab-runner", []object{rules("*", "", "pods,pods/exec,pods/attach,secrets,configmaps,serviceaccounts")}},
	{"tekton-pipelines", []object{rules("get,list,create,update,delete,patch,watch", "",
		"pods,pods/log,secrets,events,serviceaccounts,configmaps"),
		rules("*", "tekton.dev", "*")}},
	{"crossplane", []object{rules("*", "rbac.authorization.k8s.io",
		"clusterroles,clusterrolebindings,roles,rolebindings"), rules("*", "", "secrets")}},
	{"postgres-operator", []object{rules("*", "", "pods,services,secrets,configmaps,serviceaccounts"), rules("*", "apps", "statefulsets"),
		rules("create", "", "pods/exec"), rules("get,create", "rbac.authorization.k8s.io", "rolebindings")}},
	{"kafka-operator", []object{rules("*", "", "pods,services,secrets,configmaps,serviceaccounts"),
		rules("*", "rbac.authorization.k8s.io", "rolebindings"), rules("*", "apps", "deployments,statefulsets")}},
	{"reloader", []object{rules("list,get,watch", "", "secrets,configmaps"),
		rules("list,get,update,patch", "apps", "deployments,daemonsets,statefulsets")}},
	{"external-dns", []object{rules("get,watch,list", "", "services,endpoints,pods"),
		rules("get,watch,list", "networking.k8s.io", "ingresses")}},
	{"node-problem-detector", []object{rules("patch", "", "nodes/status"), rules("get", "", "nodes")}},
	{"csi-provisioner", []object{rules("get,list", "", "secrets"), rules("get,list,watch,create,delete", "", "persistentvolumes"),
		rules("get,list,watch,update", "", "persistentvolumeclaims")}},
	{"vault-agent-injector", []object{rules("get,list,watch,patch", "admissionregistration.k8s.io", "mutatingwebhookconfigurations")}},
	{"trivy-operator", []object{rules("get,list,watch", "", "pods,secrets,nodes,nodes/proxy"), rules("create,delete", "batch", "jobs")}},
}

func (m *made) operator(n int, o struct {
	name string
	may  []object
}) {
	const ns = "operators"
	m.account(ns, o.name)
	m.clusterRole(o.name, nil, o.may...)
	m.bindCluster(o.name, o.name, account(ns, o.name))
	m.role(ns, o.name+"-leader", rules("get,update,create", "coordination.k8s.io", "leases"))
	m.bind(ns, o.name+"-leader", "Role", o.name+"-leader", account(ns, o.name))
	image := "operators/" + o.name
	if o.name == "ingress-nginx" {
		image = "ingress-nginx/controller"
	}
	spec := podSpec(o.name, image)
	m.workload("Deployment", ns, o.name, 2, spec)
	m.service(ns, o.name, object{"type": map[bool]string{true: "LoadBalancer", false: "ClusterIP"}[o.name == "ingress-nginx"]})
	if n%5 == 0 {
		m.put("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", o.name, object{"webhooks": list{object{
			"name": o.name + ".example.com", "clientConfig": object{"service": object{"namespace": ns, "name": o.name, "path": "/"}},
			"rules":       list{object{"operations": list{"CREATE"}, "apiGroups": list{""}, "apiVersions": list{"v1"}, "resources": list{"pods"}}},
			"sideEffects": "None", "admissionReviewVersions": list{"v1"}, "failurePolicy": "Ignore"}}})
	}
}

// teamRights are who may do what in a team's namespace, besides its workloads.
func (m *made) teamRights(n int, ns string) {
	team := group(fmt.Sprintf("oidc:team-%d", n))
	switch n % 5 {
	case 0:
		m.bind(ns, "developers", "ClusterRole", "admin", team)
	case 1, 2:
		m.bind(ns, "developers", "ClusterRole", "edit", team)
	default:
		m.bind(ns, "developers", "ClusterRole", "view", team, user(fmt.Sprintf("lead-%d@example.com", n)))
		m.role(ns, "debug", rules("create,get", "", "pods/exec,pods/portforward"), rules("get,list", "", "pods"))
		m.bind(ns, "debug", "Role", "debug", user(fmt.Sprintf("lead-%d@example.com", n)))
	}
	m.account(ns, "deployer")
	m.role(ns, "deployer",
		rules("get,list,watch,create,update,patch,delete", ",apps,batch", "deployments,statefulsets,jobs,cronjobs,services,configmaps,secrets"))
	m.bind(ns, "deployer", "Role", "deployer", account(ns, "deployer"))
	m.bind(ns, "argocd", "ClusterRole", "admin", account("operators", "argocd-application-controller"))
	m.bind(ns, "platform-on-call", "ClusterRole", "edit", group("oidc:on-call"))
}

// workloadRights are what one workload's account may do.
func (m *made) workloadRights(ns, name string, w int) {
	m.account(ns, name)
	m.role(ns, name, rules("get", "", "configmaps,secrets", name), rules("get,update,create", "coordination.k8s.io", "leases"))
	m.bind(ns, name, "Role", name, account(ns, name))
	switch {
	case w%40 == 7:
		m.role(ns, name+"-jobs", rules("create,get,list,delete", "batch", "jobs"), rules("get,list", "", "pods,pods/log"))
		m.bind(ns, name+"-jobs", "Role", name+"-jobs", account(ns, name))
	case w%40 == 13:
		m.bind(ns, name+"-edit", "ClusterRole", "edit", account(ns, name))
	case w%200 == 29:
		m.bindCluster(ns+"-"+name, "view", account(ns, name))
	case w%400 == 31: // the mistake that is found everywhere
		m.bindCluster(ns+"-"+name, "cluster-admin", account(ns, name))
	}
}
