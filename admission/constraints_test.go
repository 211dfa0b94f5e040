package admission

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// scc writes constraints that somebody may use.
func scc(name, who, allowed string) string {
	return "\n---\nkind: SecurityContextConstraints\nmetadata: {name: " + name + "}\n" + who + "\n" + allowed + "\n"
}

// openShift are constraints for everybody, as OpenShift has them.
var openShift = scc(
	"restricted-v2",
	"groups: ['system:authenticated']",
	"allowPrivilegeEscalation: false\nrunAsUser: {type: MustRunAsRange}\n"+
		"allowedCapabilities: [NET_BIND_SERVICE]\nvolumes: [emptyDir, secret]",
)

const (
	toAccount = "users: ['system:serviceaccount:shop:agent']"
	account   = "\n---\nkind: ServiceAccount\nmetadata: {name: agent, namespace: shop}\n"
	anybody   = "groups: ['system:authenticated']"
	role      = "\n---\nkind: ClusterRole\nmetadata: {name: scc}\nrules: [{apiGroups: [security.openshift.io], resources: " +
		"[securitycontextconstraints], " +
		"resourceNames: [wide], verbs: [use]}]\n"
	rolebinding = "\n---\nkind: RoleBinding\nmetadata: {name: b, namespace: shop}\nroleRef: {kind: ClusterRole, name: scc}\n" +
		"subjects: [{kind: ServiceAccount, name: agent, namespace: shop}]\n"
	whole = "allowPrivilegedContainer: true\nallowHostDirVolumePlugin: true\nallowedCapabilities: ['*']\nrunAsUser: {type: RunAsAny}"
)

func TestConstraintsOfOpenShiftRefuseWhatNoneOfThemAllows(t *testing.T) {
	wide := func(allowed string) string { return openShift + scc("wide", anybody, allowed) }
	for _, tt := range []struct {
		name, guards string
		pod          Verdict
	}{
		{"none, on a cluster that is not OpenShift", "", Admitted},
		{"those for everybody", openShift, Refused},
		{"some allow privileged containers", wide("allowPrivilegedContainer: true\nrunAsUser: {type: MustRunAsRange}"), Admitted},
		{"but no more privileges", wide("allowPrivilegedContainer: true\nallowPrivilegeEscalation: false\nrunAsUser: {type: RunAsAny}"), Refused},
		{"some allow folders of the node to root", wide("allowHostDirVolumePlugin: true\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"folders to one user, who is root", wide("allowHostDirVolumePlugin: true\nrunAsUser: {type: MustRunAs, uid: 0}"), Admitted},
		{"a capability to root", wide("allowedCapabilities: [SYS_MODULE]\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"one to others", wide("allowedCapabilities: [SYS_MODULE]\nrunAsUser: {type: MustRunAsNonRoot}"), Refused},
		{"one that the node does not fall to", wide("allowedCapabilities: [NET_ADMIN]\nrunAsUser: {type: RunAsAny}"), Refused},
		{"one that is filled in", wide("defaultAddCapabilities: [SYS_RAWIO]\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"one that needs more privileges", wide("allowedCapabilities: [SYS_ADMIN]\nallowPrivilegeEscalation: false\nrunAsUser: {type: RunAsAny}"),
			Refused},
		{"tracing without the node's processes", wide("allowedCapabilities: [SYS_PTRACE]\nrunAsUser: {type: RunAsAny}"), Refused},
		{"tracing with them", wide("allowedCapabilities: [SYS_PTRACE]\nallowHostPID: true\nrunAsUser: {type: RunAsAny}"), Admitted},
		{"an account of the namespace may use them", openShift + scc("wide", toAccount, whole) + account, Admitted},
		{"one of another namespace", openShift + scc("wide", strings.Replace(toAccount, "shop", "bank", 1), whole) + account, Refused},
		{"every account of the namespace", openShift + scc("wide", "groups: ['system:serviceaccounts:shop']", whole), Admitted},
		{"an account that RBAC lets use them", openShift + scc("wide", "", whole) + account + role + rolebinding, Admitted},
		{"others than those that it may use", openShift + scc("wide", "", "") + scc("other", "", whole) + account + role + rolebinding, Refused},
		{"by a role that was not read", openShift + scc("wide", "", whole) + account + rolebinding, Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(t, "", tt.guards)
			if strings.Contains(tt.name, "not read") {
				f.Gaps[collect.GapKey{What: "c"}] = collect.Gap{Source: "api", What: "clusterroles.rbac.authorization.k8s.io", Why: "forbidden"}
			}
			got := New(f).Takeover("shop")
			if got.Pod != tt.pod || got.Workload != tt.pod || got.Relabelled != tt.pod {
				t.Errorf("got %v, want %v", got, tt.pod)
			}
		})
	}
}

// TestTheConstraintsThatOpenShiftComesWithDecideAsItsDocumentsSay asks about each that comes with OpenShift 4, were it
// for everybody beside restricted-v2: https://docs.redhat.com/en/documentation/openshift_container_platform, managing
// security context constraints.
func TestTheConstraintsThatOpenShiftComesWithDecideAsItsDocumentsSay(t *testing.T) {
	const (
		noMore = "allowPrivilegeEscalation: false\nallowedCapabilities: [NET_BIND_SERVICE]\n"
		ranged = "runAsUser: {type: MustRunAsRange}\n"
		anyone = "runAsUser: {type: RunAsAny}\n"
	)
	for name, c := range map[string]struct {
		allowed string
		want    Verdict
	}{
		"restricted":       {ranged, Refused},
		"restricted-v2":    {noMore + ranged, Refused},
		"restricted-v3":    {noMore + ranged + "userNamespaceLevel: RequirePodLevel\n", Refused},
		"nonroot":          {"runAsUser: {type: MustRunAsNonRoot}\n", Refused},
		"nonroot-v2":       {noMore + "runAsUser: {type: MustRunAsNonRoot}\n", Refused},
		"anyuid":           {"priority: 10\n" + anyone, Refused}, // root in its container, with nothing of the node
		"hostnetwork":      {"allowHostNetwork: true\nallowHostPorts: true\n" + ranged, Refused},
		"hostnetwork-v2":   {noMore + "allowHostNetwork: true\nallowHostPorts: true\n" + ranged, Refused},
		"hostmount-anyuid": {"allowHostDirVolumePlugin: true\n" + anyone, Admitted},
		"node-exporter": {"allowHostDirVolumePlugin: true\nallowHostNetwork: true\nallowHostPID: true\nallowHostPorts: true\n" + anyone,
			Admitted},
		"privileged": {"allowPrivilegedContainer: true\nallowHostDirVolumePlugin: true\nallowHostIPC: true\nallowHostNetwork: true\n" +
			"allowHostPID: true\nallowHostPorts: true\nallowedCapabilities: ['*']\n" + anyone, Admitted},
	} {
		for _, order := range []string{openShift + scc("tried", anybody, c.allowed), scc("tried", anybody, c.allowed) + openShift} {
			if got := New(facts(t, "", order)).Takeover("shop").Pod; got != c.want {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}

func TestConstraintsThatWereNotSeenAreNotKnownToRefuse(t *testing.T) {
	f := facts(t, "", "")
	f.Gaps[collect.GapKey{What: "s"}] = collect.Gap{
		Source: "api",
		What:   "securitycontextconstraints.security.openshift.io",
		Why:    "forbidden",
	}
	if got := New(f).Takeover("shop").Pod; got != Unknown {
		t.Error(got)
	}
}

func TestWhoMayUseWiderConstraintsIsAnException(t *testing.T) {
	j := New(facts(t, "", openShift+scc("wide", "users: [root]\ngroups: [wheel]", whole)))
	for _, tt := range []struct {
		user   string
		groups []string
		want   bool
	}{{"root", nil, true}, {"ann", []string{"wheel"}, true}, {"ann", []string{"system:authenticated"}, false}, {"", nil, false}} {
		if got := j.Excepted("shop", tt.user, tt.groups); got != tt.want {
			t.Errorf("%s of %v: %v", tt.user, tt.groups, got)
		}
	}
	if got := j.Takeover("shop"); got.Pod != Refused || got.Workload != Refused {
		t.Errorf("what a controller makes is nobody's exception: %v", got)
	}
}

func TestConstraintsAreAboutEveryContainer(t *testing.T) {
	if got := New(facts(t, "", openShift)).Takeover("shop").Debugging; got != Refused {
		t.Errorf("a container for debugging: %v", got)
	}
	if got := New(facts(t, "", openShift+scc("wide", anybody, whole))).Takeover("shop").Debugging; got != Admitted {
		t.Errorf("where it is allowed: %v", got)
	}
}

func TestWhatConstraintsSayOfEachPartOfAPod(t *testing.T) {
	const anyUser = "runAsUser: {type: RunAsAny}"
	const plain, someone = "containers: [{name: a}]", "containers: [{name: a, securityContext: {runAsUser: 1000}}]"
	beside := func(kind, more string) string {
		return "containers: [{name: a, securityContext: {runAsUser: 1000}}]\n" + kind + ": [{name: b, securityContext: {" + more + "}}]"
	}
	for _, tt := range []struct {
		name, allowed, pod string
		want               bool
	}{
		{"a plain pod", anyUser, plain, true},
		{"the node's processes", anyUser, plain + "\nhostPID: true", false},
		{"the node's processes, allowed", anyUser + "\nallowHostPID: true", plain + "\nhostPID: true", true},
		{"the node's memory", anyUser, plain + "\nhostIPC: true", false},
		{"the node's memory, allowed", anyUser + "\nallowHostIPC: true", plain + "\nhostIPC: true", true},
		{"the node's network", anyUser, plain + "\nhostNetwork: true", false},
		{"the node's network, allowed", anyUser + "\nallowHostNetwork: true", plain + "\nhostNetwork: true", true},
		{"a folder of the node", anyUser, plain + "\nvolumes: [{name: e, emptyDir: {}}, {name: v, hostPath: {path: /}}]", false},
		{"a folder of the node, allowed", anyUser + "\nallowHostDirVolumePlugin: true",
			plain + "\nvolumes: [{name: v, hostPath: {path: /}}]", true},
		{"another volume", anyUser, plain + "\nvolumes: [{name: v, emptyDir: {}}]", true},
		{"root, where nobody says who may run", "", plain, false},
		{"somebody, where nobody says who may run", "", someone, true},
		{"somebody, by the pod", "", plain + "\nsecurityContext: {runAsUser: 1000}", true},
		{"a pod that says other things of itself", "", plain + "\nsecurityContext: {fsGroup: 1}", false},
		{"one user, who is not root", "runAsUser: {type: MustRunAs, uid: 7}", plain, false},
		{"one user, of whom nobody says who", "runAsUser: {type: MustRunAs}", plain, false},
		{"users from root on", "runAsUser: {type: MustRunAsRange, uidRangeMin: 0}", plain, true},
		{"users from another on", "runAsUser: {type: MustRunAsRange, uidRangeMin: 1000}", plain, false},
		{"a privileged container", anyUser, "containers: [{name: a, securityContext: {privileged: true}}]", false},
		{"a privileged container, allowed and told to gain more", anyUser + "\nallowPrivilegedContainer: true\nallowPrivilegeEscalation: true",
			"containers: [{name: a, securityContext: {privileged: true}}]", true},
		{"one that says it is not", anyUser, "containers: [{name: a, securityContext: {privileged: false}}]", true},
		{"a capability", anyUser + "\nallowedCapabilities: [NET_ADMIN]",
			"containers: [{name: a, securityContext: {capabilities: {add: [NET_ADMIN]}}}]", true},
		{"one of two", anyUser + "\nallowedCapabilities: [NET_ADMIN]",
			"containers: [{name: a, securityContext: {capabilities: {add: [NET_ADMIN, SYS_TIME]}}}]", false},
		{"one that needs to gain more, where it may", anyUser + "\nallowedCapabilities: [SYS_ADMIN]\nallowPrivilegeEscalation: true",
			"containers: [{name: a, securityContext: {capabilities: {add: [SYS_ADMIN]}}}]", true},
		{"one that does not, where nothing may gain more", anyUser + "\nallowedCapabilities: [NET_ADMIN]\nallowPrivilegeEscalation: false",
			"containers: [{name: a, securityContext: {capabilities: {add: [NET_ADMIN]}}}]", true},
		{"capabilities that are dropped", anyUser, "containers: [{name: a, securityContext: {capabilities: {drop: [ALL]}}}]", true},
		{"a container that begins", "", beside("initContainers", "privileged: true"), false},
		{"a container for debugging", "", beside("ephemeralContainers", "privileged: true"), false},
		{"a harmless one that begins", "", beside("initContainers", "runAsUser: 1000"), true},
		{"a harmless one for debugging", "", beside("ephemeralContainers", "runAsUser: 1000"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s collect.SecurityContextConstraints
			var p corev1.Pod
			read(t, tt.allowed, &s)
			read(t, tt.pod, &p.Spec)
			if got := allows(&s, &p); got != tt.want {
				t.Errorf("it gets in: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestWhoseConstraintsCountForAPod(t *testing.T) {
	elsewhere := strings.ReplaceAll(strings.Replace(account, "shop", "bank", 1), "agent", "teller")
	c := newConstraints(facts(t, "", openShift+account+elsewhere+strings.Replace(account, "agent", "default", 1)))
	for _, tt := range []struct {
		name       string
		ns         place
		controller string
		want       string
	}{
		{"any account of the namespace", place{name: "shop"}, "", "default agent"},
		{"one that was not read", place{name: "new"}, "", "default"},
		{"the account that is asked for", place{name: "shop", account: "agent"}, "", "agent"},
		{"a person who makes it", place{name: "shop", account: "agent", user: "ann"}, "", "agent ann"},
		{"one of some groups", place{name: "shop", account: "agent", groups: []string{"devs"}}, "", "agent devs"},
		{"a person whose controller makes it", place{name: "shop", account: "agent", user: "ann", groups: []string{"devs"}}, "Deployment",
			"agent"},
	} {
		var got []string
		for _, m := range c.makers(tt.ns, &request{controller: tt.controller}) {
			name := m.user[strings.LastIndex(m.user, ":")+1:]
			if name == "" {
				name = strings.Join(m.groups, " ")
			}
			got = append(got, name)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}
