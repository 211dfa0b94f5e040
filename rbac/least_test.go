package rbac

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestTheLeastRulesAllowWhatWasDone(t *testing.T) {
	who := ServiceAccount("shop", "web")
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
		var done []Request
		for range 1 + rnd.IntN(20) {
			if rnd.IntN(8) == 0 {
				done = append(done, Request{Verb: "get", Path: pick("/metrics", "/healthz")})
				continue
			}
			done = append(done, Request{Verb: pick("get", "list", "create", "patch", "deletecollection"), Resource: pick("pods", "secrets"),
				Subresource: pick("", "", "exec"), Namespace: pick("", "shop", "bank"), Name: pick("", "a", "b", fmt.Sprint(rnd.IntN(30)))})
		}
		j := New(Replaced(collect.NewFacts(), who, Least(done)))
		for _, r := range done {
			if d := j.Can(who, r); !d.Allowed || !d.Own() {
				t.Fatalf("%s\nof %v", d.Explain(), done)
			}
		}
	}
}

func TestTheLeastRulesAllowNothingElse(t *testing.T) {
	who := ServiceAccount("shop", "web")
	j := New(Replaced(facts(t, "ClusterRoleBinding b: cluster-admin <- ServiceAccount shop/web, User root"), who, Least([]Request{
		{Verb: "get", Resource: "secrets", Namespace: "shop", Name: "db"}, {Verb: "create", Resource: "pods", Namespace: "shop", Name: "x"}})))
	for _, tt := range []struct {
		name string
		who  Subject
		r    Request
		want bool
	}{
		{"what was done", who, Request{Verb: "get", Resource: "secrets", Namespace: "shop", Name: "db"}, true},
		{"another object", who, Request{Verb: "get", Resource: "secrets", Namespace: "shop", Name: "tls"}, false},
		{"another namespace", who, Request{Verb: "get", Resource: "secrets", Namespace: "bank", Name: "db"}, false},
		{"another verb", who, Request{Verb: "list", Resource: "secrets", Namespace: "shop"}, false},
		{"a name that was made up when it was created", who, Request{Verb: "create", Resource: "pods", Namespace: "shop"}, true},
		{"others keep what they have", User("root"), Request{Verb: "list", Resource: "secrets"}, true},
	} {
		if got := j.Can(tt.who, tt.r); got.Allowed != tt.want {
			t.Errorf("%s: %s", tt.name, got.Explain())
		}
	}
}

func TestManyNamesAreAKindOfObjects(t *testing.T) {
	var done []Request
	for i := range maxNames + 1 {
		rules := Least(done)["shop"]
		if i > 0 && (len(rules) != 1 || len(rules[0].ResourceNames) != i) {
			t.Fatalf("%d names make %v", i, rules)
		}
		done = append(done, Request{Verb: "get", Resource: "configmaps", Namespace: "shop", Name: fmt.Sprint("c", i)})
	}
	if rules := Least(done)["shop"]; len(rules) != 1 || len(rules[0].ResourceNames) != 0 {
		t.Errorf("%d names make %v", len(done), rules)
	}
}
