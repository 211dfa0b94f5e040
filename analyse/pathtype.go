package analyse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// pathType is a rule that names a kind of attack path: by how traffic arrives,
// what is gained in the end, and how.
type pathType struct {
	rule.Head `yaml:",inline"`
	// Arrival restricts how traffic reaches the first pod: "network" through
	// services, ingresses and host ports, "host network" where the pod listens
	// on its node's own addresses. Empty takes both as one.
	Arrival string `yaml:"arrival"`
	// Target is the pattern that `target` of it must match, or several.
	Target strictyaml.Texts `yaml:"target"`
	// Arrive lists the edges by which the target is gained.
	Arrive []string `yaml:"arrive"`
	// Only says which targets count for a foothold: those in its own workload, or
	// those in other namespaces. Empty takes all.
	Only string `yaml:"only"`
	// Together tells all targets of a kind in the cluster as one.
	Together bool `yaml:"together"`
	// Gain is how much the target adds to the risk score; of several types that a
	// target is one of, the one that gains most tells it.
	Gain  int            `yaml:"gain"`
	Tests []pathTypeTest `yaml:"tests"`

	queries []*query.Query
	rules   *Rules
}

// pathTypeTest is a graph of facts and the paths of this type in it, as
// "entry -> … -> target" over the groups passed.
type pathTypeTest struct {
	Name  string   `yaml:"name"`
	Given string   `yaml:"given"`
	Want  []string `yaml:"want"`
}

const (
	byNetwork     = "network"
	byHostNetwork = "host network"
	byKubelet     = "kubelet"

	sameWorkload   = "same workload"
	otherNamespace = "other namespace"
)

var titleWord = regexp.MustCompile(`\{[^}]*\}`)

func compilePathType(f *rule.File, p *pathType) (rule.Rule, error) {
	for i, text := range p.Target {
		at := []string{"target"}
		if len(p.Target) > 1 {
			at = append(at, fmt.Sprint(i))
		}
		q, err := compileQuery(text)
		if err != nil {
			return nil, f.Errorf(err, at...)
		}
		if !slices.Contains(variables(q.Find), "target") {
			return nil, f.Errorf(errors.New("want a node named target"), at...)
		}
		p.queries = append(p.queries, q)
	}
	if len(p.queries) == 0 {
		return nil, f.Errorf(errors.New("want a pattern with a node named target, or a list of them"), "target")
	}
	if p.Arrival != "" && p.Arrival != byNetwork && p.Arrival != byHostNetwork && p.Arrival != byKubelet {
		return nil, f.Errorf(fmt.Errorf("arrival %q: want %q, %q or %q", p.Arrival, byNetwork, byHostNetwork, byKubelet), "arrival")
	}
	if p.Only != "" && p.Only != sameWorkload && p.Only != otherNamespace {
		return nil, f.Errorf(fmt.Errorf("only %q: want %q or %q", p.Only, sameWorkload, otherNamespace), "only")
	}
	if len(p.Arrive) == 0 {
		return nil, f.Errorf(errors.New("want the edges by which the target is gained"), "arrive")
	}
	for i, e := range p.Arrive {
		if edge := edgeOf(e); !edge.Derived {
			return nil, f.Errorf(fmt.Errorf("%s is not an edge that attack rules make", e), "arrive", fmt.Sprint(i))
		}
	}
	for _, w := range titleWord.FindAllString(p.Title, -1) {
		if _, known := titleWords[w]; !known {
			return nil, f.Errorf(fmt.Errorf("title: %s: want {attacker}, {entry} or {weakness}", w), "title")
		}
	}
	for i, test := range p.Tests {
		if _, err := parseGiven(test.Given); err != nil {
			return nil, f.Errorf(fmt.Errorf("given: %w", err), "tests", fmt.Sprint(i), "given")
		}
	}
	return p, nil
}

// titled is what a title may leave to be filled in.
type titled struct {
	class, arrival    string
	severe, discloses bool
	open              bool   // what lets the attacker in asks nobody who they are
	who               string // the foothold in words
	registry          bool   // the foothold is one
}

var titleWords = map[string]func(titled) string{
	// how the attacker comes to the foothold, up to what they gain from it
	"{attacker}": func(t titled) string {
		switch {
		case t.class == Possible && t.arrival == "":
			return t.who
		case t.class == Possible:
			return podExposed(t.arrival) + " is running an image that is not assessed and"
		case t.class == SupplyChain && t.registry:
			return "Who runs an unknown registry"
		case t.class == SupplyChain:
			return "Image of " + t.who + " can be replaced by others and"
		case t.class == Assumed:
			return t.who
		case t.arrival == "":
			return "Anyone without credentials"
		case t.arrival == byKubelet && t.open:
			return podExposed(t.arrival)
		}
		return podExposed(t.arrival) + " is running a container with " + weaknesses(t) + " and"
	},
	"{entry}":    func(t titled) string { return podExposed(t.arrival) },
	"{weakness}": func(t titled) string { return weaknesses(t) },
}

func podExposed(arrival string) string {
	switch arrival {
	case byHostNetwork:
		return "Kubernetes pod on the host network of an internet exposed node"
	case byKubelet:
		return "Kubernetes pod on a node whose kubelet answers anybody on the internet"
	}
	return "Internet exposed Kubernetes pod"
}

func weaknesses(t titled) string {
	switch {
	case t.open:
		return "a program that runs code for anybody"
	case t.discloses:
		return "vulnerabilities that disclose what it holds"
	case t.severe:
		return "high severity vulnerabilities"
	}
	return "vulnerabilities that allow remote code execution"
}

func (p *pathType) title(t titled) string {
	text := titleWord.ReplaceAllStringFunc(p.Title, func(w string) string { return titleWords[w](t) })
	return strings.TrimSuffix(text, " and")
}

// Title is a rule's title as people read it: a path type's with the words that most
// of its paths have.
func Title(r rule.Rule) string {
	if p, ok := r.(*pathType); ok {
		return p.usual()
	}
	return r.Header().Title
}

// usual is the title that most of the type's paths have.
func (p *pathType) usual() string {
	return p.title(titled{class: Known, arrival: cmp.Or(p.Arrival, byNetwork), severe: true, open: p.Arrival == byKubelet})
}

// groupOf is what a target is told as.
func (p *pathType) groupOf(n graph.Node) group {
	if p.Together {
		return group{kind: n.Kind(), id: n.Cluster() + "/" + kindOf(n.Kind()).Plural}
	}
	return groupOf(n)
}

// targets is every node that may be the end of such a path.
func (p *pathType) targets(ctx context.Context, v *graph.View) (map[graph.Node]bool, error) {
	out := map[graph.Node]bool{}
	for _, q := range p.queries {
		err := query.Match(ctx, v, graph.Everything, q, nil, func(b query.Binding) bool {
			if n, ok := b.Node("target"); ok {
				out[n] = true
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Cases are the rule's own tests: the whole analysis on a small graph.
func (p *pathType) Cases() (out []rule.Case) {
	for _, test := range p.Tests {
		out = append(out, rule.Case{Name: test.Name, Fires: len(test.Want) > 0, Run: func() error { return p.try(test) }})
	}
	return out
}

func (p *pathType) try(test pathTypeTest) error {
	v, err := parseGiven(test.Given)
	if err != nil {
		return err
	}
	var got []string
	for _, seg := range v.Clusters() {
		_, paths, _, err := Cluster(background(), v, seg, p.rules)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if path.Type == p.ID {
				got = append(got, path.route())
			}
		}
	}
	return same("paths", got, test.Want)
}

// route is the path's hops by name.
func (p Path) route() string {
	text := p.Entry.Name
	for _, s := range p.Steps {
		to := p.thing(s.To)
		text += " -> " + to.Name
	}
	return text
}

func (p Path) thing(id string) Thing {
	i := slices.IndexFunc(p.Nodes, func(t Thing) bool { return t.ID == id })
	if i < 0 {
		return Thing{ID: id, Name: id}
	}
	return p.Nodes[i]
}

// label is a kind as people say it in a sentence.
func label(kind string) string { return kindOf(kind).Label }
