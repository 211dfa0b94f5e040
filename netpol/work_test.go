package netpol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/test/manifests"
)

func podsOf(namespace string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "apiVersion: v1\nkind: Pod\nmetadata: {name: p%[2]d, namespace: %[1]s, labels: {n: n%[2]d}}\n"+
			"spec: {nodeName: w, containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIPs: [{ip: 10.0.0.7}]}\n---\n", namespace, i)
	}
	return b.String()
}

// policyOf is one whose ingress rules are each of one address; it selects all pods of the namespace.
func policyOf(namespace string, rules int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all, namespace: %s}\n"+
		"spec: {podSelector: {}, policyTypes: [Ingress], ingress: [", namespace)
	for i := range rules {
		fmt.Fprintf(&b, "{from: [{ipBlock: {cidr: 8.8.%d.%d/32}}]},", i/256, i%256)
	}
	return b.String() + "]}\n---\n"
}

func TestAddressesOfVeryManyRulesAreNotHeldAgainstEachOther(t *testing.T) {
	f := manifests.Facts(t, podsOf("x", 1)+podsOf("z", 1)+policyOf("x", 5000)+policyOf("z", 3))
	j := New(f)
	j.enforcement = Enforcement{State: Yes}
	ask := func(ns string) Answer {
		return j.Ask(Addresses("clients", Public()), Pod(f.Pods[collect.Key{Namespace: ns, Name: "p0"}]), Port{"TCP", 80})
	}
	if a := ask("x"); !a.Allowed || !strings.Contains(a.Uncertain, "too many rules") {
		t.Errorf("%+v", a)
	}
	if a := ask("z"); !a.Allowed || a.Uncertain != "" || len(a.Senders) != 1 {
		t.Errorf("%+v", a)
	}
}

func TestWhatANamespaceAsksOfPoliciesHasAnEnd(t *testing.T) {
	w := &work{}
	count := func(namespace string) (n int) {
		for w.may(namespace, worksMost/100) {
			n++
		}
		return n
	}
	if a, b := count("a"), count("b"); a != 50 || b != 25 {
		t.Errorf("%d, %d", a, b)
	}
	w = &work{}
	w.spend("a", 2*worksMost)
	if w.may("a", 1) || !w.may("b", worksMost/5) {
		t.Error("who asked too much may go on, or takes the others'")
	}
}

func TestWhoAsksTooMuchOfPoliciesIsOpenAndUncertain(t *testing.T) {
	f := manifests.Facts(t, podsOf("x", 2)+podsOf("z", 2)+policyOf("x", 3)+policyOf("z", 3))
	j := New(f)
	j.enforcement = Enforcement{State: Yes}
	j.work.spend("x", worksMost)
	between := func(ns string) Answer {
		return j.Ask(Pod(f.Pods[collect.Key{Namespace: ns, Name: "p0"}]), Pod(f.Pods[collect.Key{Namespace: ns, Name: "p1"}]), Port{"TCP", 80})
	}
	if a := between("x"); !a.Allowed || a.Uncertain == "" {
		t.Errorf("%+v", a)
	}
	if a := between("z"); a.Allowed {
		t.Errorf("%+v", a)
	}
}

// TestWhoIsNotJudgedIsLinkedOnce: each of many senders whose egress is restricted was linked anew with everybody.
func TestWhoIsNotJudgedIsLinkedOnce(t *testing.T) {
	var policies strings.Builder
	const n = 40
	for i := range n {
		fmt.Fprintf(&policies, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all%[1]d, namespace: x}\n"+
			"spec: {podSelector: {matchLabels: {n: n%[1]d}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]}\n---\n", i)
	}
	f := manifests.Facts(t, podsOf("x", n)+policies.String())
	j := New(f)
	j.enforcement = Enforcement{State: Yes}
	var listeners []Listener
	for i, p := range sortedPods(f) {
		listeners = append(listeners, Listener{p, []Port{{"TCP", int32(i + 1)}}})
	}
	talk := j.talk(listeners, 10)
	if len(talk.Links) > 2*n || talk.Unjudged != n {
		t.Errorf("%d links, %d not judged", len(talk.Links), talk.Unjudged)
	}
}

func TestTheMarkOfAPodThatThousandsOfPoliciesSelectIsShort(t *testing.T) {
	var policies strings.Builder
	for i := range 500 {
		fmt.Fprintf(&policies, "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: all%d, namespace: x}\n"+
			"spec: {podSelector: {}, policyTypes: [Ingress]}\n---\n", i)
	}
	f := manifests.Facts(t, podsOf("x", 3)+policies.String())
	j := New(f)
	m := j.newMarks()
	if text := m.receiver(f.Pods[collect.Key{Namespace: "x", Name: "p0"}]); len(text) > 5000 {
		t.Errorf("%d letters", len(text))
	}
	if a, b := m.receiver(f.Pods[collect.Key{Namespace: "x", Name: "p0"}]), m.receiver(f.Pods[collect.Key{Namespace: "x", Name: "p1"}]); a != b {
		t.Error("pods of the same policies have two marks")
	}
}
