// Package netpol is the judge of one question: may A send packets to B on this
// port? It reads NetworkPolicies and the administrators' policies as the API defines
// them, those of Cilium and Calico as far as addresses and ports go, and names the
// policy and rule that decide.
//
// Whether anything enforces policies is a fact of its own (Enforcement). The
// package does not know firewalls outside of the cluster nor service meshes; what
// policies ask of packets, of names, and of nodes as such leaves an answer uncertain.
package netpol

import (
	"fmt"

	"github.com/breakwater-sec/breakwater/collect"
)

// Endpoint is a sender or a receiver: a pod, a node, or addresses outside.
type Endpoint struct {
	pod  *collect.Pod
	node *collect.Node
	// addresses of an outside endpoint. With some, it is one unknown address
	// among them; otherwise all of them are meant.
	addresses Ranges
	some      bool
	// unknown is somebody of whom nothing is known, pod or not.
	unknown bool
	text    string
}

// Pod is a pod. One on the host's network is its node, as far as policies see.
func Pod(p *collect.Pod) Endpoint { return Endpoint{pod: p, text: "pod " + p.Key.String()} }

// Node is a process on a node itself.
func Node(n *collect.Node) Endpoint { return Endpoint{node: n, text: "node " + n.Name} }

// Internet is everyone with a public address.
func Internet() Endpoint { return Endpoint{addresses: public, text: "the internet"} }

// Addresses is everyone in a set of addresses: the answer may be for a part.
func Addresses(text string, r Ranges) Endpoint { return Endpoint{addresses: r, text: text} }

// Somewhere is one sender whose address is not known beyond being in a set,
// such as a load balancer's: an answer that depends on it is uncertain.
func Somewhere(text string, r Ranges) Endpoint {
	return Endpoint{addresses: r, some: true, text: text}
}

// Somebody is a sender of whom nothing is known, not even whether it is a pod:
// only policies that allow nobody deny it.
func Somebody(text string) Endpoint { return Endpoint{unknown: true, text: text} }

func (e Endpoint) String() string { return e.text }

// Direction is a policy's view of a connection.
type Direction string

const (
	Ingress Direction = "ingress"
	Egress  Direction = "egress"
)

// Witness is what decided: a rule, the lack of one that allows, or nothing at all.
type Witness struct {
	// Kind is the policy's: NetworkPolicy, CiliumNetworkPolicy, "Calico NetworkPolicy";
	// empty where no policy selects the pod.
	Kind string
	collect.Key
	Direction Direction
	// Rule is the rule's index, -1 where the policy selects the pod and none of
	// its rules, nor another policy's, allows.
	Rule int
	Text string
}

// Answer says what policies decide. It does not depend on Enforcement, which
// says whether anything heeds it.
type Answer struct {
	From, To Endpoint
	Port     Port
	Allowed  bool
	// Senders is who is allowed, where the asker is a set of addresses.
	Senders Ranges
	// Uncertain says what is not known and may turn Allowed; empty if nothing.
	Uncertain string
	Witness   Witness
	Enforced  Enforcement
}

// Denied says that policies forbid it and something is known to enforce them.
func (a Answer) Denied() bool { return !a.Allowed && a.Enforced.State == Yes }

// Explain says the answer and its reason.
func (a Answer) Explain() string {
	verb := "may"
	if !a.Allowed {
		verb = "may not"
	}
	text := fmt.Sprintf("%s %s connect to %s on %s: %s.", a.From, verb, a.To, a.Port, a.Witness.Text)
	if a.Uncertain != "" {
		text += " Uncertain: " + a.Uncertain + "."
	}
	if !a.Allowed && a.Enforced.State != Yes {
		text += " " + a.Enforced.Why
	}
	return text
}
