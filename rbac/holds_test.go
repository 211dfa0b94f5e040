package rbac

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func itoa(i int) string { return strconv.Itoa(i) }

func powers(t testing.TB) []Power {
	t.Helper()
	text, err := os.ReadFile("../packs/attack/powers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// held lists "subject: power in scope" without system:masters.
func held(t testing.TB, f *collect.Facts) (out []string) {
	t.Helper()
	for _, h := range New(f).Holds(powers(t)) {
		if h.Subject != Group("system:masters") {
			out = append(out, h.Subject.String()+": "+h.Power+" in "+h.Scope.String())
		}
	}
	slices.Sort(out)
	return out
}

func TestHolds(t *testing.T) {
	tests := []struct {
		name, roles string
		want        []string
	}{
		{"nothing without bindings", "ClusterRole r: get secrets\nServiceAccount shop/web", nil},
		{"a power in the cluster", "ClusterRole r: list secrets\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: read-secrets in the whole cluster"}},
		{"a power in a namespace", "ClusterRole r: list secrets\nRoleBinding shop/b: r <- User alice",
			[]string{"User alice: read-secrets in namespace shop"}},
		{"a power over names", "Role shop/r: get secrets [b,a]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: read-secrets in a, b in namespace shop"}},
		{"a name wherever it is", "ClusterRole r: get secrets [a]\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: read-secrets in a in the whole cluster"}},
		{"a request to create tells no name", "ClusterRole r: create pods [a]\nClusterRoleBinding b: r <- User alice", nil},
		{"but a server-side apply does", "Role shop/r: create,patch pods [a]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: change-pods in a in namespace shop", "User alice: create-pods in namespace shop"}},
		{"which any namespace takes", "ClusterRole r: create pods [a] | patch pods\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: change-pods in the whole cluster", "User alice: create-pods in the whole cluster"}},
		{"of one name where another is created", "Role shop/r: create pods [a] | patch pods [b]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: change-pods in b in namespace shop"}},
		{"and the same name in another namespace", "Role shop/r: create pods [a]\nRole bank/r: patch pods [a]\n" +
			"RoleBinding shop/b: Role/r <- User alice\nRoleBinding bank/b: Role/r <- User alice",
			[]string{"User alice: change-pods in a in namespace bank"}},
		{"a name that is taken", "Role shop/r: create,patch pods [taken]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: change-pods in taken in namespace shop"}},
		{"a name that is taken elsewhere", "Role bank/r: create,patch pods [taken]\nRoleBinding bank/b: Role/r <- User alice",
			[]string{"User alice: change-pods in taken in namespace bank", "User alice: create-pods in namespace bank"}},
		{"one that is taken and one that is not", "Role shop/r: create,patch pods [taken,z]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: change-pods in taken, z in namespace shop", "User alice: create-pods in namespace shop"}},
		{"a name that is taken and can be made free", "Role shop/r: create,patch,delete pods [taken]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: change-pods in taken in namespace shop", "User alice: create-pods in namespace shop"}},
		{"a workload by its name", "Role shop/r: create,patch batch:jobs [a]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: create-workloads in namespace shop"}},
		{"no PUT creates a workload", "Role shop/r: create,update batch:jobs [a]\nRoleBinding shop/b: Role/r <- User alice", nil},
		{"but a PUT creates a binding", "Role shop/r: create,update rbac.authorization.k8s.io:rolebindings [a] | bind " +
			"rbac.authorization.k8s.io:clusterroles [edit]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: bind-roles in edit in namespace shop"}},
		{"names do limit creating tokens", "Role shop/r: create serviceaccounts/token [a]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: create-tokens in a in namespace shop"}},
		{"the cluster hides its namespaces",
			"ClusterRole r: get secrets\nClusterRoleBinding b: r <- User alice\nRoleBinding shop/b: r <- User alice",
			[]string{"User alice: read-secrets in the whole cluster"}},
		{"a namespace hides its names",
			"ClusterRole r: get secrets\nClusterRole n: get secrets [a]\nRoleBinding shop/b: r <- User alice\nRoleBinding shop/c: n <- " +
				"User alice",
			[]string{"User alice: read-secrets in namespace shop"}},
		{"a rule for names does not hide a later one for all",
			"ClusterRole r: get secrets [a] | get secrets\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: read-secrets in the whole cluster"}},
		{"the names of two rules", "Role shop/r: get secrets [a] | get secrets [b]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: read-secrets in a, b in namespace shop"}},
		{"a cluster-scoped resource is not granted in a namespace",
			"ClusterRole r: get nodes/proxy\nRoleBinding shop/b: r <- User alice", nil},
		{"an account holds what its group holds",
			"ServiceAccount shop/web\nClusterRole r: create pods\nClusterRoleBinding b: r <- Group system:serviceaccounts:shop",
			[]string{"Group system:serviceaccounts:shop: create-pods in the whole cluster",
				"ServiceAccount shop/web: create-pods in the whole cluster"}},
		{"bind and create meet for Roles too",
			"ClusterRole r: bind rbac.authorization.k8s.io:roles | create rbac.authorization.k8s.io:rolebindings\n" +
				"RoleBinding shop/b: r <- User alice",
			[]string{"User alice: bind-namespace-roles in namespace shop"}},
		{"bind without create is nothing",
			"ClusterRole r: bind rbac.authorization.k8s.io:clusterroles\nClusterRoleBinding b: r <- User alice", nil},
		{"bind and create meet in the namespace of both",
			"ClusterRole r: bind rbac.authorization.k8s.io:clusterroles\nClusterRole c: create " +
				"rbac.authorization.k8s.io:rolebindings\nClusterRoleBinding b: r <- User alice\nRoleBinding shop/c: c <- User alice",
			[]string{"User alice: bind-roles in namespace shop"}},
		{"bind of one name meets create in a namespace",
			"ClusterRole r: bind rbac.authorization.k8s.io:clusterroles [edit]\nClusterRole c: create " +
				"rbac.authorization.k8s.io:rolebindings\nClusterRoleBinding b: r <- User alice\nRoleBinding shop/c: c <- User alice",
			[]string{"User alice: bind-roles in edit in namespace shop"}},
		{"a binding's name is no role's name",
			"ClusterRole r: bind rbac.authorization.k8s.io:clusterroles | patch rbac.authorization.k8s.io:clusterrolebindings [a]\n" +
				"ClusterRoleBinding b: r <- User alice", []string{"User alice: join-cluster-role-bindings in a in the whole cluster"}},
		{"to create is no power over a name, but by PUT", "ClusterRole r: * rbac.authorization.k8s.io:roles,rolebindings [a]\n" +
			"RoleBinding shop/b: r <- User alice", []string{"User alice: bind-namespace-roles in a in namespace shop",
			"User alice: escalate-roles in a in namespace shop",
			"User alice: write-role-and-binding in a in namespace shop"}},
		{"a namespace by its name is that namespace", "ClusterRole r: patch namespaces [shop]\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: relabel-namespaces in namespace shop"}},
		{"its labels change with its status", "ClusterRole r: update namespaces/status [shop] | get namespaces\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: relabel-namespaces in namespace shop"}},
		{"and when it is finalized", "ClusterRole r: update namespaces/finalize\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: relabel-namespaces in the whole cluster"}},
		{"namespaces are created, and pods in them", "ClusterRole r: create namespaces | create pods\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: create-pods in the whole cluster", "User alice: make-namespaces-and-pods in the whole cluster"}},
		{"policies that mutate are written and bound",
			"ClusterRole r: create admissionregistration.k8s.io:mutatingadmissionpolicies,mutatingadmissionpolicybindings\n" +
				"ClusterRoleBinding b: r <- User alice", []string{"User alice: write-mutating-policies in the whole cluster"}},
		{"a policy that is not bound does nothing", "ClusterRole r: create admissionregistration.k8s.io:mutatingadmissionpolicies\n" +
			"ClusterRoleBinding b: r <- User alice", nil},
		{"certificates are approved for kubelets alone",
			"ClusterRole r: create certificates.k8s.io:certificatesigningrequests | update " +
				"certificates.k8s.io:certificatesigningrequests/approval | approve certificates.k8s.io:signers " +
				"[kubernetes.io/kube-apiserver-client-kubelet]\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: approve-kubelet-certificates in the whole cluster"}},
		{"a namespace is changed from within it alone",
			"ClusterRole r: patch namespaces [bank]\nClusterRole s: patch namespaces [shop]\nRoleBinding shop/b: r <- User alice\n" +
				"RoleBinding shop/c: s <- User alice", []string{"User alice: relabel-namespaces in namespace shop"}},
		{"changing a namespace and making any workload in it meet",
			"ClusterRole r: patch namespaces [shop] | create batch:jobs\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: create-workloads in the whole cluster", "User alice: relabel-and-create-pods in namespace shop",
				"User alice: relabel-namespaces in namespace shop"}},
		{"groups are impersonated beside one user", "ClusterRole r: impersonate users [dash] | impersonate groups [admins]\n" +
			"ClusterRoleBinding b: r <- User alice", []string{"User alice: impersonate-groups in admins in the whole cluster",
			"User alice: impersonate-users in dash in the whole cluster"}},
		{"groups are impersonated beside an account of some namespace",
			"ClusterRole r: impersonate groups\nRole shop/s: impersonate serviceaccounts [dummy]\nClusterRoleBinding b: r <- User alice\n" +
				"RoleBinding shop/c: Role/s <- User alice", []string{"User alice: impersonate-accounts in dummy in namespace shop",
				"User alice: impersonate-groups in the whole cluster"}},
		{"groups alone are not impersonated", "ClusterRole r: impersonate groups\nClusterRoleBinding b: r <- User alice", nil},
		{"a token Secret is read under the name that it was given",
			"Role shop/r: create secrets | get secrets [mine]\nRoleBinding shop/b: Role/r <- User alice",
			[]string{"User alice: mint-token-secrets in namespace shop", "User alice: read-secrets in mine in namespace shop"}},
		{"certificates are approved for the one signer",
			"ClusterRole r: create certificates.k8s.io:certificatesigningrequests | update " +
				"certificates.k8s.io:certificatesigningrequests/approval | approve certificates.k8s.io:signers " +
				"[kubernetes.io/kube-apiserver-client]\nClusterRoleBinding b: r <- User alice",
			[]string{"User alice: approve-certificates in the whole cluster"}},
		{"certificates are approved for all signers of its domain",
			"ClusterRole r: create certificates.k8s.io:certificatesigningrequests | update " +
				"certificates.k8s.io:certificatesigningrequests/approval | approve certificates.k8s.io:signers [kubernetes.io/*]\n" +
				"ClusterRoleBinding b: r <- User alice",
			[]string{"User alice: approve-certificates in the whole cluster", "User alice: approve-kubelet-certificates in the whole cluster"}},
		{"nor are those of another domain",
			"ClusterRole r: create certificates.k8s.io:certificatesigningrequests | update " +
				"certificates.k8s.io:certificatesigningrequests/approval | approve certificates.k8s.io:signers [example.com/*]\n" +
				"ClusterRoleBinding b: r <- User alice",
			nil},
		{"another signer's certificates are worth nothing",
			"ClusterRole r: create certificates.k8s.io:certificatesigningrequests | update " +
				"certificates.k8s.io:certificatesigningrequests/approval | approve certificates.k8s.io:signers [example.com/x]\n" +
				"ClusterRoleBinding b: r <- User alice", nil},
		{"a patch, and a delete, answer with the Secret", "Role shop/r: patch secrets\nRole bank/r: delete secrets [a]\n" +
			"RoleBinding shop/b: Role/r <- User alice\nRoleBinding bank/b: Role/r <- User alice",
			[]string{"User alice: read-secrets in a in namespace bank", "User alice: read-secrets in namespace shop"}},
		{"bind and create in two namespaces never meet",
			"ClusterRole r: bind rbac.authorization.k8s.io:clusterroles\nClusterRole c: create " +
				"rbac.authorization.k8s.io:rolebindings\nRoleBinding bank/b: r <- User alice\nRoleBinding shop/c: c <- User alice", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := facts(t, tt.roles)
			f.Pods[collect.Key{Namespace: "shop", Name: "taken"}] = &collect.Pod{}
			if got := held(t, f); !slices.Equal(got, tt.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

// TestAPowerThatTwoBindingsGiveIsNotEndedByOne: taking one binding away ends it only where nothing else
// gives it.
func TestAPowerThatTwoBindingsGiveIsNotEndedByOne(t *testing.T) {
	const reads = "ClusterRole r: get secrets\nRole shop/r: get secrets [a]\n"
	for _, c := range []struct {
		name, bindings string
		want           bool
	}{
		{"one binding", "ClusterRoleBinding b: r <- User alice", false},
		{"two of the same role", "ClusterRoleBinding b: r <- User alice\nClusterRoleBinding c: r <- User alice", true},
		{"another in a namespace of it", "ClusterRoleBinding b: r <- User alice\nRoleBinding shop/c: r <- User alice", true},
		{"one over a name of the namespace", "RoleBinding shop/b: r <- User alice\nRoleBinding shop/c: Role/r <- User alice", true},
		{"another in another namespace", "RoleBinding shop/b: r <- User alice\nRoleBinding bank/c: r <- User alice", false},
		{"one of a group that it is in", "ClusterRoleBinding b: r <- User alice\nClusterRoleBinding c: r <- Group system:authenticated", true},
		{"one of somebody else", "ClusterRoleBinding b: r <- User alice\nClusterRoleBinding c: r <- User bob", false},
	} {
		found := false
		for _, h := range New(facts(t, reads+c.bindings)).Holds(powers(t)) {
			if h.Subject != User("alice") || h.Power != "read-secrets" {
				continue
			}
			if found = true; h.Elsewhere != c.want {
				t.Errorf("%s: %s is held elsewhere: %v, want %v", c.name, h.Scope, h.Elsewhere, c.want)
			}
		}
		if !found {
			t.Errorf("%s: alice holds nothing", c.name)
		}
	}
}

func TestEverythingImpliesEachPower(t *testing.T) {
	all := powers(t)
	got := map[string]int{}
	for _, h := range New(facts(t, "ClusterRoleBinding b: cluster-admin <- User root")).Holds(all) {
		if h.Scope.Kind == Cluster {
			got[h.Power]++
		}
	}
	for _, p := range all {
		if got[p.Name] != 2 { // root and system:masters
			t.Errorf("%s held %d times, want 2", p.Name, got[p.Name])
		}
	}
}

func TestExplainNamesTheWholeChain(t *testing.T) {
	f := facts(t, "ClusterRole r: get,list secrets\nClusterRoleBinding b: r <- Group system:serviceaccounts")
	got := New(f).Can(ServiceAccount("shop", "web"), Request{Verb: "get", Resource: "secrets", Namespace: "bank"}).Explain()
	want := "ServiceAccount shop/web may get secrets in namespace bank: ClusterRoleBinding b binds Group system:serviceaccounts to " +
		"ClusterRole r, whose rule 0 allows get, list secrets."
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParsePowersIsStrict(t *testing.T) {
	head := "- name: a\n  title: A\n  why: w\n  severity: high\n  any: [{verbs: [get], resource: pods}]\n"
	tests := []struct{ name, text, want string }{
		{"an unknown key", head + "  colour: red\n", `powers.yaml:6: unknown key "colour"`},
		{"twice the same", head + head, `powers.yaml:6: power "a" is there twice`},
		{"no ask", strings.ReplaceAll(head, "any: [{verbs: [get], resource: pods}]", "any: []"), "want any or all"},
		{"no verb", strings.ReplaceAll(head, "verbs: [get], ", ""), "wants verbs"},
		{"resource and path", strings.ReplaceAll(head, "resource: pods", "resource: pods, path: /x"), "either a resource or a path"},
		{"a severity that is none", strings.ReplaceAll(head, "high", "awful"), `severity "awful"`},
		{"two documents", head + "---\n" + head, "want one document"},
		{"no list", "a: b", "powers.yaml:1: want a list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePowers("powers.yaml", []byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzParsePowers(f *testing.F) {
	f.Add([]byte("- name: a\n  title: A\n  why: w\n  severity: high\n  any: [{verbs: [get], resource: pods}]\n"))
	f.Add([]byte("[{name: a, all: [{}]}]"))
	f.Add([]byte("- &a [*a]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePowers("powers.yaml", text)
		if err == nil {
			New(collect.NewFacts()).Holds(p)
		}
	})
}
