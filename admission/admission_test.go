package admission

import (
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/collect"
)

// facts are a namespace shop with labels, "a=b c=d", and what guards it, as documents of YAML.
func facts(t *testing.T, labels, guards string) *collect.Facts {
	t.Helper()
	f := collect.NewFacts()
	f.Cluster.Version = "v1.37.2"
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{}}}
	for pair := range strings.FieldsSeq(labels) {
		k, v, _ := strings.Cut(pair, "=")
		ns.Labels[k] = v
	}
	f.Namespaces[collect.Key{Name: "shop"}] = ns
	for doc := range strings.SplitSeq(guards, "\n---\n") {
		var head metav1.TypeMeta
		read(t, doc, &head)
		switch head.Kind {
		case "ValidatingAdmissionPolicy":
			o := &admissionv1.ValidatingAdmissionPolicy{}
			read(t, doc, o)
			f.ValidatingPolicies[collect.Key{Name: o.Name}] = o
		case "ValidatingAdmissionPolicyBinding":
			o := &admissionv1.ValidatingAdmissionPolicyBinding{}
			read(t, doc, o)
			f.ValidatingPolicyBindings[collect.Key{Name: o.Name}] = o
		case "ValidatingWebhookConfiguration":
			o := &admissionv1.ValidatingWebhookConfiguration{}
			read(t, doc, o)
			f.ValidatingWebhooks[collect.Key{Name: o.Name}] = o
		case "SecurityContextConstraints":
			o := &collect.SecurityContextConstraints{}
			read(t, doc, o)
			f.SecurityContextConstraints[collect.Key{Name: o.Name}] = o
		case "ServiceAccount":
			o := &corev1.ServiceAccount{}
			read(t, doc, o)
			f.ServiceAccounts[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
		case "ClusterRole":
			o := &rbacv1.ClusterRole{}
			read(t, doc, o)
			f.ClusterRoles[collect.Key{Name: o.Name}] = o
		case "RoleBinding":
			o := &rbacv1.RoleBinding{}
			read(t, doc, o)
			f.RoleBindings[collect.Key{Namespace: o.Namespace, Name: o.Name}] = o
		case "":
		default:
			t.Fatalf("%s is no guard", head.Kind)
		}
	}
	return f
}

func read(t *testing.T, doc string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(doc), into); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
}

func TestTheLevelOfANamespaceDecides(t *testing.T) {
	open, closed := Takeover{Admitted, Admitted, Admitted, Admitted}, Takeover{Refused, Refused, Refused, Admitted}
	const enforce = "pod-security.kubernetes.io/enforce="
	for _, tt := range []struct {
		name, labels string
		want         Takeover
	}{
		{"no label", "", open},
		{"privileged", enforce + "privileged", open},
		{"baseline", enforce + "baseline", closed},
		{"restricted", enforce + "restricted", closed},
		{"baseline as of an old version", enforce + "baseline pod-security.kubernetes.io/enforce-version=v1.22", closed},
		{"a level that is none is the strictest", enforce + "strict", closed},
		{"a level that only warns", "pod-security.kubernetes.io/warn=restricted pod-security.kubernetes.io/audit=restricted", open},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(facts(t, tt.labels, "")).Takeover("shop"); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestLevelsMeanNothingBeforeTheyCame(t *testing.T) {
	f := facts(t, "pod-security.kubernetes.io/enforce=restricted", "")
	for version, want := range map[string]Verdict{"v1.22.17": Admitted, "v1.23.0": Refused, "": Refused} {
		f.Cluster.Version = version
		if got := New(f).Takeover("shop").Pod; got != want {
			t.Errorf("in %s: %v, want %v", version, got, want)
		}
	}
}

func TestOfANamespaceThatWasNotReadNothingIsKnown(t *testing.T) {
	if got := New(facts(t, "", "")).Takeover("bank"); got != (Takeover{Unknown, Unknown, Unknown, Unknown}) {
		t.Error(got)
	}
}

// head begins a policy about pods; its expressions follow.
const head = `
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec:
  matchConstraints:
    resourceRules: [{operations: [CREATE, UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods, pods/ephemeralcontainers]}]
`

// bound binds it.
const bound = `
---
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, validationActions: [Deny]}
`

// strict is what refuses every way that is tried.
const strict = `
  variables:
  - {name: all, expression: "object.spec.containers + object.spec.?initContainers.orValue([])
      + object.spec.?ephemeralContainers.orValue([])"}
  validations:
  - {expression: "!has(object.spec.hostPID) || !object.spec.hostPID"}
  - {expression: "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))"}
  - {expression: "variables.all.all(c, !c.?securityContext.privileged.orValue(false))"}
  - {expression: "variables.all.all(c, c.?securityContext.capabilities.add.orValue([]).size() == 0)"}
`

func TestAPolicyRefusesWhatItsExpressionsRefuse(t *testing.T) {
	refuse := func(expression string) string { return "  validations: [{expression: '" + expression + "'}]\n" }
	about := func(from, to string) string { return strings.Replace(head, from, to, 1) + strict + bound }
	bind := func(from, to string) string { return head + strict + strings.Replace(bound, from, to, 1) }
	tests := []struct {
		name, labels, guards       string
		pod, workload, ephemerally Verdict
	}{
		{"every way", "", head + strict + bound, Refused, Refused, Refused},
		{"without a binding", "", head + strict, Admitted, Admitted, Admitted},
		{"bound to warn", "", bind("[Deny]", "[Warn, Audit]"), Admitted, Admitted, Admitted},
		{"another policy is bound", "", bind("policyName: p", "policyName: q"), Admitted, Admitted, Admitted},
		{"bound for namespaces with another label", "env=dev", bind("policyName: p",
			"policyName: p, matchResources: {namespaceSelector: {matchLabels: {env: prod}}}"), Admitted, Admitted, Admitted},
		{"bound for namespaces with this label", "env=prod", bind("policyName: p",
			"policyName: p, matchResources: {namespaceSelector: {matchLabels: {env: prod}}}"), Refused, Refused, Refused},
		{"bound for the namespace by its name", "", bind("policyName: p",
			"policyName: p, matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}"), Refused, Refused, Refused},
		{"for objects whose labels their makers choose", "", bind("policyName: p",
			"policyName: p, matchResources: {objectSelector: {matchLabels: {guarded: yes}}}"), Admitted, Admitted, Refused},
		{"for pods of one name", "", about("resources: [pods,", "resourceNames: [a], resources: [pods,"), Admitted, Admitted, Admitted},
		{"not for debugging containers", "", about(", pods/ephemeralcontainers", ""), Refused, Refused, Admitted},
		{"for subresources by a wildcard", "", about("pods, pods/ephemeralcontainers", "'*/*'"), Refused, Refused, Refused},
		{"for updates only", "", about("CREATE, UPDATE", "UPDATE"), Admitted, Admitted, Refused},
		{"for Deployments only", "", about(`apiGroups: [""], apiVersions: [v1], resources: [pods, pods/ephemeralcontainers]`,
			"apiGroups: [apps], apiVersions: [v1], resources: [deployments]"), Admitted, Admitted, Admitted},
		{"with pods left out again", "", about("resourceRules:",
			"excludeResourceRules: [{operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: [pods]}]\n    resourceRules:"),
			Admitted, Admitted, Refused},
		{"privileged containers, and folders of the node are left", "",
			head + refuse("object.spec.containers.all(c, !c.?securityContext.privileged.orValue(false))") + bound, Admitted, Admitted, Admitted},
		{"every way, and what containers say of capabilities", "", head + strings.Replace(strict,
			"c.?securityContext.capabilities.add.orValue([]).size() == 0",
			"!has(c.securityContext) || !has(c.securityContext.capabilities)", 1) + bound, Refused, Refused, Refused},
		{"what containers say of capabilities, and nothing else", "", head +
			refuse("object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.capabilities))") + bound,
			Admitted, Admitted, Unknown},
		{"an expression that fails", "", head + refuse("object.spec.nothing == 1") + bound, Unknown, Unknown, Unknown},
		{"an expression that fails, which is ignored", "", head + "  failurePolicy: Ignore\n" + refuse("object.spec.nothing == 1") + bound,
			Admitted, Admitted, Admitted},
		{"everything, for a reason that has nothing to do with the node", "", head + refuse(`object.metadata.name == "x"`) + bound,
			Unknown, Unknown, Unknown},
		{"everything", "", head + refuse("false") + bound, Refused, Refused, Refused},
		{"everything of this namespace", "", head + refuse(`request.namespace != "shop"`) + bound, Refused, Refused, Refused},
		{"everything but of another name", "", head + refuse(`request.name == "x"`) + bound, Unknown, Unknown, Unknown},
		{"everything by an expression that nobody can read", "", head + refuse("nothing()") + bound, Unknown, Unknown, Unknown},
		{"everything that a condition on the object leaves", "", head + "  matchConditions: [{name: c, expression: " +
			"'object.metadata.name != \"x\"'}]\n" + refuse("false") + bound, Unknown, Unknown, Unknown},
		{"by a condition that does not hold", "", head + "  matchConditions: [{name: c, expression: 'request.namespace != \"shop\"'}]\n" +
			strict + bound, Admitted, Admitted, Admitted},
		{"but for the controllers of the cluster", "", head + "  matchConditions: [{name: c, expression: " +
			"'!(\"system:serviceaccounts:kube-system\" in request.userInfo.groups)'}]\n" + strict + bound, Refused, Admitted, Refused},
		{"by parameters, which are not read", "", head + "  paramKind: {apiVersion: v1, kind: ConfigMap}\n" +
			refuse(`params.data["open"] == "yes"`) + bound, Unknown, Unknown, Unknown},
		{"what somebody may not do", "", head +
			refuse(`authorizer.group("").resource("nodes").check("delete").allowed()`) + bound, Unknown, Unknown, Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := New(facts(t, tt.labels, tt.guards)).Takeover("shop")
			if want := (Takeover{tt.pod, tt.workload, tt.ephemerally, got.Relabelled}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestLabelsAreChangedAsFarAsThatHelps(t *testing.T) {
	const enforce = "pod-security.kubernetes.io/enforce=baseline"
	selected := func(selector string) string { return head + strict + selecting(selector) }
	for _, tt := range []struct {
		name, guards string
		want         Verdict
	}{
		{"the level is all there is", "", Admitted},
		{"a policy for every namespace", head + strict + bound, Refused},
		{"a policy by a label that can be taken off", selected("matchLabels: {env: prod}"), Admitted},
		{"a policy but for a label", selected("matchExpressions: [{key: exempt, operator: DoesNotExist}]"), Admitted},
		{"a policy but for a label's value", selected("matchExpressions: [{key: level, operator: NotIn, values: [open]}]"), Admitted},
		{"a policy but for another name", selected("matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [bank]}]"),
			Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(facts(t, enforce+" env=prod", tt.guards)).Takeover("shop").Relabelled; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestANewNamespaceHasTheLabelsThatItsMakerGivesIt: the levels of those that are there guard none of it.
func TestANewNamespaceHasTheLabelsThatItsMakerGivesIt(t *testing.T) {
	for name, tt := range map[string]struct {
		guards string
		want   Verdict
	}{
		"every namespace has its level":  {"", Admitted},
		"a policy for every namespace":   {head + strict + bound, Refused},
		"a policy for the one by a name": {head + strict + selecting("matchLabels: {kubernetes.io/metadata.name: shop}"), Admitted},
		"a policy but for a label":       {head + strict + selecting("matchExpressions: [{key: exempt, operator: DoesNotExist}]"), Admitted},
		"a policy but for another name": {head + strict +
			selecting("matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]"), Refused},
	} {
		if got := New(facts(t, "pod-security.kubernetes.io/enforce=restricted", tt.guards)).New(); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// selecting binds the policy p in the namespaces that a selector means.
func selecting(selector string) string {
	return strings.Replace(bound, "policyName: p", "policyName: p, matchResources: {namespaceSelector: {"+selector+"}}", 1)
}

func TestWhatAWebhookAnswersIsNotKnown(t *testing.T) {
	const kyverno = `
kind: ValidatingWebhookConfiguration
metadata: {name: guard}
webhooks:
- name: guard.example
  namespaceSelector: {matchExpressions: [{key: free, operator: DoesNotExist}]}
  rules: [{operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods]}]
`
	for _, tt := range []struct {
		name, labels, hook string
		want               Verdict
	}{
		{"it is asked about pods", "", kyverno, Unknown},
		{"it is not asked here", "free=yes", kyverno, Admitted},
		{"it is asked about Services", "", strings.Replace(kyverno, "[pods]", "[services]", 1), Admitted},
		{"what is refused anyway stays refused", "pod-security.kubernetes.io/enforce=baseline", kyverno, Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(facts(t, tt.labels, tt.hook)).Takeover("shop").Pod; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAPolicyMayMakeAnExceptionForSomebody(t *testing.T) {
	const deployer = "system:serviceaccount:ci:deployer"
	but := func(condition string) string {
		return head + "  matchConditions: [{name: c, expression: '" + condition + "'}]\n" + strict + bound
	}
	for _, tt := range []struct {
		name, guards string
		want         bool
	}{
		{"for the user", but(`request.userInfo.username != "` + deployer + `"`), true},
		{"for another user", but(`request.userInfo.username != "system:serviceaccount:ci:other"`), false},
		{"for a group of the user", but(`!("system:serviceaccounts:ci" in request.userInfo.groups)`), true},
		{"for nobody", head + strict + bound, false},
		{"who passes anyway is no exception", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := New(facts(t, "", tt.guards))
			if got := j.Excepted("shop", deployer, []string{"system:serviceaccounts:ci"}); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if j.Excepted("bank", deployer, nil) {
				t.Error("of a namespace that was not read nobody is excepted")
			}
		})
	}
}

func TestWhoMakesAPodMarksItAsPoliciesLike(t *testing.T) {
	but := func(condition string) string {
		return head + "  matchConditions: [{name: c, expression: '" + condition + "'}]\n" + strict + bound
	}
	const none = "\n---\n"
	protect := strings.NewReplacer("{name: p}", "{name: q}").Replace(head) +
		"  validations: [{expression: '!object.metadata.?labels[?\"breakglass\"].hasValue()'}]\n" +
		strings.NewReplacer("{name: b}", "{name: c}", "policyName: p", "policyName: q").Replace(bound)
	for _, tt := range []struct {
		name, guards               string
		pod, workload, ephemerally Verdict
	}{
		{"a label's being there", but(`!("breakglass" in object.metadata.labels)`), Admitted, Admitted, Refused},
		{"a label's value", but(`object.metadata.?labels[?"level"].orValue("") != "open"`), Admitted, Admitted, Refused},
		{"a label by its field", but(`!has(object.metadata.labels.skip)`), Admitted, Admitted, Refused},
		{"an annotation", but(`!("example.com/skip" in object.metadata.?annotations.orValue({}))`), Admitted, Admitted, Refused},
		{"a label that another policy forbids", but(`!("breakglass" in object.metadata.labels)`) + none + protect, Refused, Refused, Refused},
		{"no mark", but(`object.metadata.labels.size() < 100`), Refused, Refused, Refused},
		{"a label of the namespace", but(`!("breakglass" in namespaceObject.metadata.labels)`), Refused, Refused, Refused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := New(facts(t, "", tt.guards)).Takeover("shop")
			if want := (Takeover{tt.pod, tt.workload, tt.ephemerally, got.Relabelled}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestWhoRemovesTheGuardPasses(t *testing.T) {
	another := strings.NewReplacer("{name: p}", "{name: q}", "{name: b}", "{name: c}", "policyName: p", "policyName: q")
	for _, tt := range []struct {
		name, labels, guards string
		removal              Removal
		want                 bool
	}{
		{"any policy", "", head + strict + bound, Removal{Policies: true}, true},
		{"the policy by its name", "", head + strict + bound, Removal{Policies: true, Names: []string{"p"}}, true},
		{"another policy", "", head + strict + bound, Removal{Policies: true, Names: []string{"b"}}, false},
		{"any binding", "", head + strict + bound, Removal{Bindings: true}, true},
		{"the binding by its name", "", head + strict + bound, Removal{Bindings: true, Names: []string{"b"}}, true},
		{"another binding", "", head + strict + bound, Removal{Bindings: true, Names: []string{"p"}}, false},
		{"one of two policies", "", head + strict + bound + "\n---\n" + another.Replace(head+strict+bound),
			Removal{Policies: true, Names: []string{"p"}}, false},
		{"what the namespace's level refuses too", "pod-security.kubernetes.io/enforce=baseline", head + strict + bound,
			Removal{Policies: true}, false},
		{"what nothing refuses", "", "", Removal{Policies: true}, false},
		{"what is let in anyway", "", head + strict, Removal{Policies: true}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := New(facts(t, tt.labels, tt.guards)).Unguarded("shop", tt.removal); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAPolicyMayForbidAnAccount(t *testing.T) {
	only := func(expression string) string {
		return head + "  validations: [{expression: '" + expression + "'}]\n" + bound
	}
	for _, tt := range []struct {
		name, guards, account string
		want                  bool
	}{
		{"all but default", only(`object.spec.?serviceAccountName.orValue("") in ["", "default"]`), "boss", true},
		{"default is left", only(`object.spec.?serviceAccountName.orValue("") in ["", "default"]`), "default", false},
		{"one account", only(`object.spec.serviceAccountName != "boss"`), "boss", true},
		{"another account", only(`object.spec.serviceAccountName != "boss"`), "web", false},
		{"by its older name", only(`object.spec.?serviceAccount.orValue("") != "boss"`), "boss", true},
		{"but for a label", only(`object.spec.serviceAccountName != "boss" || "free" in object.metadata.labels`), "boss", false},
		{"but for some users", only(`object.spec.serviceAccountName != "boss" || request.userInfo.username == "ann"`), "boss", false},
		{"a policy about nodes", head + strict + bound, "boss", false},
		{"that is not bound", head + "  validations: [{expression: 'object.spec.serviceAccountName != \"boss\"'}]\n", "boss", false},
		{"none", "", "boss", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := New(facts(t, "", tt.guards))
			if got := j.RefusesAccount("shop", tt.account); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if j.RefusesAccount("bank", tt.account) {
				t.Error("of a namespace that was not read nothing is known")
			}
		})
	}
}
