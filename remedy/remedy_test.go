package remedy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
)

// maker is that of a cluster of manifests.
func maker(t *testing.T, manifests string) *Maker {
	t.Helper()
	f, err := kube.ReadFS(fstest.MapFS{"all.yaml": {Data: []byte(manifests)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "c"
	rules, err := builtIn()
	if err != nil {
		t.Fatal(err)
	}
	return New(f, rules)
}

var builtIn = sync.OnceValues(func() (*analyse.Rules, error) { return analyse.Load("") })

// told is the code of the only fix of a path, as text.
func told(m *Maker, p analyse.Path) string {
	f := m.Path(p).Fixes[0]
	if f.WithoutCode != "" {
		return "none: " + f.WithoutCode
	}
	var out []string
	for _, c := range f.Code {
		out = append(out, c.Do+" "+c.Object+"\n"+c.YAML)
	}
	return strings.TrimSpace(strings.Join(out, ""))
}

// by is a path whose only fix is that of a technique.
func by(technique, concerns string) analyse.Path {
	return analyse.Path{Cluster: "c", Fixes: []analyse.Fix{{Kind: "rule", Rule: technique, Concerns: []string{concerns}}}}
}

func workload(kind, pod, container string) string {
	head := "apiVersion: apps/v1\nkind: " + kind + "\nmetadata: {name: web, namespace: shop}\n" +
		"spec:\n  selector: {matchLabels: {app: web}}\n"
	template := "  template:\n    metadata: {labels: {app: web}}\n    spec:\n"
	indent := "      "
	switch kind {
	case "Pod":
		head, template, indent = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\nspec:\n", "", "  "
	case "CronJob":
		head = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web, namespace: shop}\n" +
			"spec:\n  schedule: '@daily'\n  jobTemplate:\n    spec:\n"
		template, indent = "      template:\n        spec:\n          restartPolicy: Never\n", "          "
	}
	return head + template + indent + pod + "\n" + indent + "containers:\n" + indent + "- name: app\n" + indent + "  image: reg.test/app:1\n" +
		indent + "  " + container + "\n"
}

func TestFixesOfContainersArePatchesOfWhatPeopleEdit(t *testing.T) {
	const container = "Container c/shop/Pod/web/app"
	const withFolder = "volumes: [{name: host, hostPath: {path: FOLDER}}]"
	const mounted = "volumeMounts: [{name: host, mountPath: /host}]"
	for _, c := range []struct{ name, technique, manifests, want string }{
		{"a privileged container of a Deployment", "privileged-container",
			workload("Deployment", "", "securityContext: {privileged: true}"), `
patch Deployment shop/web
spec:
  template:
    spec:
      containers:
      - name: app
        securityContext:
          privileged: false`},
		{"of a CronJob, which has its pods' template deeper", "privileged-container",
			workload("CronJob", "", "securityContext: {privileged: true}"), `
patch CronJob shop/web
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: app
            securityContext:
              privileged: false`},
		{"of a pod of its own, which is made again", "privileged-container",
			workload("Pod", "", "securityContext: {privileged: true}"), `
replace Pod shop/web
spec:
  containers:
  - name: app
    securityContext:
      privileged: false`},
		{"a capability among others", "capability-sys-admin",
			workload("Deployment", "", "securityContext: {capabilities: {add: [SYS_ADMIN, SYS_TIME], drop: [CHOWN]}}"), `
patch Deployment shop/web
spec:
  template:
    spec:
      containers:
      - name: app
        securityContext:
          capabilities:
            add:
            - SYS_TIME
            drop:
            - CHOWN
            - SYS_ADMIN`},
		{"a folder that only gives something to who writes", "host-programs",
			workload("Deployment", strings.Replace(withFolder, "FOLDER", "/usr/bin", 1), mounted), `
patch Deployment shop/web
spec:
  template:
    spec:
      containers:
      - name: app
        volumeMounts:
        - mountPath: /host
          readOnly: true`},
		{"a folder that gives something to who reads", "host-root-folder",
			workload("Deployment", strings.Replace(withFolder, "FOLDER", "/", 1), mounted), `
patch Deployment shop/web
spec:
  template:
    spec:
      containers:
      - name: app
        volumeMounts:
        - $patch: delete
          mountPath: /host
      volumes:
      - $patch: delete
        name: host`},
		{"a setting of the pod", "host-processes", workload("Deployment", "hostPID: true", ""), `
patch Deployment shop/web
spec:
  template:
    spec:
      hostPID: false`},
		{"the account's token", "service-account-token", workload("Deployment", "serviceAccountName: app", ""), `
patch Deployment shop/web
spec:
  template:
    spec:
      automountServiceAccountToken: false`},
		{"a token that the program is given on purpose", "service-account-token",
			workload("Deployment", "volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token}}]}}]", ""),
			"none: volume t gives the token to the program: whether it needs it only its owner knows"},
		{"an image of which nobody knows what runs", "registry-push", workload("Deployment", "", ""),
			"none: which image container app runs is not known"},
		{"what only its owner knows", "secret-in-container", workload("Deployment", "", ""),
			"none: which Secrets the program needs only its owner knows"},
		{"a rule that is no longer there", "of-somebody-else", workload("Deployment", "", ""),
			"none: rule of-somebody-else is no longer there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(maker(t, c.manifests), by(c.technique, container)); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

func TestSeveralTechniquesOfOneContainerAreOnePatch(t *testing.T) {
	const container = "Container c/shop/Pod/web/app"
	m := maker(t, workload("Deployment", "", "securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN, SYS_MODULE]}}"))
	p := analyse.Path{Cluster: "c", Fixes: []analyse.Fix{
		{Kind: "rule", Together: []string{"capability-sys-admin", "capability-sys-module"}, Concerns: []string{container}},
		{Kind: "rule", Rule: "capability-sys-admin", Title: "Drop", Concerns: []string{container}},
		{Kind: "rule", Rule: "capability-sys-module", Title: "Drop", Concerns: []string{container}},
	}}
	got := told(m, p)
	if strings.Count(got, "patch Deployment") != 1 || !strings.Contains(got, "- SYS_ADMIN") || !strings.Contains(got, "- SYS_MODULE") {
		t.Errorf("got\n%s", got)
	}
}

const twoBound = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: work, namespace: shop}
rules: [RULES]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: work, namespace: shop}
subjects: [{kind: ServiceAccount, name: app, namespace: shop}OTHER]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: work}
`

func TestFixesOfPermissionsLeaveEverythingElseGranted(t *testing.T) {
	for _, c := range []struct{ name, rules, other, want string }{
		{"a role of its own is narrowed", `{apiGroups: [""], resources: [pods/exec, pods], verbs: [get, create]}`, "", `
patch Role shop/work
rules:
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - get
  - create`},
		{"a role of several is left to the others", `{apiGroups: [""], resources: [pods/exec, pods/log], verbs: [get, create]}`,
			", {kind: User, name: ann, apiGroup: rbac.authorization.k8s.io}", `
apply Role shop/work-without-exec-pods
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: work-without-exec-pods
  namespace: shop
rules:
- apiGroups:
  - ""
  resources:
  - pods/log
  verbs:
  - get
  - create
apply RoleBinding shop/work-without-exec-pods-for-app
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: work-without-exec-pods-for-app
  namespace: shop
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: work-without-exec-pods
subjects:
- kind: ServiceAccount
  name: app
  namespace: shop
patch RoleBinding shop/work
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: ann`},
		{"a wildcard cannot be narrowed", `{apiGroups: [""], resources: ["*"], verbs: [create]}`, "", `
delete RoleBinding shop/work`},
		{"nothing grants it", `{apiGroups: [""], resources: [pods], verbs: [get]}`, "",
			"none: what grants it to ServiceAccount shop/app cannot be told apart from what else it is granted"},
		{"a group grants it", `{apiGroups: [""], resources: [pods], verbs: [get]}`,
			"]\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: work}\n" + `---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: all, namespace: shop}
subjects: [{kind: Group, name: "system:serviceaccounts", apiGroup: rbac.authorization.k8s.io}]
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
---
# `, "none: ServiceAccount shop/app holds it as a member of Group system:serviceaccounts, as others do: see what is granted to that"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := maker(t, strings.NewReplacer("RULES", c.rules, "OTHER", c.other).Replace(twoBound))
			p := analyse.Path{Cluster: "c", Fixes: []analyse.Fix{{Kind: "permission",
				Concerns: []string{"ServiceAccount c/shop/ServiceAccount/app", "Permission c/shop/Permission/exec-pods"}}}}
			if got := told(m, p); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

// estate is a web behind an ingress controller, and a client beside it.
func estate(more string) string {
	deployment := func(name, namespace string) string {
		return strings.NewReplacer("web", name, "namespace: shop", "namespace: "+namespace).Replace(workload("Deployment", "", "")) + "---\n"
	}
	return deployment("web", "shop") + deployment("client", "shop") + deployment("gate", "entry") + deployment("metrics", "entry") + more
}

func TestANetworkPolicyCutsTheWayInAndNothingElse(t *testing.T) {
	p := analyse.Path{Cluster: "c", Carriers: []string{"c/entry/Deployment/gate"},
		Fixes: []analyse.Fix{{Kind: "exposure", Title: "Restrict who may connect", Concerns: []string{"Pod c/shop/Pod/web"}}}}
	for _, c := range []struct{ name, more, want string }{
		{"the controller is kept away, who runs beside it is not", "", `
apply NetworkPolicy shop/web-from-inside-only
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-from-inside-only
  namespace: shop
spec:
  ingress:
  - from:
    - namespaceSelector:
        matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: NotIn
          values:
          - entry
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: entry
      podSelector:
        matchExpressions:
        - key: app
          operator: NotIn
          values:
          - gate
  podSelector:
    matchLabels:
      app: web
  policyTypes:
  - Ingress`},
		{"a policy is there already", `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: mine, namespace: shop}
spec: {podSelector: {}, ingress: [{}]}
`, "none: policies add up, so another one takes nothing away: narrow NetworkPolicy shop/mine, which selects the pods already"},
		{"nothing tells the pods apart", strings.Replace(workload("Deployment", "", ""), "{name: web,", "{name: twin,", 1),
			"none: no label tells the pods of Deployment shop/web from those of Deployment shop/twin: give them one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(maker(t, estate(c.more)), p); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

func TestAStepOverTheNetworkIsCutBetweenItsTwoWorkloadsAlone(t *testing.T) {
	const node = `apiVersion: v1
kind: Node
metadata: {name: n1}
spec: {podCIDR: 10.9.0.0/24, podCIDRs: [10.9.0.0/24]}
`
	const cut = `
apply NetworkPolicy shop/web-not-from-client
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-not-from-client
  namespace: shop
spec:
  ingress:
  - from:
    - namespaceSelector:
        matchExpressions:
        - key: kubernetes.io/metadata.name
          operator: NotIn
          values:
          - shop
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: shop
      podSelector:
        matchExpressions:
        - key: app
          operator: NotIn
          values:
          - client
    - ipBlock:
        cidr: 0.0.0.0/0
        except:
        - 10.9.0.0/24
    - ipBlock:
        cidr: ::/0
  podSelector:
    matchLabels:
      app: web
  policyTypes:
  - Ingress`
	onNode := func(name string) func(string) string {
		return func(s string) string {
			at := strings.Index(s, "metadata: {labels: {app: "+name+"}}\n    spec:\n")
			return s[:at] + strings.Replace(s[at:], "spec:\n", "spec:\n      hostNetwork: true\n", 1)
		}
	}
	web := analyse.Thing{ID: "web", Kind: "Container", Members: []string{"c/shop/Pod/web/app"}}
	secret := analyse.Thing{ID: "s", Kind: "Secret", Members: []string{"c/shop/Secret/s"}}
	listeners := []string{"NetClass l", "Pod c/shop/Pod/web"}
	same := func(s string) string { return s }
	for _, c := range []struct {
		name      string
		change    func(string) string
		listeners []string
		leadsTo   analyse.Thing
		addresses string // of pods
		want      string
	}{
		{"code is run in the listener", same, listeners, web, "10.9.0.%d", cut},
		{"the only listener gives away a Secret", same, listeners, secret, "10.9.0.%d", cut},
		{"one of two listeners does", same, append(listeners, "Pod c/entry/Pod/gate"), secret, "10.9.0.%d",
			"none: more workloads than one listen there, and the path does not say which of them gives it away"},
		{"which addresses are pods' is not known", func(s string) string { return strings.Replace(s, ", podCIDRs: [10.9.0.0/24]", "", 1) },
			listeners, web, "10.9.0.%d",
			"none: which addresses pods have is not known, so that those outside of the cluster cannot be told from them"},
		{"pods have no addresses yet", same, listeners, web, "",
			"none: no policy surely keeps shop/Deployment/client away from Deployment shop/web: " +
				"its pods have no addresses yet, or some that no node says are pods'"},
		{"pods have addresses that no node tells of", same, listeners, web, "10.8.0.%d",
			"none: no policy surely keeps shop/Deployment/client away from Deployment shop/web: " +
				"its pods have no addresses yet, or some that no node says are pods'"},
		{"who sends is on its node's network", onNode("client"), listeners, web, "10.9.0.%d",
			"none: no policy surely keeps shop/Deployment/client away from Deployment shop/web: its pods are on their nodes' network"},
		{"who listens is", onNode("web"), listeners, web, "10.9.0.%d",
			"none: network policies do not hold for Deployment shop/web: its pods are on their nodes' network"},
		{"the pods are gone", same, listeners, analyse.Thing{ID: "web", Kind: "Container", Members: []string{"c/shop/Pod/old/app"}},
			"10.9.0.%d", "none: the pods are no longer there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := maker(t, c.change(estate(node)))
			for i, k := range slices.SortedFunc(maps.Keys(m.facts.Pods), func(a, b collect.Key) int { return cmp.Compare(a.Name, b.Name) }) {
				if c.addresses != "" {
					m.facts.Pods[k].IPs = []string{fmt.Sprintf(c.addresses, i+1)}
				}
			}
			p := analyse.Path{Cluster: "c", Fixes: []analyse.Fix{{Kind: "exposure", Concerns: c.listeners}},
				Nodes: []analyse.Thing{{ID: "client", Kind: "Container", Members: []string{"c/shop/Pod/client/app"}}, {ID: "k", Kind: "NetClass"},
					{ID: "l", Kind: "NetClass"}, c.leadsTo},
				Steps: []analyse.Step{{From: "client", Edge: "TALKS_AS", To: "k"}, {From: "k", Edge: "CAN_TALK_TO", To: "l"},
					{From: "l", Edge: "CAN_EXECUTE_IN", To: c.leadsTo.ID}}}
			if got := told(m, p); got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

func TestATokenThatAListenerGivesAwayIsTakenFromItUnlessOthersRunAsItsAccount(t *testing.T) {
	const without = "patch Deployment shop/web\nspec:\n  template:\n    spec:\n      automountServiceAccountToken: false"
	for _, c := range []struct{ name, technique, from, more, want string }{
		{"no other workload runs as the account", "disclosed-token", "NetClass l", "", without},
		{"another does", "disclosed-token", "NetClass l",
			"---\n" + strings.ReplaceAll(workload("Deployment", "", ""), "name: web", "name: api"),
			"none: Deployment shop/api runs as the same account, and the path does not say which of them gives it away"},
		{"the path tells the pods by which it enters", "disclosed-token-outside", "Pod c/shop/Pod/web",
			"---\n" + strings.ReplaceAll(workload("Deployment", "", ""), "name: web", "name: api"), without},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := by(c.technique, c.from)
			p.Fixes[0].Concerns = append(p.Fixes[0].Concerns, "Image sha256:a", "Container c/shop/Pod/web/app")
			if got := told(maker(t, workload("Deployment", "", "")+c.more), p); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAPodIsKeptFromTheMetadataServiceAlone(t *testing.T) {
	got := told(maker(t, estate("")), by("node-identity-metadata", "Container c/shop/Pod/web/app"))
	for _, want := range []string{"except:\n        - 169.254.169.254/32", "cidr: 0.0.0.0/0",
		"cidr: ::/0", "namespaceSelector: {}", "- Egress", "app: web"} {
		if !strings.Contains(got, want) {
			t.Errorf("want %q in\n%s", want, got)
		}
	}
}

func TestDoorsAreClosedAtTheObjectThatOpensThem(t *testing.T) {
	const service = `---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: TYPE, selector: {app: web}, ports: [{port: 80}]}
`
	const ingress = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
  - {host: a.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}
`
	const another = `  - {host: b.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: other, port: {number: 80}}}}]}}
`
	for _, c := range []struct{ name, more, door, want string }{
		{"a load balancer", strings.Replace(service, "TYPE", "LoadBalancer", 1), "Service c/shop/Service/web",
			"patch Service shop/web\nspec:\n  type: ClusterIP"},
		{"a service of the cluster's own", strings.Replace(service, "TYPE", "ClusterIP", 1), "Service c/shop/Service/web",
			"none: the service itself is open to the cluster alone: what leads to it has to be changed"},
		{"an ingress for nothing else", strings.Replace(service, "TYPE", "ClusterIP", 1) + ingress, "Ingress c/shop/Ingress/web",
			"delete Ingress shop/web"},
		{"an ingress for others too", strings.Replace(service, "TYPE", "ClusterIP", 1) + ingress + another, "Ingress c/shop/Ingress/web",
			"patch Ingress shop/web\nspec:\n  rules:\n  - host: b.test"},
		{"a node", "", "Node c/Node/n1", "none: what leads in here is not an object of the cluster, or not one that is changed by hand"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := analyse.Path{Cluster: "c", Foothold: analyse.Thing{Namespace: "shop", Workload: "Deployment/web"},
				Fixes: []analyse.Fix{{Kind: "exposure", Concerns: []string{c.door}}}}
			if got := told(maker(t, estate(c.more)), p); !strings.HasPrefix(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestNamesThatAShellWouldReadAreQuoted(t *testing.T) {
	for name, want := range map[string]string{
		`a$(rm -rf ~)'b`: `'clusterrole.rbac.authorization.k8s.io/a$(rm -rf ~)'\''b'`,
		"--all":          "clusterrole.rbac.authorization.k8s.io/--all", // alone it would be an option, also in quotes
	} {
		if got := named(collect.Key{Name: name}.Of("ClusterRole")); got != want {
			t.Errorf("%s is named %s", name, got)
		}
	}
}
