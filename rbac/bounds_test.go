package rbac

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

var (
	readsSecrets = Power{Name: "read-secrets", Any: []Ask{{Verbs: []string{"get"}, Resource: "secrets"}}}
	makesPods    = Power{Name: "make-pods", Any: []Ask{{Verbs: []string{"create"}, Resource: "pods"}}}
	// readsAny is worth the whole cluster wherever it is held.
	readsAny = Power{Name: "read-any", Any: []Ask{{Verbs: []string{"get"}, Resource: "configmaps", Names: anywhere}}}
)

// bounded sets the bounds for one test.
func bounded(t *testing.T, work, holds int) {
	t.Helper()
	before := [2]int{maxWork, maxHolds}
	maxWork, maxHolds = work, holds
	t.Cleanup(func() { maxWork, maxHolds = before[0], before[1] })
}

// TestWhatIsWorkedOutIsCounted: as much as is allowed is told, and one more is not. system:masters, who may do everything,
// costs nothing; nor does what a subject has twice, or what a rule allows that an earlier one does.
func TestWhatIsWorkedOutIsCounted(t *testing.T) {
	const once = "ClusterRole r: get secrets | get,list secrets\nClusterRoleBinding b: r <- User alice\n" +
		"ClusterRoleBinding m: cluster-admin <- Group system:masters, User root"
	const twice = once + "\nClusterRoleBinding c: r <- User alice"
	const named = "ClusterRole r: get secrets [a,b]\nClusterRoleBinding b: r <- User alice"
	for _, c := range []struct {
		name, roles string
		work, holds int
		want        int
	}{
		{"its work", once, 3, 100, 1}, // one of alice, and one of root, who comes after her
		{"one less", once, 0, 100, 0},
		{"the work of two bindings: both, and what is left without the first", twice, 2, 100, 1},
		{"one less", twice, 1, 100, 0},
		{"names are work each", named, 3, 100, 1},
		{"one less", named, 2, 100, 0},
		{"its holds: the subject, and what it holds", once, 100, 2, 1},
		{"one less", once, 100, 1, 0},
		{"none at all", once, 100, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bounded(t, c.work, c.holds)
			j := New(facts(t, c.roles))
			if n := powersOf(j.Holds([]Power{readsSecrets}), User("alice")); n != c.want {
				t.Errorf("with %d of work and %d holds %d are told, want %d", c.work, c.holds, n, c.want)
			}
			if unknown := len(j.Unread()[User("alice")]) > 0; unknown != (c.want == 0) {
				t.Errorf("that nothing is told is unknown: %v", unknown)
			}
		})
	}
}

// TestWhatIsNotToldTakesNoRoomFromOthers: of ten who hold too much together none is told, and who comes after them is.
func TestWhatIsNotToldTakesNoRoomFromOthers(t *testing.T) {
	bounded(t, 1000, 15)
	var users []string
	for i := range 10 {
		users = append(users, fmt.Sprint("User u", i))
	}
	j := New(facts(t, "ClusterRole r: get secrets\nClusterRole w: create pods\nClusterRoleBinding b: r <- "+strings.Join(users, ", ")+
		"\nClusterRoleBinding c: w <- User zoe"))
	all := j.Holds([]Power{readsSecrets, makesPods})
	if powersOf(all, User("u0")) != 0 || powersOf(all, User("u9")) != 0 || powersOf(all, User("zoe")) != 1 {
		t.Errorf("%v", all)
	}
	unread, gaps := j.Unread(), j.Gaps()
	if len(unread) != 10 || len(unread[User("zoe")]) != 0 {
		t.Errorf("it is unknown of %v", unread)
	}
	if !slices.ContainsFunc(gaps, func(g collect.Gap) bool { return g.What == "permissions of User u0 and 9 more" }) {
		t.Errorf("%+v", gaps)
	}
}

// TestTheSameBindingTwiceIsOne: who is named by a binding and is in a group of it loses all when it goes; who has two does not.
func TestTheSameBindingTwiceIsOne(t *testing.T) {
	const reads = "ClusterRole r: get secrets\n"
	for _, c := range []struct {
		name, bindings string
		want           map[string]bool // by user: held elsewhere
	}{
		{"alice by one binding, as herself and by her group; bob by two", "RoleBinding shop/b: r <- User alice, Group system:authenticated\n" +
			"RoleBinding shop/c: r <- User bob", map[string]bool{"alice": false, "bob": true}},
		{"a role that nobody saw beside it", "ClusterRoleBinding a: gone <- User alice\nClusterRoleBinding b: r <- User alice\n" +
			"ClusterRoleBinding c: lost <- User bob\nClusterRoleBinding d: r <- User bob, User bob", map[string]bool{"alice": false, "bob": false}},
	} {
		got := map[string]bool{}
		for _, h := range New(facts(t, reads+c.bindings)).Holds([]Power{readsSecrets}) {
			if h.Subject.Kind == "User" {
				got[h.Subject.Name] = h.Elsewhere
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: held elsewhere: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestWhatIsWorthTheWholeClusterIsLookedForInAllOfIt, also where the same binding gives something that is not.
func TestWhatIsWorthTheWholeClusterIsLookedForInAllOfIt(t *testing.T) {
	j := New(facts(t, "ClusterRole r: get configmaps | get secrets\nRoleBinding bank/b: r <- User alice\nRoleBinding shop/c: r <- User alice"))
	got := map[string]bool{}
	for _, h := range j.Holds([]Power{readsAny, readsSecrets}) {
		if h.Subject == User("alice") {
			got[h.Power+" in "+h.Scope.String()] = h.Elsewhere
		}
	}
	want := map[string]bool{"read-any in the whole cluster": true, "read-secrets in namespace bank": false,
		"read-secrets in namespace shop": false}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("held elsewhere: %v, want %v", got, want)
	}
}

func TestScopesMeetWhereSomethingIsInBoth(t *testing.T) {
	cluster, shop, bank := Scope{Kind: Cluster}, Scope{Kind: Namespace, Namespace: "shop"}, Scope{Kind: Namespace, Namespace: "bank"}
	names := func(ns string, names ...string) Scope { return Scope{Kind: Names, Namespace: ns, Names: names} }
	for _, c := range []struct {
		a, b Scope
		want bool
	}{
		{cluster, shop, true}, {cluster, names("shop", "a"), true}, {shop, shop, true}, {shop, bank, false},
		{shop, names("shop", "a"), true}, {shop, names("bank", "a"), false}, {shop, names("", "a"), true},
		{names("shop", "a", "b"), names("shop", "b", "c"), true}, {names("shop", "a"), names("shop", "b"), false},
		{names("shop", "a"), names("bank", "a"), false}, {names("", "a"), names("shop", "a"), true}, {names("", "a"), names("", "b"), false},
		{names("", "a", "b"), names("", "b"), true},
	} {
		if c.a.overlaps(c.b) != c.want || c.b.overlaps(c.a) != c.want {
			t.Errorf("%v and %v meet: %v, the other way %v", c.a, c.b, c.a.overlaps(c.b), c.b.overlaps(c.a))
		}
	}
}

func TestOnlyNamesSayOfWhat(t *testing.T) {
	for roles, want := range map[string]string{
		"ClusterRole r: get secrets [a]\nClusterRoleBinding b: r <- User alice": "[secrets]",
		"ClusterRole r: get secrets\nClusterRoleBinding b: r <- User alice":     "[]",
		"ClusterRole r: get secrets\nRoleBinding shop/b: r <- User alice":       "[]",
	} {
		for _, h := range New(facts(t, roles)).Holds([]Power{readsSecrets}) {
			if h.Subject == User("alice") && fmt.Sprint(h.Scope.Of) != want {
				t.Errorf("%s: of %v, want %s", h.Scope, h.Scope.Of, want)
			}
		}
	}
}
