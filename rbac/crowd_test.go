package rbac

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
)

// crowd is one role of many rules, each for one name, and bindings in as many namespaces for the same users, but some.
func crowd(rules, bindings, users int, but func(binding, user int) bool) *collect.Facts {
	f := collect.NewFacts()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "r", UID: "1"}}
	for i := range rules {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{Verbs: []string{"*"}, APIGroups: []string{"*"}, Resources: []string{"*"},
			ResourceNames: []string{fmt.Sprint("n", i)}})
	}
	f.ClusterRoles[collect.Key{Name: "r"}] = role
	for b := range bindings {
		rb := &rbacv1.RoleBinding{RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "r"}}
		for u := range users {
			if !but(b, u) {
				rb.Subjects = append(rb.Subjects, rbacv1.Subject{Kind: "User", Name: fmt.Sprint("u", u)})
			}
		}
		f.RoleBindings[collect.Key{Namespace: fmt.Sprint("ns", b), Name: fmt.Sprint("b", b)}] = rb
	}
	f.ClusterRoles[collect.Key{Name: "reader"}] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "reader", UID: "2"},
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"get", "list"}, APIGroups: []string{""}, Resources: []string{"secrets"}}}}
	f.ClusterRoleBindings[collect.Key{Name: "reads"}] = &rbacv1.ClusterRoleBinding{
		RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "reader"}, Subjects: []rbacv1.Subject{{Kind: "User", Name: "honest"}}}
	return f
}

func shippedPowers(t *testing.T) []Power {
	t.Helper()
	text, err := os.ReadFile("../packs/attack/powers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	powers, err := ParsePowers("powers.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return powers
}

func powersOf(holds []Hold, s Subject) (n int) {
	for _, h := range holds {
		if h.Subject == s {
			n++
		}
	}
	return n
}

// TestRulesBindingsAndUsersDoNotMultiply: users with the like grants are worked out once.
func TestRulesBindingsAndUsersDoNotMultiply(t *testing.T) {
	powers := shippedPowers(t)
	worked := func(users int) int {
		f := crowd(20, 20, users, func(int, int) bool { return false })
		j := New(f)
		a := newAsked(powers, j)
		shapes := a.shapes(j, j.holders())
		for _, s := range shapes {
			a.elsewhere(a.of(s.grants), s.grants)
		}
		if n := len(j.Holds(powers)); n < users*20 {
			t.Errorf("%d users hold %d", users, n)
		}
		return a.work
	}
	if one, many := worked(1), worked(50); one != many {
		t.Errorf("one user costs %d, fifty cost %d", one, many)
	}
	// Beyond that many bindings in their namespaces cost what one costs each.
	each := func(bindings int) int {
		j := New(crowd(20, bindings, 1, func(int, int) bool { return false }))
		a, grants := newAsked(powers, j), j.grants(User("u0"))
		a.elsewhere(a.of(grants), grants)
		return a.work
	}
	if few, many := each(10), each(100); many > 11*few {
		t.Errorf("ten bindings cost %d, a hundred %d", few, many)
	}
}

// TestWhoHoldsTooMuchIsAGapAndOthersAreTold: what still multiplies, because no two users have the like grants, is bounded.
func TestWhoHoldsTooMuchIsAGapAndOthersAreTold(t *testing.T) {
	work, holds := maxWork, maxHolds
	t.Cleanup(func() { maxWork, maxHolds = work, holds })
	powers := shippedPowers(t)
	for _, c := range []struct {
		name        string
		work, holds int
	}{{"work", 50_000, holds}, {"holds", work, 500}} {
		t.Run(c.name, func(t *testing.T) {
			maxWork, maxHolds = c.work, c.holds
			j := New(crowd(50, 20, 30, func(b, u int) bool { return (u+b)%7 == 0 || b == u }))
			all := j.Holds(powers)
			if len(all) > c.holds+2*len(powers) {
				t.Errorf("%d are told", len(all))
			}
			if n := powersOf(all, User("honest")); n == 0 {
				t.Error("beside them, nothing of an honest user is told")
			}
			told := 0
			for u := range 30 {
				s := User(fmt.Sprint("u", u))
				if powersOf(all, s) > 0 {
					told++
					continue
				}
				if len(j.Unread()[s]) == 0 {
					t.Errorf("nothing is told of %s, and not that it is unknown", s)
				}
			}
			gaps := j.Gaps()
			at := slices.IndexFunc(gaps, func(g collect.Gap) bool { return strings.Contains(g.Why, "multiply beyond bounds") })
			if at < 0 || told == 30 || !slices.Contains(gaps[at].Kinds, "HOLDS") || !strings.Contains(gaps[at].What, "more") {
				t.Errorf("%d of 30 are told; %+v", told, gaps)
			}
		})
	}
}
