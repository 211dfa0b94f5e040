package bench

import "fmt"

const workloadsOfTeam = 10

// kindsOf are the workloads of a team, and their replicas.
var kindsOf = [workloadsOfTeam]struct {
	kind     string
	replicas int
}{
	{"Deployment", 20}, {"Deployment", 3}, {"Deployment", 6}, {"StatefulSet", 3}, {"Deployment", 2},
	{"Deployment", 12}, {"CronJob", 0}, {"Deployment", 8}, {"StatefulSet", 5}, {"Deployment", 4},
}

func (m *made) team(n, nodes int) {
	ns := fmt.Sprintf("team-%d", n)
	labels := object{"kubernetes.io/metadata.name": ns, "team": fmt.Sprint(n)}
	switch n % 4 {
	case 0:
		labels["pod-security.kubernetes.io/enforce"] = "baseline"
	case 1:
		labels["pod-security.kubernetes.io/enforce"] = "restricted"
	}
	m.put("v1", "Namespace", "", ns, object{"labels": labels})
	m.account(ns, "default")
	m.teamRights(n, ns)
	m.policies(n, ns)
	for i, k := range kindsOf {
		w := n*workloadsOfTeam + i
		name := fmt.Sprintf("app-%d", w)
		m.workloadRights(ns, name, w)
		m.secrets(ns, name, w)
		spec := podSpec(name, fmt.Sprintf("%s/%s", ns, name))
		theContainer(spec)["envFrom"] = list{object{"secretRef": object{"name": name}}}
		m.harden(spec, n, w)
		m.workload(k.kind, ns, name, k.replicas, spec)
		if k.kind != "CronJob" {
			m.service(ns, name, object{"type": map[bool]string{true: "LoadBalancer", false: "ClusterIP"}[w%50 == 2]})
		}
		if i < 2 {
			m.put("networking.k8s.io/v1", "Ingress", ns, name, object{"spec": object{"ingressClassName": "nginx", "rules": list{object{
				"host": name + ".example.com", "http": object{"paths": list{object{"path": "/", "pathType": "Prefix", "backend": object{
					"service": object{"name": name, "port": object{"number": 80}}}}}}}}}})
		}
	}
}

// harden makes most pods careful and a few careless.
func (m *made) harden(spec object, team, w int) {
	restricted := object{"allowPrivilegeEscalation": false, "runAsNonRoot": true, "readOnlyRootFilesystem": true,
		"capabilities": object{"drop": list{"ALL"}}, "seccompProfile": object{"type": "RuntimeDefault"}}
	switch {
	case team%4 == 1 || w%3 == 0:
		secure(spec, restricted)
	case team%4 == 0:
	case w%70 == 22:
		secure(spec, object{"privileged": true})
	case w%90 == 37:
		mount(spec, "docker", object{"hostPath": object{"path": "/run/containerd/containerd.sock"}}, false)
	case w%110 == 34:
		secure(spec, object{"capabilities": object{"add": list{"SYS_ADMIN"}}})
	case w%130 == 55:
		mount(spec, "logs", object{"hostPath": object{"path": "/var/log"}}, false)
	}
	if w%4 == 1 {
		spec["automountServiceAccountToken"] = false
	}
}

func (m *made) secrets(ns, name string, w int) {
	m.put("v1", "Secret", ns, name, object{"type": "Opaque", "data": object{"password": "cGFzc3dvcmQ="}})
	if w%10 == 0 {
		m.put("v1", "Secret", ns, name+"-tls", object{"type": "kubernetes.io/tls", "data": object{"tls.crt": "eA==", "tls.key": "eA=="}})
	}
	if w%25 == 0 { // from before Kubernetes 1.24
		m.put("v1", "Secret", ns, name+"-token", object{"type": "kubernetes.io/service-account-token", "data": object{"token": "eA=="},
			"annotations": object{"kubernetes.io/service-account.name": name}})
	}
}

func (m *made) service(ns, name string, spec object) {
	spec["selector"] = object{"app.kubernetes.io/name": name}
	spec["ports"] = list{object{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}}
	rest := object{"spec": spec}
	if spec["type"] == "LoadBalancer" {
		rest["status"] = object{"loadBalancer": object{"ingress": list{object{"ip": fmt.Sprintf("203.0.%d.%d",
			113+len(m.objects)/250%100, len(m.objects)%250+1)}}}}
	}
	m.put("v1", "Service", ns, name, rest)
}

// policies isolate three of five namespaces: all but what comes from the namespace
// itself and from the ingress controller.
func (m *made) policies(n int, ns string) {
	if n%5 > 2 {
		return
	}
	policy := func(name string, spec object) {
		m.put("networking.k8s.io/v1", "NetworkPolicy", ns, name, object{"spec": spec})
	}
	all := object{}
	policy("default-deny", object{"podSelector": all, "policyTypes": list{"Ingress"}})
	policy("same-namespace", object{"podSelector": all, "ingress": list{object{"from": list{object{"podSelector": all}}}}})
	policy("from-ingress", object{"podSelector": all, "ingress": list{object{"ports": list{object{"port": 8080}}, "from": list{object{
		"namespaceSelector": object{"matchLabels": object{"kubernetes.io/metadata.name": "operators"}}}}}}})
	if n%5 == 0 {
		policy("egress", object{"podSelector": all, "policyTypes": list{"Egress"}, "egress": list{object{"to": list{
			object{"namespaceSelector": all}, object{"ipBlock": object{"cidr": "0.0.0.0/0", "except": list{"169.254.169.254/32"}}}}}}})
	}
}
