package analyse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// technique is an attack rule: what is gained wherever a pattern of facts
// matches and no guard prevents it.
type technique struct {
	rule.Head `yaml:",inline"`
	// Match is the pattern, or several that lead to the same gain.
	Match  strictyaml.Texts `yaml:"match"`
	Unless []*guard         `yaml:"unless"`
	// Likelihood says how often it works where the pattern matches, Effort what it
	// takes: a path prefers what is likely and cheap. Without them it is likely and
	// of medium effort.
	Likelihood likelihood `yaml:"likelihood"`
	Effort     effort     `yaml:"effort"`
	// Ends says that what is gained is not control, so that no path goes on from it.
	Ends bool `yaml:"ends"`
	// Code is the fix as changes of objects, or why there are none.
	Code  *Code           `yaml:"code"`
	Tests []techniqueTest `yaml:"tests"`

	ways    []way
	edge    string   // that it makes
	depends []string // kinds of nodes and edges that it looks at
	// fixTitle and fixText are the fix as one of a path.
	fixTitle, fixText string
}

// judgesImage says that the technique rests on what is known of an image: its vulnerabilities.
func (t *technique) judgesImage() bool {
	return slices.ContainsFunc(t.Match, func(m string) bool { return strings.Contains(m, ":USES_IMAGE]") })
}

// way is one pattern of a technique.
type way struct {
	query *query.Query
	vars  []string
}

// likelihood is how often a technique works where it is possible.
type likelihood string

// effort is what a technique takes of an attacker.
type effort string

var (
	likelihoods = []likelihood{"certain", "likely", "possible"}
	efforts     = []effort{"medium", "low", "high"}
)

// guard is what prevents a technique: a pattern over some of its variables.
type guard struct {
	Name  string `yaml:"name"`
	Match string `yaml:"match"`

	query  *query.Query
	absent *query.Query // the guard known not to hold; nil if that cannot be asked
	shared []string     // the variables it has in common with the technique
}

// techniqueTest is a graph and the edges the rule makes of it, as "from -> to".
type techniqueTest struct {
	Name      string   `yaml:"name"`
	Given     string   `yaml:"given"`
	Want      []string `yaml:"want"`
	Prevented []string `yaml:"prevented"`
}

// maxShared is how many variables a guard may have in common with its rule.
const maxShared = 4

func compileTechnique(f *rule.File, t *technique) (rule.Rule, error) {
	if len(t.Match) == 0 {
		return nil, f.Errorf(errors.New("want a pattern, or a list of them"), "match")
	}
	for i, text := range t.Match {
		at := []string{"match"}
		if len(t.Match) > 1 {
			at = append(at, fmt.Sprint(i))
		}
		if err := t.compile(text); err != nil {
			return nil, f.Errorf(err, at...)
		}
	}
	t.Likelihood, t.Effort = cmp.Or(t.Likelihood, "likely"), cmp.Or(t.Effort, "medium")
	if !slices.Contains(likelihoods, t.Likelihood) {
		return nil, f.Errorf(fmt.Errorf("likelihood %q: want certain, likely or possible", t.Likelihood), "likelihood")
	}
	if !slices.Contains(efforts, t.Effort) {
		return nil, f.Errorf(fmt.Errorf("effort %q: want low, medium or high", t.Effort), "effort")
	}
	if err := t.Code.check(); err != nil {
		return nil, f.Errorf(err, "code")
	}
	for i, g := range t.Unless {
		if err := g.compile(t.ways); err != nil {
			return nil, f.Errorf(err, "unless", fmt.Sprint(i), "match")
		}
	}
	for i, test := range t.Tests {
		if _, err := parseGiven(test.Given); err != nil {
			return nil, f.Errorf(fmt.Errorf("given: %w", err), "tests", fmt.Sprint(i), "given")
		}
	}
	t.depends, t.fixTitle, t.fixText = t.dependsOn(), clause(t.Fix), oneLine(t.Fix)
	return t, nil
}

// compile adds a way.
func (t *technique) compile(text string) error {
	q, err := compileQuery(text)
	switch {
	case err != nil:
		return err
	case q.Add == nil:
		return errors.New("want MERGE (from)-[:EDGE]->(to) at the end")
	case !edgeOf(q.Add.Edge).Derived:
		return fmt.Errorf("%s is a fact: want an edge that says what is gained", q.Add.Edge)
	case t.edge != "" && t.edge != q.Add.Edge:
		return fmt.Errorf("%s: want %s, as the first pattern gains: another gain is another technique", q.Add.Edge, t.edge)
	}
	t.edge = q.Add.Edge
	t.ways = append(t.ways, way{q, variables(q.Find)})
	return nil
}

func (g *guard) compile(of []way) (err error) {
	if g.Name == "" {
		return errors.New("want a name: it is what people read where the guard holds")
	}
	if g.query, err = compileQuery(g.Match); err != nil {
		return err
	}
	if g.query.Add != nil {
		return errors.New("a guard adds no edge")
	}
	for _, v := range variables(g.query.Find) {
		if !slices.ContainsFunc(of, func(w way) bool { return slices.Contains(w.vars, v) }) {
			continue
		}
		g.shared = append(g.shared, v)
		if slices.ContainsFunc(of, func(w way) bool { return !slices.Contains(w.vars, v) }) {
			return fmt.Errorf("%s is not a variable of every pattern of the rule's match", v)
		}
	}
	if len(g.shared) == 0 || len(g.shared) > maxShared {
		return fmt.Errorf("want one to %d variables in common with the rule's match", maxShared)
	}
	if find := g.query.Find; len(find.With) == 0 && find.Where != nil {
		denied := *find
		denied.Where = &query.Expr{Not: find.Where}
		g.absent = &query.Query{Find: &denied}
	}
	return nil
}

// gained is one edge a technique makes, or would make were it not prevented.
type gained struct {
	technique *technique
	from, to  graph.Node
	witness   []graph.Node
	uncertain string
	// prevented names the first guard that holds, guards all that do.
	prevented string
	guards    []string
}

type binding [maxShared]graph.Node

// run finds everything the technique gains in a view, prevented or not. A pair
// of nodes may match in several ways, and one way that no guard stops is enough:
// what is told of a pair is its first certain way, else its first uncertain one,
// else the first that is prevented.
func (t *technique) run(ctx context.Context, v *graph.View, yield func(gained) bool) error {
	guards, err := t.guards(ctx, v)
	if err != nil {
		return err
	}
	f := finds{at: map[ends]int{}}
	for _, w := range t.ways {
		err := query.Match(ctx, v, graph.Everything, w.query, nil, func(b query.Binding) bool {
			from, _ := b.Node(w.query.Add.From)
			to, _ := b.Node(w.query.Add.To)
			if from != to && !ended(from) && !ended(to) {
				f.add(t.gain(w, from, to, b, guards))
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	for _, g := range f.best {
		if !yield(g) {
			break
		}
	}
	return nil
}

// finds keeps, for each pair of nodes, the match with least doubt.
type finds struct {
	at   map[ends]int // in best
	best []gained
}

type ends struct{ from, to graph.Node }

func (f *finds) add(g gained) {
	i, seen := f.at[ends{g.from, g.to}]
	switch {
	case !seen:
		f.at[ends{g.from, g.to}] = len(f.best)
		f.best = append(f.best, g)
	case g.doubt() < f.best[i].doubt():
		f.best[i] = g
	}
}

// ended says that a node's time is over: what is no more neither gains anything
// nor is gained.
func ended(n graph.Node) bool {
	over := kindOf(n.Kind()).Over
	return over != "" && n.Value(over).Bool()
}

// gain is what one match of the technique's pattern gains.
func (t *technique) gain(w way, from, to graph.Node, b query.Binding, guards []guarded) gained {
	g := gained{technique: t, from: from, to: to, witness: w.witness(from, to, b)}
	var unknown []string
	for i, set := range guards {
		key := bound(b, t.Unless[i].shared)
		if set.holds[key] {
			g.guards = append(g.guards, t.Unless[i].Name)
			g.prevented = g.guards[0]
			continue
		}
		if set.absent != nil && !set.absent[key] {
			unknown = append(unknown, t.Unless[i].Name)
		}
	}
	if len(unknown) > 0 && g.prevented == "" {
		g.uncertain = "it is not known whether " + strings.Join(unknown, ", nor whether ")
	}
	return g
}

// doubt ranks what is gained: 0 for certain, 1 if it is not known whether a guard
// holds, more by how many do.
func (g gained) doubt() int {
	switch {
	case g.prevented != "":
		return 1 + len(g.guards)
	case g.uncertain != "":
		return 1
	}
	return 0
}

// maxWitness is how many nodes an edge keeps as its proof.
const maxWitness = 4

func (w way) witness(from, to graph.Node, b query.Binding) (out []graph.Node) {
	for _, v := range w.vars {
		n, ok := b.Node(v)
		if ok && n != from && n != to && len(out) < maxWitness && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// guarded is where a guard holds, and where it is known not to.
type guarded struct{ holds, absent map[binding]bool }

func (t *technique) guards(ctx context.Context, v *graph.View) (out []guarded, err error) {
	for _, g := range t.Unless {
		var set guarded
		if set.holds, err = bindings(ctx, v, g.query, g.shared); err != nil {
			return nil, err
		}
		if g.absent != nil {
			if set.absent, err = bindings(ctx, v, g.absent, g.shared); err != nil {
				return nil, err
			}
		}
		out = append(out, set)
	}
	return out, nil
}

func bindings(ctx context.Context, v *graph.View, q *query.Query, vars []string) (map[binding]bool, error) {
	out := map[binding]bool{}
	err := query.Match(ctx, v, graph.Everything, q, nil, func(b query.Binding) bool {
		out[bound(b, vars)] = true
		return true
	})
	return out, err
}

func bound(b query.Binding, vars []string) (k binding) {
	for i, v := range vars {
		k[i], _ = b.Node(v)
	}
	return k
}

// Cases are the rule's own tests, run as the product runs the rule.
func (t *technique) Cases() (out []rule.Case) {
	for _, test := range t.Tests {
		out = append(out, rule.Case{Name: test.Name, Fires: len(test.Want) > 0, Run: func() error { return t.try(test) }})
	}
	return out
}

func (t *technique) try(test techniqueTest) error {
	v, err := parseGiven(test.Given)
	if err != nil {
		return err
	}
	var made, prevented []string
	err = t.run(background(), v, func(g gained) bool {
		text := givenID(g.from) + " -> " + givenID(g.to)
		if g.prevented != "" {
			prevented = append(prevented, text)
		} else {
			made = append(made, text)
		}
		return true
	})
	return errors.Join(err, same("edges", made, test.Want), same("prevented", prevented, test.Prevented))
}

func same(what string, got, want []string) error {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if slices.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("%s are [%s], want [%s]", what, strings.Join(got, ", "), strings.Join(want, ", "))
}

// dependsOn is every kind of node and edge that the technique looks at.
func (t *technique) dependsOn() []string {
	var out []string
	for _, w := range t.ways {
		out = kindsIn(w.query.Find, out)
	}
	for _, g := range t.Unless {
		out = kindsIn(g.query.Find, out)
	}
	return merged(out, []string{t.edge})
}

func kindsIn(n *query.Node, out []string) []string {
	out = merged(out, n.Kinds)
	for _, r := range n.With {
		out = kindsIn(r.To, merged(out, r.Edge))
	}
	return out
}
