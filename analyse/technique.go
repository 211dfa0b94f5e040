package analyse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
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
	guards, err := t.guards(ctx, v, func(*guard) map[string][]graph.Node { return nil })
	if err != nil {
		return err
	}
	f := finds{at: map[ends]int{}}
	keys := make([]binding, len(t.Unless))
	for _, w := range t.ways {
		err := w.matches(ctx, v, nil, func(from, to graph.Node, b query.Binding) {
			for i, g := range t.Unless {
				keys[i] = bound(b, g.shared)
			}
			f.add(t.gain(from, to, w.witness(from, to, b), keys, guards))
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

// matches yields the matches of a way that may gain something, with some nodes in them or with any.
func (w way) matches(ctx context.Context, v *graph.View, within map[string][]graph.Node,
	yield func(from, to graph.Node, b query.Binding)) error {
	return query.MatchWith(ctx, v, graph.Everything, w.query, query.Options{Within: within}, func(b query.Binding) bool {
		from, _ := b.Node(w.query.Add.From)
		to, _ := b.Node(w.query.Add.To)
		if from != to && !ended(from) && !ended(to) {
			yield(from, to, b)
		}
		return true
	})
}

// among is what the technique gains between some nodes, sorted: what run finds of it.
func (t *technique) among(ctx context.Context, v *graph.View, some map[between]bool) ([]gain, error) {
	if len(some) == 0 {
		return nil, nil
	}
	type match struct {
		from, to graph.Node
		witness  []graph.Node
		keys     []binding
	}
	var all []match
	starts, targets := nodesOf(v, some)
	for _, w := range t.ways {
		within := map[string][]graph.Node{w.query.Add.From: starts, w.query.Add.To: targets}
		err := w.matches(ctx, v, within, func(from, to graph.Node, b query.Binding) {
			if !some[between{spotOf(from), spotOf(to)}] {
				return
			}
			m := match{from, to, w.witness(from, to, b), make([]binding, len(t.Unless))}
			for i, g := range t.Unless {
				m.keys[i] = bound(b, g.shared)
			}
			all = append(all, m)
		})
		if err != nil {
			return nil, err
		}
	}
	at := 0 // of the guard that is asked
	guards, err := t.guards(ctx, v, func(g *guard) map[string][]graph.Node {
		within := map[string]map[graph.Node]bool{}
		for _, m := range all {
			for i, as := range g.shared {
				if within[as] == nil {
					within[as] = map[graph.Node]bool{}
				}
				within[as][m.keys[at][i]] = true
			}
		}
		at++
		out := map[string][]graph.Node{}
		for as, nodes := range within {
			out[as] = slices.Collect(maps.Keys(nodes))
		}
		return out
	})
	if err != nil {
		return nil, err
	}
	f := finds{at: map[ends]int{}}
	for _, m := range all {
		f.add(t.gain(m.from, m.to, m.witness, m.keys, guards))
	}
	return f.gains(), nil
}

// nodesOf are the nodes that pairs begin with, and those that they end with.
func nodesOf(v *graph.View, some map[between]bool) (starts, ends []graph.Node) {
	from, to := map[spot]bool{}, map[spot]bool{}
	for p := range some {
		from[p.from], to[p.to] = true, true
	}
	for s := range from {
		starts = append(starts, s.in(v))
	}
	for s := range to {
		ends = append(ends, s.in(v))
	}
	return starts, ends
}

// finds keeps, for each pair of nodes, the match with least doubt.
type finds struct {
	at   map[ends]int // in best
	best []gained
}

type ends struct{ from, to graph.Node }

// gains are what is gained and not prevented, sorted.
func (f *finds) gains() (out []gain) {
	for _, g := range f.best {
		if g.prevented == "" {
			out = append(out, g.kept())
		}
	}
	slices.SortFunc(out, gain.compare)
	return slices.Clip(out)
}

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
func (t *technique) gain(from, to graph.Node, witness []graph.Node, keys []binding, guards []guarded) gained {
	g := gained{technique: t, from: from, to: to, witness: witness}
	var unknown []string
	for i, set := range guards {
		key := keys[i]
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

// guards asks where each guard holds, of some nodes or of all.
func (t *technique) guards(ctx context.Context, v *graph.View, of func(*guard) map[string][]graph.Node) (out []guarded, err error) {
	for _, g := range t.Unless {
		var set guarded
		within := of(g)
		if set.holds, err = bindings(ctx, v, g.query, within, g.shared); err != nil {
			return nil, err
		}
		if g.absent != nil {
			if set.absent, err = bindings(ctx, v, g.absent, within, g.shared); err != nil {
				return nil, err
			}
		}
		out = append(out, set)
	}
	return out, nil
}

func bindings(ctx context.Context, v *graph.View, q *query.Query, within map[string][]graph.Node, vars []string) (map[binding]bool, error) {
	out := map[binding]bool{}
	err := query.MatchWith(ctx, v, graph.Everything, q, query.Options{Within: within}, func(b query.Binding) bool {
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
