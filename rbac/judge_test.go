package rbac

import (
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

func TestAURLIsMatchedWholeOrByWhatStandsBeforeItsStar(t *testing.T) {
	for _, c := range []struct {
		rule, path string
		want       bool
	}{
		{"/metrics", "/metrics", true},
		{"/metrics", "/metrics/cadvisor", false},
		{"/metrics/*", "/metrics/cadvisor", true},
		{"/metrics/*", "/healthz", false},
		{"*", "/anything", true},
	} {
		f := facts(t, "ClusterRole r: get /\nClusterRoleBinding b: r <- User alice")
		f.ClusterRoles[keyOf("r")].Rules[0].NonResourceURLs = []string{c.rule}
		j := New(f)
		if got := j.Can(User("alice"), Request{Verb: "get", Path: c.path}).Allowed; got != c.want {
			t.Errorf("%s allows %s: %v", c.rule, c.path, got)
		}
	}
}

func TestURLsAreOfTheWholeClusterAndHaveNoNames(t *testing.T) {
	f := facts(t, "ClusterRole r: get /metrics\nRoleBinding shop/b: r <- User alice")
	if d := New(f).Can(User("alice"), Request{Verb: "get", Path: "/metrics", Namespace: "shop"}); d.Allowed {
		t.Errorf("a RoleBinding grants a URL: %s", d.Explain())
	}
	asks := []Power{{Name: "read-metrics", Any: []Ask{{Verbs: []string{"get"}, Path: "/metrics"}}}}
	for roles, want := range map[string]int{
		"ClusterRole r: get /metrics\nRoleBinding shop/b: r <- User alice":   0,
		"ClusterRole r: get /metrics\nClusterRoleBinding b: r <- User alice": 1,
	} {
		if got := of(New(facts(t, roles)).Holds(asks), User("alice")); len(got) != want {
			t.Errorf("%s: %v", roles, got)
		}
	}
}

// of are the holds of one subject, as "power in scope".
func of(holds []Hold, s Subject) (out []string) {
	for _, h := range holds {
		if h.Subject == s {
			out = append(out, h.Power+" in "+h.Scope.String())
		}
	}
	return out
}

func TestTheGroupsThatEveryRequestCarries(t *testing.T) {
	for _, c := range []struct {
		of   Subject
		want []string
	}{
		{ServiceAccount("shop", "web"), []string{"system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"}},
		{User("alice"), []string{"system:authenticated"}},
		{User("system:anonymous"), []string{"system:unauthenticated"}},
		{Group("system:anonymous"), []string{"system:anonymous", "system:authenticated"}},
		{User("system:unauthenticated"), []string{"system:authenticated"}},
		{Group("system:unauthenticated"), []string{"system:unauthenticated"}},
		{Group("system:authenticated"), []string{"system:authenticated"}},
		{Group("system:serviceaccounts:shop"), []string{"system:serviceaccounts:shop", "system:serviceaccounts", "system:authenticated"}},
		{Group("devs"), []string{"devs", "system:authenticated"}},
	} {
		if got := c.of.groups(); !slices.Equal(got, c.want) {
			t.Errorf("%s is in %q, want %q", c.of, got, c.want)
		}
	}
}

func TestARequestAndARuleAreToldInWords(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want string
	}{
		{Request{Verb: "get", Path: "/metrics"}, "get /metrics"},
		{Request{Verb: "get", Resource: "pods"}, "get pods in the whole cluster"},
		{Request{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "shop"}, "get pods/log in namespace shop"},
		{Request{Verb: "delete", Group: "apps", Resource: "deployments", Name: "web", Namespace: "shop"},
			"delete deployments.apps web in namespace shop"},
	} {
		if got := c.r.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for rule, want := range map[string]string{
		"get /metrics":                  "get /metrics",
		"get,list pods,pods/log":        "get, list pods, pods/log",
		"get ,apps:deployments [a,b]":   "get deployments of apps named a, b",
		"create rbac.example:roles,all": "create roles, all of rbac.example",
	} {
		if got := describe(rulesOf(rule)[0]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestADecisionIsExplained(t *testing.T) {
	no := Decision{Subject: User("alice"), Request: Request{Verb: "get", Resource: "pods"}}
	if got := no.Explain(); strings.Contains(got, "could not be seen") {
		t.Error(got)
	}
	no.Unread = []ref.Ref{{Namespace: "shop", Kind: "Role", Name: "a"}, {Kind: "ClusterRole", Name: "b"}}
	if got := no.Explain(); !strings.Contains(got, "The rules of Role shop/a, ClusterRole b could not be seen and may.") {
		t.Error(got)
	}
	admin := New(facts(t, "ClusterRoleBinding b: cluster-admin <- User alice"))
	if got := admin.Can(User("alice"), no.Request).Explain(); !strings.Contains(got, "cluster-admin (a Kubernetes default, not read)") {
		t.Error(got)
	}
	if got := admin.Can(Group("system:masters"), no.Request).Explain(); !strings.Contains(
		got,
		"members of the group system:masters may do everything",
	) ||
		strings.Contains(got, "binds") {
		t.Error(got)
	}
	seen := New(facts(t, "ClusterRole cluster-admin: get pods\nClusterRoleBinding b: cluster-admin <- User alice"))
	if d := seen.Can(User("alice"), Request{Verb: "delete", Resource: "pods"}); d.Allowed {
		t.Error("a default role stands in for one that was read")
	}
	if got := seen.Can(User("alice"), no.Request).Explain(); strings.Contains(got, "not read") {
		t.Error(got)
	}
}

func TestWhomABindingMeans(t *testing.T) {
	get := Request{Verb: "get", Resource: "pods", Namespace: "shop"}
	for _, c := range []struct {
		name, roles string
		who         Subject
		want        bool
	}{
		{"an account of the binding's own namespace",
			"ClusterRole r: get pods\nRoleBinding shop/b: r <- ServiceAccount web", ServiceAccount("shop", "web"), true},
		{"an account that names its namespace",
			"ClusterRole r: get pods\nRoleBinding shop/b: r <- ServiceAccount other/web", ServiceAccount("other", "web"), true},
		{"and not the one of the binding's",
			"ClusterRole r: get pods\nRoleBinding shop/b: r <- ServiceAccount other/web", ServiceAccount("shop", "web"), false},
		{"an account of nowhere", "ClusterRole r: get pods\nClusterRoleBinding b: r <- ServiceAccount web", ServiceAccount("", "web"), false},
		{"a kind that is none", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Robot web", User("web"), false},
		{"a Role, by a ClusterRoleBinding, which the API server refuses",
			"Role shop/r: get pods\nClusterRoleBinding b: Role/r <- User alice", User("alice"), false},
		{"a ClusterRole though a Role has its name",
			"ClusterRole r: get pods\nRole shop/r: list pods\nRoleBinding shop/b: r <- User alice", User("alice"), true},
		{"the Role though a ClusterRole has its name",
			"ClusterRole r: get pods\nRole shop/r: list pods\nRoleBinding shop/b: Role/r <- User alice", User("alice"), false},
		{"a group, asked for itself", "ClusterRole r: get pods\nClusterRoleBinding b: r <- Group devs", Group("devs"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := New(facts(t, c.roles)).Can(c.who, get); d.Allowed != c.want {
				t.Error(d.Explain())
			}
		})
	}
}

func TestAnAccountThatOnlyRunsAPodHoldsWhatItsGroupsDo(t *testing.T) {
	f := facts(t, "ClusterRole r: list secrets\nClusterRoleBinding b: r <- Group system:serviceaccounts:shop")
	f.Pods[collect.Key{Namespace: "shop", Name: "a"}] = &collect.Pod{
		Key:   collect.Key{Namespace: "shop", Name: "a"},
		Shape: &collect.PodShape{ServiceAccount: "web"},
	}
	f.Pods[collect.Key{Namespace: "shop", Name: "b"}] = &collect.Pod{
		Key:   collect.Key{Namespace: "shop", Name: "b"},
		Shape: &collect.PodShape{},
	}
	f.Pods[collect.Key{Namespace: "shop", Name: "c"}] = &collect.Pod{Key: collect.Key{Namespace: "shop", Name: "c"}} // nothing is known of it
	j := New(f)
	for _, name := range []string{"web", "default"} {
		if got := of(j.Holds(powers(t)), ServiceAccount("shop", name)); !slices.Equal(got, []string{"read-secrets in the whole cluster"}) {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if slices.Contains(j.accounts, User("alice")) || len(j.accounts) != 2 {
		t.Errorf("accounts %v", j.accounts)
	}
}

func TestAccountsOfOneNamespaceAreToldApartByTheirOwnBindings(t *testing.T) {
	holds := New(
		facts(t, "ServiceAccount shop/a\nServiceAccount shop/b\nClusterRole r: list secrets\nRoleBinding shop/x: r <- ServiceAccount shop/a"),
	).Holds(powers(t))
	if got := of(holds, ServiceAccount("shop", "a")); len(got) != 1 {
		t.Errorf("a holds %q", got)
	}
	if got := of(holds, ServiceAccount("shop", "b")); len(got) != 0 {
		t.Errorf("b holds %q", got)
	}
}

func TestAPowerOfSeveralAsksIsHeldWhereAllAreAllowed(t *testing.T) {
	both := []Power{{Name: "both", All: []Ask{{Verbs: []string{"get"}, Resource: "pods"}, {Verbs: []string{"get"}, Resource: "secrets"}}}}
	for _, c := range []struct {
		name, bindings string
		want           []string
	}{
		{"one is missing", "ClusterRoleBinding a: pods <- User alice", nil},
		{"both everywhere",
			"ClusterRoleBinding a: pods <- User alice\nClusterRoleBinding b: secrets <- User alice", []string{"both in the whole cluster"}},
		{"one in a namespace",
			"ClusterRoleBinding a: pods <- User alice\nRoleBinding shop/b: secrets <- User alice",
			[]string{"both in namespace shop"}},
		{"in two namespaces", "RoleBinding pay/a: pods <- User alice\nRoleBinding shop/b: secrets <- User alice", nil},
		{"one by name in the other's namespace",
			"RoleBinding shop/a: pods <- User alice\nRoleBinding shop/b: one <- User alice", []string{"both in x in namespace shop"}},
		{"one by name elsewhere", "RoleBinding shop/a: pods <- User alice\nRoleBinding pay/b: one <- User alice", nil},
		{"one by name everywhere, the other in a namespace", "RoleBinding shop/a: pods <- User alice\nClusterRoleBinding b: one <- User alice",
			[]string{"both in x in namespace shop"}},
		{"one by name, the other everywhere",
			"ClusterRoleBinding a: pods <- User alice\nClusterRoleBinding b: one <- User alice", []string{"both in x in the whole cluster"}},
		{"both by the same name",
			"RoleBinding shop/a: onepod <- User alice\nRoleBinding shop/b: one <- User alice", []string{"both in x in namespace shop"}},
		{"by different names", "RoleBinding shop/a: otherpod <- User alice\nRoleBinding shop/b: one <- User alice", nil},
		{"the same name here and everywhere",
			"RoleBinding shop/a: onepod <- User alice\nClusterRoleBinding b: one <- User alice", []string{"both in x in namespace shop"}},
		{"a namespace hides its names",
			"RoleBinding shop/a: pods <- User alice\nRoleBinding shop/b: one <- User alice\nRoleBinding shop/c: secrets <- User alice",
			[]string{"both in namespace shop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts(
				t,
				"ClusterRole pods: get pods\nClusterRole secrets: get secrets\nClusterRole one: get secrets [x]\n"+
					"ClusterRole onepod: get pods [x]\nClusterRole otherpod: get pods [y]\n"+c.bindings,
			)
			if got := of(New(f).Holds(both), User("alice")); !slices.Equal(got, c.want) {
				t.Errorf("holds %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheWitnessIsTheWidestGrantThatComesFirst(t *testing.T) {
	roles := "ClusterRole r: get secrets\nClusterRole n: get secrets [x]\n"
	for bindings, want := range map[string]string{
		"ClusterRoleBinding b: r <- User alice\nClusterRoleBinding a: r <- User alice":                                   "ClusterRoleBinding a",
		"RoleBinding shop/b: r <- User alice\nRoleBinding shop/a: r <- User alice":                                       "RoleBinding shop/a",
		"RoleBinding shop/b: n <- User alice\nRoleBinding shop/a: n <- User alice":                                       "RoleBinding shop/a",
		"RoleBinding shop/a: r <- User alice\nClusterRoleBinding z: r <- User alice\nRoleBinding pay/a: r <- User alice": "ClusterRoleBinding z",
	} {
		for _, h := range New(facts(t, roles+bindings)).Holds(powers(t)) {
			if h.Subject == User("alice") && h.Witness.Binding.String() != want {
				t.Errorf("%s, want %s, of\n%s", h.Witness.Binding, want, bindings)
			}
		}
	}
}

func TestPowersMayBeNoneAndWantEveryField(t *testing.T) {
	if p, err := ParsePowers("p.yaml", nil); err != nil || len(p) != 0 {
		t.Error(p, err)
	}
	whole := "- {name: a-b, title: t, why: w, severity: high, any: [{verbs: [get], resource: pods}, {verbs: [get], path: /x}]}\n"
	if p, err := ParsePowers("p.yaml", []byte(whole)); err != nil || len(p) != 1 {
		t.Error(p, err)
	}
	for was, now := range map[string]string{"name: a-b": "name: A b", "title: t, ": "", "why: w, ": "", "severity: high": "severity: huge",
		"verbs: [get], resource": "resource", "resource: pods}": "resource: pods, path: /x}", ", path: /x": "",
		"resource: pods}, {": "resource: pods, names: some}, {", "path: /x": "path: /x, before: soon",
	} {
		if _, err := ParsePowers("p.yaml", []byte(strings.Replace(whole, was, now, 1))); err == nil {
			t.Errorf("%q for %q is taken", now, was)
		}
	}
}
