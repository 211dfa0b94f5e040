package analyse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
)

// technique is an attack rule: what is gained wherever a pattern of facts
// matches and no guard prevents it.
type technique struct {
	rule.Head `yaml:",inline"`
	Match     string   `yaml:"match"`
	Unless    []*guard `yaml:"unless"`
	// Ends says that what is gained is not control, so that no path goes on from it.
	Ends  bool            `yaml:"ends"`
	Tests []techniqueTest `yaml:"tests"`

	query *query.Query
	vars  []string
}

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
	q, err := compileQuery(t.Match)
	if err != nil {
		return nil, f.Errorf(err, "match")
	}
	if q.Add == nil {
		return nil, f.Errorf(errors.New("want MERGE (from)-[:EDGE]->(to) at the end"), "match")
	}
	if e := edgeOf(q.Add.Edge); !e.Derived {
		return nil, f.Errorf(fmt.Errorf("%s is a fact: want an edge that says what is gained", q.Add.Edge), "match")
	}
	t.query, t.vars = q, variables(q.Find)
	for i, g := range t.Unless {
		if err := g.compile(t.vars); err != nil {
			return nil, f.Errorf(err, "unless", fmt.Sprint(i), "match")
		}
	}
	for i, test := range t.Tests {
		if _, err := parseGiven(test.Given); err != nil {
			return nil, f.Errorf(fmt.Errorf("given: %w", err), "tests", fmt.Sprint(i), "given")
		}
	}
	return t, nil
}

func (g *guard) compile(of []string) (err error) {
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
		if slices.Contains(of, v) {
			g.shared = append(g.shared, v)
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
	// prevented names the guard that holds.
	prevented string
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
	type pair struct{ from, to graph.Node }
	at := map[pair]int{} // in best
	var best []gained
	err = query.Match(ctx, v, graph.Everything, t.query, nil, func(b query.Binding) bool {
		from, _ := b.Node(t.query.Add.From)
		to, _ := b.Node(t.query.Add.To)
		if from == to {
			return true
		}
		g := t.gain(from, to, b, guards)
		switch i, seen := at[pair{from, to}]; {
		case !seen:
			at[pair{from, to}] = len(best)
			best = append(best, g)
		case g.doubt() < best[i].doubt():
			best[i] = g
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, g := range best {
		if !yield(g) {
			break
		}
	}
	return nil
}

// gain is what one match of the technique's pattern gains.
func (t *technique) gain(from, to graph.Node, b query.Binding, guards []guarded) gained {
	g := gained{technique: t, from: from, to: to, witness: t.witness(from, to, b)}
	var unknown []string
	for i, set := range guards {
		key := bound(b, t.Unless[i].shared)
		if set.holds[key] {
			g.prevented = t.Unless[i].Name
			return g
		}
		if set.absent != nil && !set.absent[key] {
			unknown = append(unknown, t.Unless[i].Name)
		}
	}
	if len(unknown) > 0 {
		g.uncertain = "it is not known whether " + strings.Join(unknown, ", nor whether ")
	}
	return g
}

// doubt ranks what is gained: 0 for certain, 1 if it is not known whether a guard
// holds, 2 if one does.
func (g gained) doubt() int {
	switch {
	case g.prevented != "":
		return 2
	case g.uncertain != "":
		return 1
	}
	return 0
}

// maxWitness is how many nodes an edge keeps as its proof.
const maxWitness = 4

func (t *technique) witness(from, to graph.Node, b query.Binding) (out []graph.Node) {
	for _, v := range t.vars {
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
	out := kindsIn(t.query.Find, nil)
	for _, g := range t.Unless {
		out = kindsIn(g.query.Find, out)
	}
	return merged(out, []string{t.query.Add.Edge})
}

func kindsIn(n *query.Node, out []string) []string {
	out = merged(out, n.Kinds)
	for _, r := range n.With {
		out = kindsIn(r.To, merged(out, r.Edge))
	}
	return out
}
