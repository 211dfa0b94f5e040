package fixes

import (
	"fmt"
	"strings"
)

// scene is a cluster's part in which one technique leads somewhere.
type scene struct {
	technique string
	// assume is what the attacker has; without it the scene's workload app.
	assume string
	// objects are what is applied, in a namespace of the scene's own: $NS stands for it.
	objects string
	// keeps is what the account app may go on doing.
	keeps string
	// title begins that of the fix, where it is none of the technique's own; without a
	// technique the path is one from outside.
	title string
	// cut are pairs of who sends and who no longer gets it: what the fix is for.
	cut [][2]string
}

func (s scene) namespace() string {
	return "s-" + strings.Trim(strings.ReplaceAll(strings.ToLower(s.technique+"-"+s.title), " ", "-"), "-'")
}

func (s scene) assumed() string {
	if s.assume == "" {
		return "workload:" + s.namespace() + "/app"
	}
	return strings.ReplaceAll(s.assume, "$NS", s.namespace())
}

func (s scene) manifests() string {
	all := "apiVersion: v1\nkind: Namespace\nmetadata: {name: $NS}\n" + s.objects
	return strings.ReplaceAll(all, "$NS", s.namespace())
}

// app is a Deployment whose pods are made from what is given.
func app(pod, container string) string { return deployment("app", pod, container) }

func deployment(name, pod, container string) string {
	return fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: $NS}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      automountServiceAccountToken: false
      %[2]s
      containers:
      - name: app
        image: registry.test/app:1
        %[3]s
`, name, pod, container)
}

func capability(names string) string {
	return app("", "securityContext: {capabilities: {add: ["+names+"], drop: [CHOWN]}}")
}

// folder is an app that is given a folder of its node, and one that is its own.
func folder(path string) string {
	return app("volumes: [{name: host, hostPath: {path: "+path+"}}, {name: own, emptyDir: {}}]",
		"volumeMounts: [{name: host, mountPath: /host}, {name: own, mountPath: /own}]")
}

// victim is a workload with a token, whose account may do everything.
const victim = `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: victim, namespace: $NS}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: victim-$NS}
subjects: [{kind: ServiceAccount, name: victim, namespace: $NS}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: $NS}
stringData: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: victim, namespace: $NS}
spec:
  selector: {matchLabels: {app: victim}}
  template:
    metadata: {labels: {app: victim}}
    spec:
      serviceAccountName: victim
      containers: [{name: victim, image: "registry.test/victim:1", stdin: true}]
`

const configMaps = `, {apiGroups: [""], resources: [configmaps], verbs: [get]}`

// account binds a role of its own, with rules, to the account app: cluster-wide or in
// the scene's namespace.
func account(clusterWide bool, rules string) string {
	role, binding, namespace := "Role", "RoleBinding", ", namespace: $NS"
	if clusterWide {
		role, binding, namespace = "ClusterRole", "ClusterRoleBinding", ""
	}
	return strings.NewReplacer("ROLE", role, "BINDING", binding, "NAMESPACE", namespace, "RULES", rules).Replace(`---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: $NS}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ROLE
metadata: {name: app-$NSNAMESPACE}
rules: [RULES` + configMaps + `]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: BINDING
metadata: {name: app-$NSNAMESPACE}
subjects: [{kind: ServiceAccount, name: app, namespace: $NS}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ROLE, name: app-$NS}
`)
}

// may is a scene in which the account app holds a power.
func may(technique string, clusterWide bool, rules string, more ...string) scene {
	return scene{technique: technique, assume: "sa:$NS/app", keeps: "configmaps",
		objects: account(clusterWide, rules) + strings.Join(more, "")}
}

// labelled has the namespace refuse pods that take over their node.
const labelled = `---
apiVersion: v1
kind: Namespace
metadata: {name: $NS, labels: {pod-security.kubernetes.io/enforce: baseline}}
`

// service is a way in from the internet to the app.
const service = `---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: $NS}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {app: app}, ports: [{port: 80, targetPort: 8080}]}
`

// open is an app that takes over its node.
var open = app("", "ports: [{containerPort: 8080}]\n        securityContext: {privileged: true}")

// cache is a program that asks nobody who they are; its account may read the Secrets of
// another namespace, which nothing of the other scenes leads to.
var cache = strings.NewReplacer("registry.test/app:1", "docker.io/library/redis:7", "automountServiceAccountToken: false",
	"serviceAccountName: cache").Replace(deployment("cache", "",
	"args: [--protected-mode, 'no']\n        ports: [{containerPort: 6379}]")) + `---
apiVersion: v1
kind: ServiceAccount
metadata: {name: cache, namespace: $NS}
---
apiVersion: v1
kind: Namespace
metadata: {name: $NS-vault}
---
apiVersion: v1
kind: Secret
metadata: {name: password, namespace: $NS-vault}
stringData: {a: b}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: read, namespace: $NS-vault}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: read, namespace: $NS-vault}
subjects: [{kind: ServiceAccount, name: cache, namespace: $NS}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: read}
`

const forAccess = `apiGroups: [rbac.authorization.k8s.io], `

var scenes = []scene{
	{technique: "privileged-container", objects: app("", "securityContext: {privileged: true}")},
	{technique: "capability-dac-read-search", objects: capability("DAC_READ_SEARCH, NET_RAW")},
	{technique: "capability-sys-admin", objects: capability("SYS_ADMIN")},
	{technique: "capability-sys-module", objects: capability("SYS_MODULE")},
	{technique: "capability-sys-rawio", objects: capability("SYS_RAWIO")},
	{technique: "trace-host-processes", objects: app("hostPID: true", "securityContext: {capabilities: {add: [SYS_PTRACE]}}")},
	{technique: "host-root-folder", objects: folder("/")},
	{technique: "host-start-up-files", objects: folder("/etc/systemd")},
	{technique: "host-programs", objects: folder("/usr/bin")},
	{technique: "host-logins", objects: folder("/etc/ssh")},
	{technique: "host-static-pods", objects: folder("/etc/kubernetes/manifests")},
	{technique: "host-kubelet-config", objects: folder("/etc/kubernetes/kubelet")},
	{technique: "host-runtime-config", objects: folder("/etc/containerd")},
	{technique: "host-runtime-state", objects: folder("/var/lib/containerd")},
	{technique: "host-core-pattern", objects: folder("/proc/sys")},
	{technique: "host-kernel-objects", objects: folder("/sys")},
	{technique: "host-runtime-socket", objects: folder("/run/containerd/containerd.sock")},
	{technique: "host-service-manager", objects: folder("/run/dbus/system_bus_socket")},
	{technique: "host-control-plane-keys", objects: folder("/etc/kubernetes/pki")},
	{technique: "host-etcd-data", objects: folder("/var/lib/etcd")},
	{technique: "host-pod-tokens", objects: folder("/var/lib/kubelet/pods") + victim},
	{technique: "host-kubelet-keys", objects: folder("/var/lib/kubelet/pki") + victim},
	{technique: "service-account-token", objects: account(false, `{apiGroups: [""], resources: [pods/exec], verbs: [create]}`) + victim +
		strings.ReplaceAll(app("serviceAccountName: app", ""), "automountServiceAccountToken: false", "enableServiceLinks: false")},
	{technique: "token-secret", assume: "sa:$NS/app",
		objects: account(false, `{apiGroups: [""], resources: [secrets], verbs: [get]}`) + victim + `---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata: {name: token, namespace: $NS, annotations: {kubernetes.io/service-account.name: victim}}
`},

	may("everything-in-cluster", true, `{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}`),
	may("exec-in-container", false, `{apiGroups: [""], resources: [pods/exec, pods/log], verbs: [create]}`, victim),
	may("attach-to-container", false, `{apiGroups: [""], resources: [pods/attach], verbs: [create]}`, victim),
	may("add-ephemeral-container", false, `{apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [patch]}`, labelled, victim),
	may("debug-container-on-node", false, `{apiGroups: [""], resources: [pods/ephemeralcontainers], verbs: [update]}`, app("", "")),
	may("change-pod-image", false, `{apiGroups: [""], resources: [pods], verbs: [get, patch]}`, victim),
	may("workload-as-account", false,
		`{apiGroups: [apps], resources: [deployments], verbs: [get, update, patch], resourceNames: [victim]}`, victim),
	may("workload-on-node", false, `{apiGroups: [apps, batch], resources: [deployments, jobs], verbs: [create]}`),
	may("pod-as-account", false, `{apiGroups: [""], resources: [pods, services], verbs: [create, delete]}`, labelled, victim),
	may("pod-on-node", false, `{apiGroups: [""], resources: [pods], verbs: [create]}`),
	may("own-persistent-volume", false, `{apiGroups: [""], resources: [persistentvolumeclaims, pods], verbs: [create]}`, labelled, `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: volumes-$NS}
rules: [{apiGroups: [""], resources: [persistentvolumes], verbs: [get, create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: volumes-$NS}
subjects: [{kind: ServiceAccount, name: app, namespace: $NS}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: volumes-$NS}
`),
	may("claim-of-host-folder", false, `{apiGroups: [""], resources: [pods, services], verbs: [create]}`, labelled, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: node-$NS}
spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteMany], storageClassName: "", hostPath: {path: /}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: node, namespace: $NS}
spec: {accessModes: [ReadWriteMany], storageClassName: "", volumeName: node-$NS, resources: {requests: {storage: 1Gi}}}
`),
	may("read-secret", true, `{apiGroups: [""], resources: [secrets, endpoints], verbs: [get, list]}`),
	may("mint-token-secret", false, `{apiGroups: [""], resources: [secrets], verbs: [create, get]}`, victim),
	may("request-token", false, `{apiGroups: [""], resources: [serviceaccounts/token], verbs: [create]}`, victim),
	may("impersonate-account", false, `{apiGroups: [""], resources: [serviceaccounts], verbs: [impersonate, get]}`, victim),
	may("impersonate-anyone", true, `{apiGroups: [""], resources: [users], verbs: [impersonate]}`),
	may("impersonate-group", true, `{apiGroups: [""], resources: [groups], verbs: [impersonate], resourceNames: ["system:masters"]},
  {apiGroups: [""], resources: [users], verbs: [impersonate], resourceNames: [nobody]}`),
	may("impersonate-user", true, `{apiGroups: [""], resources: [users], verbs: [impersonate], resourceNames: [admin-$NS]}`, `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admin-$NS}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: admin-$NS}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
`),
	may("bind-cluster-role", true, `{`+forAccess+`resources: [clusterroles], verbs: [bind]},
  {`+forAccess+`resources: [clusterrolebindings], verbs: [create]}`),
	may("bind-cluster-role-in-namespace", false, `{`+forAccess+`resources: [clusterroles], verbs: [bind]},
  {`+forAccess+`resources: [rolebindings], verbs: [create]}`, victim),
	may("bind-role", false, `{`+forAccess+`resources: [roles], verbs: [bind]},
  {`+forAccess+`resources: [rolebindings], verbs: [create]}`, victim, `---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: strong, namespace: $NS}
rules: [{apiGroups: [""], resources: [pods/exec], verbs: [create]}]
`),
	may("escalate-cluster-role", true, `{`+forAccess+`resources: [clusterroles], verbs: [escalate, patch]}`),
	may("escalate-role", false, `{`+forAccess+`resources: [roles], verbs: [escalate, patch]}`, victim),
	may("write-cluster-role-by-name", true,
		`{`+forAccess+`resources: [clusterroles, clusterrolebindings], verbs: ["*"], resourceNames: [mine]}`),
	may("write-role-by-name", false, `{`+forAccess+`resources: [roles, rolebindings], verbs: ["*"], resourceNames: [mine]}`, victim),
	may("kubelet-proxy", true, `{apiGroups: [""], resources: [nodes/proxy, nodes/metrics], verbs: [get]}`, victim),
	may("approve-certificate", true, `{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create]},
  {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]},
  {apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve], resourceNames: [kubernetes.io/kube-apiserver-client]}`),
	may("kubelet-certificate", true, `{apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests], verbs: [create]},
  {apiGroups: [certificates.k8s.io], resources: [certificatesigningrequests/approval], verbs: [update]},
  {apiGroups: [certificates.k8s.io], resources: [signers], verbs: [approve], resourceNames: [kubernetes.io/kube-apiserver-client-kubelet]}`,
		victim),
	may("change-admission-webhook", true,
		`{apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [create]}`),
	may("relabel-namespace", false, `{apiGroups: [""], resources: [namespaces, pods], verbs: [patch, create]}`, labelled),
	may("forward-port", false, `{apiGroups: [""], resources: [pods/portforward, pods/log], verbs: [create]}`, cache, `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: from-nobody, namespace: $NS}
spec: {podSelector: {}, policyTypes: [Ingress]}
`), // which a forwarded port goes past

	{title: "Narrow the exposure through service", objects: open + service},
	{title: "Restrict who may connect", objects: open + service + deployment("other", "", ""),
		cut: [][2]string{{"outside", "app"}}},
	{title: "Take the pods off their nodes", objects: app("hostNetwork: true",
		"ports: [{containerPort: 8080, hostPort: 8080}]\n        securityContext: {privileged: true}"),
		cut: [][2]string{{"app", "test/s-forward-port/Deployment/cache"}}}, // no policy held for it before
	{technique: "exec-in-container", title: "Remove the grants", assume: "sa:$NS/app", keeps: "configmaps",
		objects: account(false, `{apiGroups: [""], resources: [pods/exec, pods/attach], verbs: [create]}`) + victim},
	{technique: "open-service-reached", title: "Let fewer pods connect", cut: [][2]string{{"app", "cache"}},
		objects: app("", "") + deployment("other", "", "") + cache},
}

// uncovered are techniques with code and without a scene.
var uncovered = map[string]string{
	"shared-processes":            "a setting of the pod, written as that of trace-host-processes is",
	"registry-push":               "no registry serves the image of a scene",
	"change-workload":             "the power is that of workload-as-account",
	"pod-mounts-secret":           "the power is that of pod-as-account",
	"change-coredns":              "what it gives is no control, so that no path takes it",
	"host-private-keys":           "what it gives is no control, so that no path takes it",
	"host-ipc":                    "what it gives is no control, so that no path takes it",
	"host-processes":              "what it gives is no control, so that no path takes it",
	"host-network":                "what it gives is no control, so that no path takes it",
	"host-network-administration": "what it gives is no control, so that no path takes it",
	"kernel-tracing":              "what it gives is no control, so that no path takes it",
	"unmasked-proc":               "the API server lets it in only with a user namespace, in which it gives nothing",
	"host-process-container":      "it takes a node of Windows",
	"host-disk":                   "a raw device has no mount that could be taken out; the product says so",
	"host-log-files":              "see host-log-files-secrets",
	"host-kubelet-keys-secrets":   "the mount is that of host-kubelet-keys",
	"host-pod-secrets":            "the mount is that of host-pod-tokens",
	"host-log-files-secrets":      "it is written as for the other folders: read-only",
	"node-identity-metadata":      "a pretended node has no identity in a cloud; remedy's own tests try the policy on the judge",
	"federated-identity-by-pod":   "a pretended cluster has no cloud; the powers are those of pod-as-account and request-token",
	"change-aws-auth":             "a pretended cluster is none of EKS; the power is that of change-coredns",
	"forward-port-exploit":        "no image of a scene has a vulnerability; the power is that of forward-port",
	"disclosed-token":             "no image of a scene has a vulnerability; the setting is that of service-account-token",
	"disclosed-token-outside":     "no image of a scene has a vulnerability; the setting is that of service-account-token",
	"kubelet-certificate-secrets": "the power is that of kubelet-certificate",
	"impersonate-node":            "the power is narrowed as that of impersonate-group is",
	"impersonate-node-secrets":    "the power is narrowed as that of impersonate-group is",
	"new-namespace":               "pods are made in other scenes' namespaces, which nothing guards; it is narrowed as relabel-namespace is",
	"remove-admission-policy":     "the power is narrowed as that of relabel-namespace is",
}

// plugin is a network plugin that enforces policies.
const plugin = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: calico-node}}
  template:
    metadata: {labels: {k8s-app: calico-node}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: calico-node, image: "quay.io/calico/node:v3.30.0"}]
`
