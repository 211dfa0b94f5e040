package segment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
)

// read makes the graph of manifests, in cluster c.
func read(t *testing.T, manifests string) *graph.View {
	t.Helper()
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(manifests)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "c"
	return view(t, f)
}

// podWith is a manifest of Pod ns/p, whose spec and status are given in YAML's flow style.
func podWith(spec, status string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\nspec: {%s}\nstatus: {%s}\n", spec, status)
}

// told is a property of Pod ns/p, or of one of its containers.
func toldOf(t *testing.T, v *graph.View, container, property string) string {
	t.Helper()
	kind, id := "Pod", "c/ns/Pod/p"
	if container != "" {
		kind, id = "Container", id+"/"+container
	}
	n, ok := v.Node(kind, id)
	if !ok {
		t.Fatalf("no %s %s", kind, id)
	}
	return n.Value(property).String()
}

func TestAContainerHasTheTokenThatItsOwnMountsGiveIt(t *testing.T) {
	const (
		at      = "/var/run/secrets/kubernetes.io/serviceaccount"
		stored  = "{name: kube-api-access-x, projected: {sources: [{serviceAccountToken: {path: token}}]}}"
		byHand  = "{name: t, projected: {sources: [{serviceAccountToken: {path: token}}]}}"
		foreign = "{name: t, projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}}"
		named   = "{name: t, projected: {sources: [{serviceAccountToken: {path: token, audience: 'https://kubernetes.default.svc'}}]}}"
	)
	account := func(name, more string) string {
		return "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: " + name + ", namespace: ns}\n" + more + "\n"
	}
	for _, test := range []struct{ name, spec, more, want string }{
		{"as admission would", "containers: [{name: a, image: i}]", "", "true"},
		{"the pod declines", "automountServiceAccountToken: false, containers: [{name: a, image: i}]", "", "false"},
		{"the account declines", "serviceAccountName: s, containers: [{name: a, image: i}]",
			account("s", "automountServiceAccountToken: false"), "false"},
		{"the pod's word counts before the account's",
			"serviceAccountName: s, automountServiceAccountToken: true, containers: [{name: a, image: i}]",
			account("s", "automountServiceAccountToken: false"), "true"},
		{"as admission wrote it", "volumes: [" + stored + "], containers: [{name: a, image: i, volumeMounts: [{name: kube-api-access-x, " +
			"mountPath: " + at + "}]}]", "", "true"},
		{"admission wrote it for another container", "volumes: [" + stored + "], containers: [{name: a, image: i}, {name: b, image: i, " +
			"volumeMounts: [{name: kube-api-access-x, mountPath: " + at + "}]}]", "", "false"},
		{"something else is mounted at its place", "volumes: [{name: e, emptyDir: {}}], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: e, mountPath: " + at + "}]}]", "", "false"},
		{"by hand, though the pod declines", "automountServiceAccountToken: false, volumes: [" + byHand + "], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: t, mountPath: /t}]}]", "", "true"},
		{"by hand, for another container", "automountServiceAccountToken: false, volumes: [" + byHand + "], containers: [{name: a, image: i}]",
			"", "false"},
		{"for somebody else", "automountServiceAccountToken: false, volumes: [" + foreign + "], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: t, mountPath: /t}]}]", "", "false"},
		{"for the API server by its name", "automountServiceAccountToken: false, volumes: [" + named + "], containers: [{name: a, image: i, " +
			"volumeMounts: [{name: t, mountPath: /t}]}]", "", "true"},
		{"the account's Secret, as before 1.22", "serviceAccountName: s, volumes: [{name: d, secret: {secretName: s-token-x2x4}}], " +
			"containers: [{name: a, image: i, volumeMounts: [{name: d, mountPath: " + at + "}]}]", "", "true"},
		{"another Secret at its place", "serviceAccountName: s, volumes: [{name: d, secret: {secretName: other}}], " +
			"containers: [{name: a, image: i, volumeMounts: [{name: d, mountPath: " + at + "}]}]", "", "false"},
	} {
		if got := toldOf(t, read(t, podWith(test.spec, "")+test.more), "a", "tokenMounted"); got != test.want {
			t.Errorf("%s: token mounted %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTokensForOthersThanTheAPIServerAreToldWithTheirAudience(t *testing.T) {
	v := read(t, podWith("volumes: [{name: t, projected: {sources: [{serviceAccountToken: {path: token, audience: vault}}]}}], "+
		"containers: [{name: a, image: i, volumeMounts: [{name: t, mountPath: /t}]}, {name: b, image: i}]", ""))
	if a, b := toldOf(t, v, "a", "tokenAudiences"), toldOf(t, v, "b", "tokenAudiences"); a != "vault" || b != "" {
		t.Errorf("audiences %q and %q", a, b)
	}
}

func TestAPodHasATokenIfOneOfItsContainersHas(t *testing.T) {
	for _, test := range []struct{ spec, want string }{
		{"containers: [{name: a, image: i}]", "true"},
		{"automountServiceAccountToken: false, containers: [{name: a, image: i}]", "false"},
		{"volumes: [{name: e, emptyDir: {}}], containers: [{name: a, image: i, volumeMounts: [{name: e, " +
			"mountPath: /var/run/secrets/kubernetes.io/serviceaccount}]}, {name: b, image: i}]", "true"},
	} {
		if got := toldOf(t, read(t, podWith(test.spec, "")), "", "tokenMounted"); got != test.want {
			t.Errorf("%s: %q, want %q", test.spec, got, test.want)
		}
	}
}

func TestANodeIsGivenTokensThatItsPodsMountAndBeforeAnyOfTheirs(t *testing.T) {
	node := func(kubelet string) string {
		return "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {nodeInfo: {kubeletVersion: " + kubelet + "}}\n"
	}
	for _, test := range []struct{ name, spec, more, want string }{
		{"mounted", "containers: [{name: a, image: i}]", node("v1.37.2"), "true"},
		{"not mounted", "automountServiceAccountToken: false, containers: [{name: a, image: i}]", node("v1.37.2"), "false"},
		{"not mounted, from 1.33 on", "automountServiceAccountToken: false, containers: [{name: a, image: i}]", node("v1.33.0"), "false"},
		{"not mounted, before", "automountServiceAccountToken: false, containers: [{name: a, image: i}]", node("v1.32.9"), "true"},
		{"no version is told", "automountServiceAccountToken: false, containers: [{name: a, image: i}]", "", "false"},
	} {
		if got := toldOf(t, read(t, podWith(test.spec, "")+test.more), "", "tokenForNode"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCapabilitiesInEffectAreTheDefaultWithWhatIsAddedAndDropped(t *testing.T) {
	for _, test := range []struct{ name, capabilities, has, hasNot string }{
		{"nothing said", "", "CHOWN SETUID", "SYS_ADMIN BPF"},
		{"one added", "add: [SYS_ADMIN]", "SYS_ADMIN CHOWN", "SYS_MODULE"},
		{"in its long form and another case", "add: [cap_sys_admin]", "SYS_ADMIN", ""},
		{"all added", "add: [all]", "SYS_ADMIN SYS_MODULE BPF CHOWN", "ALL"},
		{"all added but one", "add: [ALL], drop: [SYS_ADMIN]", "SYS_MODULE", "SYS_ADMIN"},
		{"all dropped", "drop: [ALL]", "", "CHOWN SETUID SYS_ADMIN ALL"},
		{"all dropped and one added", "drop: [ALL], add: [SYS_PTRACE]", "SYS_PTRACE", "CHOWN"},
		{"all added and all dropped", "add: [ALL], drop: [ALL]", "", "SYS_ADMIN CHOWN"},
		{"added and dropped", "add: [SYS_ADMIN], drop: [SYS_ADMIN]", "CHOWN", "SYS_ADMIN"},
	} {
		v := read(t, podWith("containers: [{name: a, image: i, securityContext: {capabilities: {"+test.capabilities+"}}}]", ""))
		got := strings.Split(toldOf(t, v, "a", "effectiveCapabilities"), ", ")
		for _, c := range strings.Fields(test.has) {
			if !slices.Contains(got, c) {
				t.Errorf("%s: %s is missing of %v", test.name, c, got)
			}
		}
		for _, c := range strings.Fields(test.hasNot) {
			if slices.Contains(got, c) {
				t.Errorf("%s: %s is among %v", test.name, c, got)
			}
		}
	}
	v := read(t, podWith("containers: [{name: a, image: i, securityContext: {privileged: true, capabilities: {drop: [ALL]}}}]", ""))
	if got := toldOf(t, v, "a", "effectiveCapabilities"); got != "ALL" {
		t.Errorf("a privileged container has %s", got)
	}
}

func TestRootIsKnownWhereTheSpecSaysAUser(t *testing.T) {
	for _, test := range []struct{ pod, container, want string }{
		{"", "", ""},
		{"runAsUser: 0", "", "true"},
		{"runAsUser: 0", "runAsUser: 1000", "false"},
		{"runAsUser: 1000", "runAsUser: 0", "true"},
		{"runAsNonRoot: true", "", "false"},
		{"runAsNonRoot: true", "runAsNonRoot: false", ""},
	} {
		v := read(t, podWith("securityContext: {"+test.pod+"}, containers: [{name: a, image: i, securityContext: {"+test.container+"}}]", ""))
		if got := toldOf(t, v, "a", "runsAsRoot"); got != test.want {
			t.Errorf("pod {%s} container {%s}: root %q, want %q", test.pod, test.container, got, test.want)
		}
	}
}

func TestWhetherOneContainerMayActOnAnothersProcesses(t *testing.T) {
	const none = "none"
	for _, test := range []struct{ name, pod, a, b, want string }{
		{"processes apart", "", "runAsUser: 0", "runAsUser: 0", none},
		{"both root", "shareProcessNamespace: true", "runAsUser: 0", "runAsUser: 0", "true"},
		{"with the node's processes", "hostPID: true", "runAsUser: 0", "runAsUser: 0", "true"},
		{"root becomes any user", "shareProcessNamespace: true", "runAsUser: 0", "runAsUser: 1000", "true"},
		{"root that may not become another", "shareProcessNamespace: true", "runAsUser: 0, capabilities: {drop: [ALL]}",
			"runAsUser: 1000", "false"},
		{"the same user", "shareProcessNamespace: true", "runAsUser: 1000", "runAsUser: 1000", "true"},
		{"users of their own", "shareProcessNamespace: true", "runAsUser: 1000", "runAsUser: 1001", "false"},
		{"a user on root", "shareProcessNamespace: true", "runAsUser: 1000", "runAsUser: 0", "false"},
		{"a user with a capability that does not come into effect", "shareProcessNamespace: true",
			"runAsUser: 1000, capabilities: {add: [SYS_PTRACE]}", "runAsUser: 0", "false"},
		{"root on root with more capabilities", "shareProcessNamespace: true", "runAsUser: 0",
			"runAsUser: 0, capabilities: {add: [SYS_ADMIN]}", "false"},
		{"root on a privileged one", "shareProcessNamespace: true", "runAsUser: 0", "runAsUser: 0, privileged: true", "false"},
		{"root that may trace on a privileged one", "shareProcessNamespace: true", "runAsUser: 0, capabilities: {add: [SYS_PTRACE]}",
			"runAsUser: 0, privileged: true", "true"},
		{"privileged root", "shareProcessNamespace: true", "runAsUser: 0, privileged: true", "runAsUser: 0, privileged: true", "true"},
		{"the users their images name", "shareProcessNamespace: true", "", "", ""},
		{"some user on the other", "shareProcessNamespace: true", "runAsNonRoot: true", "runAsUser: 1000", ""},
		{"root on the user its image names", "shareProcessNamespace: true", "runAsUser: 0", "", ""},
		{"the user its image names on a privileged one", "shareProcessNamespace: true", "", "privileged: true", "false"},
	} {
		v := read(t, podWith(cmp.Or(test.pod, "hostPID: false")+", containers: [{name: a, image: i, securityContext: {"+test.a+
			"}}, {name: b, image: j, securityContext: {"+test.b+"}}]", ""))
		got := none
		n, _ := v.Node("Container", "c/ns/Pod/p/a")
		for e := range n.Out("SHARES_PROCESSES") {
			got = e.Value("able").String()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestContainersOfOneImageAreOneUser(t *testing.T) {
	v := read(t, podWith("shareProcessNamespace: true, containers: [{name: a, image: i}, {name: b, image: i}], "+
		"initContainers: [{name: c, image: i}, {name: d, image: i, restartPolicy: Always}]", ""))
	n, _ := v.Node("Container", "c/ns/Pod/p/a")
	var got []string
	for e := range n.Out("SHARES_PROCESSES") {
		got = append(got, e.To.Text("name")+" "+e.Value("able").String())
	}
	slices.Sort(got)
	if want := []string{"b true", "d true"}; !slices.Equal(got, want) {
		t.Errorf("it sees %v, want %v: the init container is over when the others run", got, want)
	}
}

func TestARuntimeClassIsItsHandler(t *testing.T) {
	class := func(name, handler string) string {
		return "---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: " + name + "}\nhandler: " + handler + "\n"
	}
	for _, test := range []struct{ name, class, more, want string }{
		{"none", "", "", "false"},
		{"by the name that the project proposes", "gvisor", "", "true"},
		{"another name that nobody explained", "secure", "", ""},
		{"by its handler", "secure", class("secure", "runsc"), "true"},
		{"a name that says more than its handler", "gvisor", class("gvisor", "runc"), "false"},
		{"a machine of its own", "vm", class("vm", "kata-qemu"), "true"},
		{"the plain runtime with hooks", "gpu", class("gpu", "nvidia"), "false"},
		{"a handler that nobody knows", "gvisor", class("gvisor", "special"), ""},
		{"an older version of the API", "secure", strings.Replace(class("secure", "runsc"), "k8s.io/v1", "k8s.io/v1beta1", 1), "true"},
	} {
		spec := "containers: [{name: a, image: i}]"
		if test.class != "" {
			spec += ", runtimeClassName: " + test.class
		}
		if got := toldOf(t, read(t, podWith(spec, "")+test.more), "", "runtimeSandboxed"); got != test.want {
			t.Errorf("%s: sandboxed %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWhatHasEndedIsToldByContainer(t *testing.T) {
	const over, fails = "state: {terminated: {exitCode: 0}}", "state: {terminated: {exitCode: 1}}"
	container := func(state string) string { return "phase: Running, containerStatuses: [{name: a, " + state + "}]" }
	for _, test := range []struct{ name, spec, status, want string }{
		{"a manifest says nothing of it", "containers: [{name: a, image: i}]", "", "false"},
		{"runs", "containers: [{name: a, image: i}]", container("state: {running: {}}"), "false"},
		{"ended and starts again", "containers: [{name: a, image: i}]", container(over), "false"},
		{"ended well", "restartPolicy: OnFailure, containers: [{name: a, image: i}]", container(over), "true"},
		{"failed and starts again", "restartPolicy: OnFailure, containers: [{name: a, image: i}]", container(fails), "false"},
		{"failed for good", "restartPolicy: Never, containers: [{name: a, image: i}]", container(fails), "true"},
		{"restarts by its own word", "restartPolicy: Never, containers: [{name: a, image: i, restartPolicy: Always}]", container(over), "false"},
		{"the pod is over", "containers: [{name: a, image: i}]", "phase: Succeeded", "true"},
		{"the pod has failed", "containers: [{name: a, image: i}]", "phase: Failed", "true"},
		{"the work of an init container is done", "initContainers: [{name: a, image: i}], containers: [{name: b, image: i}]",
			"phase: Running, initContainerStatuses: [{name: a, " + over + "}]", "true"},
		{"an init container tries again", "initContainers: [{name: a, image: i}], containers: [{name: b, image: i}]",
			"phase: Pending, initContainerStatuses: [{name: a, " + fails + "}]", "false"},
		{"an init container that is tried once", "restartPolicy: Never, initContainers: [{name: a, image: i}], containers: [{name: b, image: i}]",
			"phase: Pending, initContainerStatuses: [{name: a, " + fails + "}]", "true"},
		{"a sidecar runs on", "initContainers: [{name: a, image: i, restartPolicy: Always}], containers: [{name: b, image: i}]",
			"phase: Running, initContainerStatuses: [{name: a, " + over + "}]", "false"},
		{"an ephemeral container is over", "ephemeralContainers: [{name: a, image: i}], containers: [{name: b, image: i}]",
			"phase: Running, ephemeralContainerStatuses: [{name: a, " + fails + "}]", "true"},
		{"an ephemeral container runs", "ephemeralContainers: [{name: a, image: i}], containers: [{name: b, image: i}]",
			"phase: Running, ephemeralContainerStatuses: [{name: a, state: {running: {}}}]", "false"},
		{"another container ended", "restartPolicy: Never, containers: [{name: a, image: i}, {name: b, image: i}]",
			"phase: Running, containerStatuses: [{name: b, " + over + "}]", "false"},
	} {
		if got := toldOf(t, read(t, podWith(test.spec, test.status)), "a", "ended"); got != test.want {
			t.Errorf("%s: ended %q, want %q", test.name, got, test.want)
		}
	}
}

func TestWhatAPodHasOfItsNodeIsTold(t *testing.T) {
	for _, test := range []struct{ name, spec, container, property, want string }{
		{"HostProcess of a container", "containers: [{name: a, image: i, securityContext: {windowsOptions: {hostProcess: true}}}]", "a",
			"hostProcess", "true"},
		{"HostProcess of the pod", "securityContext: {windowsOptions: {hostProcess: true}}, containers: [{name: a, image: i}]", "a",
			"hostProcess", "true"},
		{"no HostProcess", "securityContext: {windowsOptions: {hostProcess: false}}, containers: [{name: a, image: i}]", "a", "hostProcess",
			"false"},
		{"/proc as it is", "containers: [{name: a, image: i, securityContext: {procMount: Unmasked}}]", "a", "unmaskedProc", "true"},
		{"/proc as runtimes mask it", "containers: [{name: a, image: i, securityContext: {procMount: Default}}]", "a", "unmaskedProc", "false"},
		{"users of its own", "hostUsers: false, containers: [{name: a, image: i}]", "", "userNamespace", "true"},
		{"the node's users", "hostUsers: true, containers: [{name: a, image: i}]", "", "userNamespace", "false"},
		{"the pod's profile", "securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, image: i}]", "a", "seccomp",
			"RuntimeDefault"},
		{"the container's profile before the pod's", "securityContext: {appArmorProfile: {type: RuntimeDefault}}, containers: [{name: a, " +
			"image: i, securityContext: {appArmorProfile: {type: Unconfined}}}]", "a", "appArmor", "Unconfined"},
	} {
		if got := toldOf(t, read(t, podWith(test.spec, "")), test.container, test.property); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestANodeIsWhomItsKubeletSpeaksAs(t *testing.T) {
	binding := func(kind, name string) string {
		return "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {name: b}\n" +
			"roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}\nsubjects: [{kind: " + kind + ", name: '" + name + "'}]\n"
	}
	const nodes = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: n2}\n"
	for _, test := range []struct {
		name, binding string
		want          []string
	}{
		{"the group of all nodes", binding("Group", "system:nodes"), []string{"n1 system:nodes", "n2 system:nodes"}},
		{"one node's user", binding("User", "system:node:n1"), []string{"n1 system:node:n1"}},
		{"a node that is not there", binding("User", "system:node:n3"), nil},
		{"a user of the group's name", binding("User", "system:nodes"), nil},
		{"another group", binding("Group", "system:node:n1"), nil},
		{"a user of the node's name", binding("User", "n1"), nil},
	} {
		var got []string
		v := read(t, nodes+test.binding)
		for n := range v.Nodes("Node") {
			for e := range n.Out("RUNS_AS") {
				got = append(got, n.Text("name")+" "+e.To.Text("name"))
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
