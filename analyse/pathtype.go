package analyse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/schema"
)

// pathType is a rule that names a kind of attack path: by how traffic arrives,
// what is gained in the end, and how.
type pathType struct {
	rule.Head `yaml:",inline"`
	// Arrival restricts how traffic reaches the first pod: "network" through
	// services, ingresses and host ports, "host network" where the pod listens
	// on its node's own addresses. Empty takes both as one.
	Arrival string `yaml:"arrival"`
	// Target is the pattern that `target` of it must match.
	Target string `yaml:"target"`
	// Arrive lists the edges by which the target is gained.
	Arrive []string `yaml:"arrive"`
	// Gain is how much the target adds to the risk score.
	Gain  int            `yaml:"gain"`
	Tests []pathTypeTest `yaml:"tests"`

	query *query.Query
	rules *Rules
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
)

var titleWord = regexp.MustCompile(`\{[^}]*\}`)

func compilePathType(f *rule.File, p *pathType) (rule.Rule, error) {
	var err error
	if p.query, err = compileQuery(p.Target); err != nil {
		return nil, f.Errorf(err, "target")
	}
	if !slices.Contains(variables(p.query.Find), "target") {
		return nil, f.Errorf(errors.New("want a node named target"), "target")
	}
	if p.Arrival != "" && p.Arrival != byNetwork && p.Arrival != byHostNetwork {
		return nil, f.Errorf(fmt.Errorf("arrival %q: want %q or %q", p.Arrival, byNetwork, byHostNetwork), "arrival")
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
			return nil, f.Errorf(fmt.Errorf("title: %s: want {entry} or {weakness}", w), "title")
		}
	}
	for i, test := range p.Tests {
		if _, err := parseGiven(test.Given); err != nil {
			return nil, f.Errorf(fmt.Errorf("given: %w", err), "tests", fmt.Sprint(i), "given")
		}
	}
	return p, nil
}

// titleWords are what a title may leave to be filled in.
var titleWords = map[string]func(arrival string, severe bool) string{
	"{entry}": func(arrival string, _ bool) string {
		if arrival == byHostNetwork {
			return "Kubernetes pod on the host network of an internet exposed node"
		}
		return "Internet exposed Kubernetes pod"
	},
	"{weakness}": func(_ string, severe bool) string {
		if severe {
			return "high severity vulnerabilities"
		}
		return "vulnerabilities that allow remote code execution"
	},
}

func (p *pathType) title(arrival string, severe bool) string {
	return titleWord.ReplaceAllStringFunc(p.Title, func(w string) string { return titleWords[w](arrival, severe) })
}

// Title is a rule's title as people read it: a path type's with the words that most
// of its paths have.
func Title(r rule.Rule) string {
	if p, ok := r.(*pathType); ok {
		return p.title(byNetwork, true)
	}
	return r.Header().Title
}

// goesOn says that the target lies beyond the first container.
func (p *pathType) goesOn() bool {
	return slices.ContainsFunc(p.Arrive, func(edge string) bool { return edge != "CAN_EXPLOIT" })
}

// targets is every node that may be the end of such a path.
func (p *pathType) targets(ctx context.Context, v *graph.View) (map[graph.Node]bool, error) {
	out := map[graph.Node]bool{}
	err := query.Match(ctx, v, graph.Everything, p.query, nil, func(b query.Binding) bool {
		n, ok := b.Node("target")
		if ok {
			out[n] = true
		}
		return true
	})
	return out, err
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
func label(kind string) string {
	for _, k := range schema.Kinds {
		if k.Name == kind {
			return k.Label
		}
	}
	return kind
}
