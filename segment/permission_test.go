package segment

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/schema"
)

// edges are those of one kind, "from -> to", of manifests judged by the powers that are shipped.
func edges(t *testing.T, kind, manifests string) (out []string) {
	t.Helper()
	for e := range allEdges(t, parsed(t, manifests)) {
		if e.Kind() == kind {
			out = append(out, e.From.ID()+" -> "+e.To.ID())
		}
	}
	slices.Sort(out)
	return out
}

func parsed(t *testing.T, manifests string) *collect.Facts {
	t.Helper()
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(manifests)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "c"
	return f
}

func shipped(t *testing.T) []rbac.Power {
	t.Helper()
	text, err := os.ReadFile("../packs/attack/powers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	powers, err := rbac.ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return powers
}

func allEdges(t *testing.T, f *collect.Facts) func(func(graph.Edge) bool) {
	t.Helper()
	r := Cluster(f, Judge(f, shipped(t)))
	shared := graph.NewShared(schema.Vocabulary())
	r.PutShared(shared)
	frozen := shared.Freeze()
	seg, _ := r.Build(frozen)
	v := graph.NewView(schema.Vocabulary(), frozen, seg)
	return func(yield func(graph.Edge) bool) {
		for _, k := range schema.Kinds() {
			for n := range v.Nodes(k.Name) {
				for e := range n.Out("") {
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

// role lets the account web of namespace shop do something, in shop or everywhere.
func role(where, rule string) string {
	if where == "" {
		return `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: r}
rules: [` + rule + `]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]
`
	}
	return `
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: ` + where + `}
rules: [` + rule + `]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: ` + where + `}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}]
`
}

const objects = `
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: shop}
---
apiVersion: v1
kind: Secret
metadata: {name: a, namespace: bank}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: a, namespace: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {containers: [{name: app, image: i}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: a}}, spec: {containers: [{name: app, image: i}]}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: others, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: User, name: a}, {kind: Group, name: a}]
`

func TestAPermissionLeadsToTheObjectsThatItNames(t *testing.T) {
	for _, tt := range []struct {
		name, role string
		want       []string
	}{
		{"a Secret of the namespace", role("shop", `{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [a]}`),
			[]string{"c/shop/Permission/read-secrets@a -> c/shop/Secret/a"}},
		{"a Secret of that name in each namespace", role("", `{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [a]}`),
			[]string{"c/Permission/read-secrets@a -> c/bank/Secret/a", "c/Permission/read-secrets@a -> c/shop/Secret/a"}},
		{"a Secret that is not there", role("shop", `{verbs: [get], apiGroups: [""], resources: [secrets], resourceNames: [x]}`), nil},
		{"a Deployment, and not the pod of that name",
			role("shop", `{verbs: [patch], apiGroups: [apps], resources: [deployments], resourceNames: [a]}`),
			[]string{"c/shop/Permission/change-deployments@a -> c/shop/Deployment/a"}},
		{"a user", role("", `{verbs: [impersonate], apiGroups: [""], resources: [users], resourceNames: [a, nobody]}`),
			[]string{"c/Permission/impersonate-users@a,nobody -> c/User/a"}},
		{"a group, and not the user beside which it is impersonated",
			role("", `{verbs: [impersonate], apiGroups: [""], resources: [users, groups], resourceNames: [a]}`),
			[]string{"c/Permission/impersonate-groups@a -> c/Group/a", "c/Permission/impersonate-users@a -> c/User/a"}},
		{"a node as its user, in the group of nodes", `
---
apiVersion: v1
kind: Node
metadata: {name: n1}
` + role("", `{verbs: [impersonate], apiGroups: [""], resources: [users, groups], resourceNames: ["system:node:n1", "system:nodes"]}`),
			[]string{"c/Permission/impersonate-nodes@system:node:n1,system:nodes -> c/Node/n1",
				"c/Permission/impersonate-users@system:node:n1,system:nodes -> c/Node/n1"}},
		{"all of a namespace is not named", role("shop", `{verbs: [get], apiGroups: [""], resources: [secrets]}`), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := edges(t, "NAMES", objects+tt.role); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestWhatIsCreatedByItsNameSaysByWhich: of a taken name no pod is created.
func TestWhatIsCreatedByItsNameSaysByWhich(t *testing.T) {
	for name, want := range map[string]string{"free": "create-pods in shop as free", "a": ""} {
		got, manifests := "", objects+role("shop", `{verbs: [create, patch], apiGroups: [""], resources: [pods], resourceNames: [`+name+`]}`)
		for e := range allEdges(t, parsed(t, manifests)) {
			if e.Kind() == "HOLDS" && e.From.ID() == "c/shop/ServiceAccount/web" && e.To.Text("power") == "create-pods" {
				got = "create-pods in " + e.To.Text("namespace") + " as " + e.Value("creates").Str()
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestATokenSecretIsJoinedToItsAccount(t *testing.T) {
	const secret = `
apiVersion: v1
kind: Secret
metadata: {name: t, namespace: shop, annotations: {kubernetes.io/service-account.name: deployer}}
type: `
	want := []string{"c/shop/Secret/t -> c/shop/ServiceAccount/deployer"}
	if got := edges(t, "TOKEN_OF", secret+"kubernetes.io/service-account-token"); !slices.Equal(got, want) {
		t.Error(got)
	}
	if got := edges(t, "TOKEN_OF", secret+"Opaque"); got != nil {
		t.Errorf("the annotation alone makes %q", got)
	}
}

func TestWhatAPowerOverRolesGivesIsAFact(t *testing.T) {
	got := edges(t, "GIVES", role("shop", `{verbs: [bind, create], apiGroups: ["*"], resources: [clusterroles, rolebindings]}`))
	if want := "c/shop/Permission/bind-roles -> c/shop/Permission/read-secrets"; !slices.Contains(got, want) {
		t.Errorf("%q is missing in %q", want, got)
	}
}

func TestARoleThatNamesANamespaceThatIsNotThereMakesNone(t *testing.T) {
	got := edges(t, "COVERS", role("", `{verbs: [patch], apiGroups: [""], resources: [namespaces], resourceNames: [gone]}`))
	if slices.Contains(got, "c/gone/Permission/relabel-namespaces -> c/Namespace/gone") {
		t.Error(got)
	}
}

func TestANamespaceTellsWhatItAdmits(t *testing.T) {
	f := parsed(t, `
apiVersion: v1
kind: Namespace
metadata: {name: open}
---
apiVersion: v1
kind: Namespace
metadata: {name: closed, labels: {pod-security.kubernetes.io/enforce: baseline}}
`)
	v := view(t, f)
	for name, want := range map[string]bool{"open": true, "closed": false} {
		ns, _ := v.Node("Namespace", "c/Namespace/"+name)
		for _, p := range []string{"admitsNodeTakeover", "admitsNodeTakeoverByWorkload", "admitsNodeTakeoverByDebugging"} {
			if got := ns.Value(p); got.IsNull() || got.Bool() != want {
				t.Errorf("%s of %s is %v, want %v", p, name, got, want)
			}
		}
	}
}

func TestWhomAPolicyExceptsHoldsWhatItRefusesToOthers(t *testing.T) {
	guarded := `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints: {resourceRules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]}
  matchConditions: [{name: c, expression: 'request.userInfo.username != "system:serviceaccount:shop:EXCEPTED"'}]
  validations:
  - {expression: "!has(object.spec.hostPID) && (!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath)))"}
  - {expression: "(object.spec.containers + object.spec.?initContainers.orValue([])).all(c, !c.?securityContext.privileged.orValue(false)
      && c.?securityContext.capabilities.add.orValue([]).size() == 0)"}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, validationActions: [Deny]}
`
	creates := role("", `{verbs: [create], apiGroups: [""], resources: [pods]}`)
	const held = "c/shop/ServiceAccount/web -> c/Permission/take-over-nodes@cluster"
	for who, want := range map[string]bool{"web": true, "other": false} {
		if got := edges(t, "HOLDS", strings.Replace(guarded, "EXCEPTED", who, 1)+creates); slices.Contains(got, held) != want {
			t.Errorf("with an exception for %s, held is %v", who, !want)
		}
	}
}

func TestWhoAsksWithoutACredentialIsJoinedWhereItHoldsAPower(t *testing.T) {
	reads := func(subject string) string {
		return `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reads}
rules: [{verbs: [get], apiGroups: [""], resources: [secrets]}, {verbs: [get], nonResourceURLs: [/healthz]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads}
subjects: [` + subject + `]
`
	}
	for subject, want := range map[string][]string{
		"{kind: Group, name: 'system:unauthenticated'}":                     {"c/Cluster -> c/Group/system:unauthenticated"},
		"{kind: User, name: 'system:anonymous'}":                            {"c/Cluster -> c/User/system:anonymous"},
		"{kind: Group, name: 'system:authenticated'}":                       nil,
		"{kind: User, name: 'system:unauthenticated'}":                      nil,
		"{kind: ServiceAccount, name: 'system:anonymous', namespace: shop}": nil,
		"{kind: User, name: 'system:serviceaccount:shop:system:anonymous'}": nil,
	} {
		if got := edges(t, "TAKES_ANYBODY_FOR", reads(subject)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", subject, got, want)
		}
	}
	events := strings.Replace(reads("{kind: User, name: 'system:anonymous'}"), "[secrets]", "[events]", 1)
	if got := edges(t, "TAKES_ANYBODY_FOR", events); got != nil {
		t.Errorf("to read events is no power, got %q", got)
	}
}

// policy is an admission policy that lets in the pods of which an expression is true,
// and its binding.
func policy(expression string) string {
	return `---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: guard}
spec:
  matchConstraints: {resourceRules: [{operations: ['*'], apiGroups: [''], apiVersions: [v1], resources: [pods]}]}
  validations: [{expression: '` + expression + `'}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: bound}
spec: {policyName: guard, validationActions: [Deny]}
`
}

func TestToRemoveAPolicyIsWhatItKeptOut(t *testing.T) {
	guarded := `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
` + policy("false")
	may := func(verb, resource, name string) string {
		return role("", `{verbs: [create], apiGroups: [""], resources: [pods]}, {verbs: [`+verb+
			`], apiGroups: [admissionregistration.k8s.io], resources: [`+resource+`]`+name+`}`)
	}
	const policies, bindings = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
	for _, tt := range []struct{ name, role, want string }{
		{"any policy", may("delete", policies, ""), "c/Permission/remove-policies-and-create-pods@cluster"},
		{"the policy", may("patch", policies, ", resourceNames: [guard]"), "c/Permission/remove-policies-and-create-pods@guard"},
		{"another policy", may("patch", policies, ", resourceNames: [bound]"), ""},
		{"any binding", may("update", bindings, ""), "c/Permission/unbind-policies-and-create-pods@cluster"},
		{"the binding", may("delete", bindings, ", resourceNames: [bound]"), "c/Permission/unbind-policies-and-create-pods@bound"},
		{"to read them", may("get", bindings, ""), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, e := range edges(t, "GIVES", guarded+"---\n"+tt.role) {
				from, to, _ := strings.Cut(e, " -> ") // system:masters may remove any
				if to == "c/Permission/take-over-nodes@cluster" && (from == tt.want || !strings.HasSuffix(from, "@cluster")) {
					got = append(got, from)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnAccountThatAPolicyForbidsIsAFact(t *testing.T) {
	got := edges(t, "REFUSES_PODS_AS", `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: boss, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
`+policy(`object.spec.serviceAccountName != "boss"`))
	if want := []string{"c/Namespace/shop -> c/shop/ServiceAccount/boss"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAScopeOfManyNamesIsCalledByTheirNumber(t *testing.T) {
	of := func(n int, last string) rbac.Scope {
		in := rbac.Scope{Kind: rbac.Names, Namespace: "shop"}
		for i := range n - 1 {
			in.Names = append(in.Names, fmt.Sprintf("s%05d", i))
		}
		in.Names = append(in.Names, last)
		return in
	}
	id := permissionID("read-secrets", of(10_000, "z"))
	if want := "shop/Permission/read-secrets@10000-names-"; !strings.HasPrefix(id, want) || len(id) > 80 {
		t.Errorf("got %s", id)
	}
	if id == permissionID("read-secrets", of(10_000, "y")) {
		t.Error("other names have the same id")
	}
	if got := few(of(10_000, "z")).String(); len(got) > 200 || !strings.HasSuffix(got, "s00015, 9984 more in namespace shop") {
		t.Errorf("told as %s", got)
	}
	if got := few(of(16, "z")).String(); !strings.HasSuffix(got, "s00014, z in namespace shop") {
		t.Errorf("few names are told as %s", got)
	}
	if got, want := permissionID("read-secrets", of(2, "z")), "shop/Permission/read-secrets@s00000,z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
