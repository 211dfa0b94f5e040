// Package prove asks a cluster's own API server whether the steps of attack paths
// are so: access reviews for what identities hold, dry runs for what admission lets
// in. Nothing is changed, and no step is taken, but one where it is asked for: from a
// pod that is named, TCP connections are made to what it is said to reach. What cannot
// be asked without taking it, such as an escape from a container, stays unproven.
package prove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
)

// Verdict is what came of asking.
type Verdict string

const (
	Verified Verdict = "verified"
	Refuted  Verdict = "refuted"
	Unproven Verdict = "unproven"
)

// Proof is a step of at least one path, and what the API server says of it.
type Proof struct {
	From    string  `json:"from"` // "Kind id"
	Edge    string  `json:"edge"`
	To      string  `json:"to"`
	Rule    string  `json:"rule,omitempty"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`
}

// Answer is all that was asked.
type Answer struct {
	Proofs []Proof `json:"proofs"`
	// Verified, Refuted and Unproven count the proofs.
	Verified int `json:"verified"`
	Refuted  int `json:"refuted"`
	Unproven int `json:"unproven"`
}

// Precision is the share of the steps that could be asked about and are so. There is
// none where nothing could be asked.
func (a Answer) Precision() (share float64, ok bool) {
	asked := a.Verified + a.Refuted
	return float64(a.Verified) / float64(max(asked, 1)), asked > 0
}

// Paths asks about every step of the paths once. from is the pod, as NAMESPACE/NAME, from
// which connections may be tried; empty for none.
func Paths(ctx context.Context, server *kube.Prover, view *graph.View, powers []rbac.Power, paths []analyse.Path,
	from string) (Answer, error) {
	p := prover{server, view, map[string]rbac.Power{}, from}
	for _, power := range powers {
		p.powers[power.Name] = power
	}
	out := Answer{Proofs: []Proof{}}
	done := map[Proof]bool{}
	for _, path := range paths {
		kinds := map[string]string{}
		for _, n := range path.Nodes {
			kinds[n.ID] = n.Kind
		}
		for _, s := range slices.Concat(path.Steps, path.Also) {
			step := Proof{From: kinds[s.From] + " " + s.From, Edge: s.Edge, To: kinds[s.To] + " " + s.To, Rule: s.Rule}
			if done[step] {
				continue
			}
			done[step] = true
			verdict, why, err := p.ask(ctx, step)
			if err != nil {
				return out, err
			}
			step.Verdict, step.Why = verdict, why
			out.add(step)
		}
	}
	slices.SortFunc(out.Proofs, func(a, b Proof) int {
		return cmp.Or(
			strings.Compare(a.From, b.From),
			strings.Compare(a.Edge, b.Edge),
			strings.Compare(a.To, b.To),
			strings.Compare(a.Rule, b.Rule),
		)
	})
	return out, nil
}

func (a *Answer) add(p Proof) {
	switch p.Verdict {
	case Verified:
		a.Verified++
	case Refuted:
		a.Refuted++
	default:
		a.Unproven++
	}
	a.Proofs = append(a.Proofs, p)
}

// server is the API server, of which a kube.Prover asks.
type server interface {
	Allowed(context.Context, kube.Access) (bool, error)
	Admitted(context.Context, corev1.Pod) (ok bool, why string, err error)
	PodIP(ctx context.Context, namespace, name string) (string, error)
	Connect(ctx context.Context, from kube.From, host string, port int) (kube.Attempt, error)
}

type prover struct {
	server server
	view   *graph.View
	powers map[string]rbac.Power
	from   string
}

// ask finds the question that a step can be put as.
func (p prover) ask(ctx context.Context, step Proof) (Verdict, string, error) {
	from, known := p.node(step.From)
	to, alsoKnown := p.node(step.To)
	var verdict Verdict
	var why string
	var err error
	switch {
	case known && alsoKnown && step.Edge == "HOLDS":
		verdict, why, err = p.holds(ctx, from, to)
	case known && alsoKnown && step.Edge == "CAN_TALK_TO":
		verdict, why, err = p.talks(ctx, from, to)
	case known && alsoKnown && from.Kind() == "Permission" && to.Text("power") == "take-over-nodes":
		verdict, why, err = p.admits(ctx, from)
	default:
		return Unproven, "only taking the step would show it", nil
	}
	if errors.Is(err, kube.ErrMayNotAsk) {
		return Unproven, err.Error(), nil
	}
	return verdict, why, err
}

func (p prover) node(kindID string) (graph.Node, bool) {
	kind, id, _ := strings.Cut(kindID, " ")
	return p.view.Node(kind, id)
}

// holds asks whether an identity may do what a power is made of.
func (p prover) holds(ctx context.Context, identity, permission graph.Node) (Verdict, string, error) {
	power, known := p.powers[permission.Text("power")]
	if !known {
		return Unproven, "the power is no question about access", nil
	}
	q := question{caller(identity), permission.Text("namespace"), "", created(identity, permission)}
	for _, q.name = range names(permission) {
		ok, asked, err := p.may(ctx, power, q)
		if err != nil {
			return "", "", err
		}
		if !ok {
			return Refuted, "the API server does not allow it: " + asked, nil
		}
	}
	return Verified, "the API server allows it", nil
}

// names are the objects that a permission is limited to, or one empty name.
func names(permission graph.Node) (out []string) {
	for e := range permission.Out("NAMES") {
		if name := e.To.Text("name"); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return []string{""}
	}
	return out
}

// created is the name that an identity may create what a permission is of by, empty where it needs none.
func created(identity, permission graph.Node) string {
	for e := range identity.Out("HOLDS") {
		if name := e.Value("creates").Str(); e.To == permission && name != "" {
			return name
		}
	}
	return ""
}

// question is who is asked for, and of which objects: creates is the name of what a rule lets be created by its name only.
type question struct {
	who                      kube.Access
	namespace, name, creates string
}

// may asks for one of Any, or each of All. What it asked last is told in words.
func (p prover) may(ctx context.Context, power rbac.Power, of question) (ok bool, asked string, err error) {
	for _, a := range power.Any {
		if ok, asked, err = p.one(ctx, a, of); ok || err != nil {
			return ok, asked, err
		}
	}
	for _, a := range power.All {
		if ok, asked, err = p.one(ctx, a, of); !ok || err != nil {
			return ok, asked, err
		}
	}
	return ok, asked, nil
}

// one asks for one of an ask's verbs, and for those that create what is named.
func (p prover) one(ctx context.Context, a rbac.Ask, of question) (ok bool, asked string, err error) {
	for _, verb := range a.Verbs {
		if ok, asked, err = p.allowed(ctx, a, of, verb, of.name); ok || err != nil {
			return ok, asked, err
		}
	}
	if of.creates == "" || !a.Nameless() {
		return false, asked, nil
	}
	if ok, asked, err = p.allowed(ctx, a, of, "create", of.creates); !ok || err != nil {
		return ok, asked, err
	}
	for _, verb := range a.Changes() {
		if ok, asked, err = p.allowed(ctx, a, of, verb, of.creates); ok || err != nil {
			return ok, asked, err
		}
	}
	return false, asked, nil
}

func (p prover) allowed(ctx context.Context, a rbac.Ask, of question, verb, name string) (ok bool, asked string, err error) {
	q := of.who
	q.Verb, q.Group, q.Resource, q.Path = verb, a.Group, a.Resource, a.Path
	if !a.ClusterScoped && a.Path == "" {
		q.Namespace = of.namespace
	}
	if a.Path == "" {
		q.Name = name
	}
	for _, q.Subresource = range a.Subresources() {
		if ok, err = p.server.Allowed(ctx, q); ok || err != nil {
			break
		}
	}
	return ok, words(q), err
}

func words(a kube.Access) string {
	if a.Path != "" {
		return a.Verb + " " + a.Path
	}
	text := a.Verb + " " + a.Resource
	if a.Subresource != "" {
		text += "/" + a.Subresource
	}
	if a.Group != "" {
		text += "." + a.Group
	}
	if a.Name != "" {
		text += " " + a.Name
	}
	if a.Namespace != "" {
		text += " in namespace " + a.Namespace
	}
	return text
}

// caller is an identity as the API server sees its requests; of a group it is somebody
// of whom nothing else is known.
func caller(identity graph.Node) kube.Access {
	who := rbac.Subject{Kind: identity.Kind(), Namespace: identity.Text("namespace"), Name: identity.Text("name")}
	user, groups := who.As()
	switch {
	case user != "":
	case slices.Contains(groups, "system:unauthenticated"):
		user = "system:anonymous"
	default:
		user = "breakwater:any-member"
	}
	return kube.Access{User: user, Groups: groups}
}

// maxNamespaces bounds the dry runs for one permission.
const maxNamespaces = 20

// admits asks whether admission lets a privileged pod into a namespace that a
// permission covers. One that does is enough.
func (p prover) admits(ctx context.Context, permission graph.Node) (Verdict, string, error) {
	namespaces := []string{permission.Text("namespace")}
	if namespaces[0] == "" {
		namespaces = nil
		for n := range p.view.Nodes("Namespace") {
			if n.Cluster() == permission.Cluster() {
				namespaces = append(namespaces, n.Text("name"))
			}
		}
	}
	refused, tried := "", namespaces[:min(len(namespaces), maxNamespaces)]
	for _, ns := range tried {
		ok, why, err := p.server.Admitted(ctx, privileged(ns))
		if err != nil {
			return "", "", err
		}
		if ok {
			return Verified, "admission lets a privileged pod into namespace " + ns, nil
		}
		refused = why
	}
	if len(tried) < len(namespaces) || len(tried) == 0 {
		return Unproven, fmt.Sprintf("admission refuses a privileged pod in each of the first %d namespaces", len(tried)), nil
	}
	return Refuted, "admission refuses a privileged pod: " + refused, nil
}

func privileged(namespace string) corev1.Pod {
	yes := true
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "breakwater-dry-run-"},
		Spec: corev1.PodSpec{HostPID: true, Containers: []corev1.Container{{Name: "probe", Image: "breakwater.invalid/probe",
			SecurityContext: &corev1.SecurityContext{Privileged: &yes}}}}}
}
