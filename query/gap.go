package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/breakwater-sec/breakwater/schema"
)

// gaps tells what the answer cannot know: conditions that are true because
// something was *not* found, or that are unknown, over things that nobody has
// looked into.
func (e *engine) gaps() []Gap {
	g := gapFinder{e: e}
	for _, g.lack = range lacks {
		for _, v := range e.vars {
			g.condition(v, v.where, false)
			g.condition(v, v.onEdge, false)
			g.unknown(v)
			if v.hop != nil {
				g.connection(v)
			}
		}
	}
	return g.out
}

// lack is a way of not having looked into something.
type lack struct {
	// property says of which nodes it is true, where it has the value when.
	property func(schema.Kind) string
	when     bool
	words    func(schema.Kind) string
	why      string
	// rest is what it means for what is joined to something in the answer.
	rest string
}

var lacks = []lack{
	{func(k schema.Kind) string { return k.Coverage }, false, func(k schema.Kind) string { return k.Uncovered },
		"nothing is known about what they contain", "nothing is joined to them because nobody has looked"},
	{func(k schema.Kind) string { return k.Partly }, true, func(k schema.Kind) string { return k.InPart },
		"part of what they contain was not looked into, or could not be judged", "more may belong to them than is known"},
}

type gapFinder struct {
	e    *engine
	lack lack
	out  []Gap
}

// condition looks for NOT EXISTS and for counts that zero satisfies.
func (g *gapFinder) condition(v *variable, c *cond, negated bool) {
	if c == nil {
		return
	}
	switch c.kind {
	case condNot:
		g.condition(v, c.sub[0], !negated)
	case condExists:
		if negated {
			g.missing(v, c.to)
		}
	case condCount:
		if ordered(c.op, compareCount(0, c.n)) != negated {
			g.missing(v, c.to)
		}
	default:
		for _, sub := range c.sub {
			g.condition(v, sub, negated)
		}
	}
}

// missing reports the part of the answer that rests on a pattern's absence.
func (g *gapFinder) missing(v, to *variable) {
	affected := g.affected(to)
	affected.and(g.e.sets[v.id])
	g.reportPart(v, g.dependsOn(to), affected.count(), "the query asks for what is missing, and nobody knows whether it is missing there")
}

// uncovered is the nodes of some kinds that have the lack.
func (g *gapFinder) uncovered(kinds []int) nodeSet {
	e := g.e
	set := e.empty(kinds)
	for k, kind := range kinds {
		if property := g.lack.property(e.voc.kinds[kind]); property != "" {
			all := e.universe([]int{kind})
			yes := e.evalTest(&test{prop: property, op: OpTrue}, &variable{kinds: all.kinds}, all).yes
			if !g.lack.when {
				yes = e.decided(all, yes).no
			}
			set.bits[k] = yes.bits[0]
		}
	}
	return set
}

// covered is the kinds whose coverage the edges of a connection depend on, among
// those of its near or far end.
func (g *gapFinder) covered(h *hop, kinds []int) []int {
	var out []int
	for _, edge := range h.edges {
		from := g.e.voc.edges[edge].Coverage.From
		if k := slices.IndexFunc(kinds, func(k int) bool { return g.e.voc.kinds[k].Name == from }); k >= 0 {
			out = append(out, kinds[k])
		}
	}
	return out
}

// affected is the near nodes of a pattern whose answer may be wrong.
func (g *gapFinder) affected(to *variable) nodeSet {
	h, e := to.hop, g.e
	near := e.empty(h.near.kinds)
	if !h.in {
		g.uncoveredOf(near, g.covered(h, h.near.kinds))
	} else {
		unseen := e.empty(to.kinds)
		if g.uncoveredOf(unseen, g.covered(h, to.kinds)); unseen.count() > 0 {
			near.or(e.universe(h.near.kinds)) // any of them may be joined to one
		}
	}
	inner := e.empty(to.kinds)
	for _, pattern := range to.patterns() {
		inner.or(g.affected(pattern))
	}
	near.or(g.joined(h, inner))
	return near
}

// joined is the near nodes of a pattern from which it leads to some far ones.
func (g *gapFinder) joined(h *hop, far nodeSet) nodeSet {
	near := g.e.universe(h.near.kinds)
	if h.upTo > 0 {
		return g.e.reach(h, far, near)
	}
	_, up := g.e.lanesOf(h, false)
	return g.e.image(up, far, near)
}

func (g *gapFinder) uncoveredOf(into nodeSet, kinds []int) {
	set := g.uncovered(kinds)
	for k, kind := range kinds {
		into.bits[into.position(kind)] = set.bits[k]
	}
}

// patterns is the EXISTS and COUNT of a variable's conditions.
func (v *variable) patterns() []*variable { return append(patterns(v.where), patterns(v.onEdge)...) }

func patterns(c *cond) []*variable {
	if c == nil {
		return nil
	}
	if c.to != nil {
		return []*variable{c.to}
	}
	var out []*variable
	for _, sub := range c.sub {
		out = append(out, patterns(sub)...)
	}
	return out
}

// dependsOn is the covered kinds anywhere in a pattern.
func (g *gapFinder) dependsOn(to *variable) []int {
	out := append(g.covered(to.hop, to.hop.near.kinds), g.covered(to.hop, to.kinds)...)
	for _, pattern := range to.patterns() {
		out = append(out, g.dependsOn(pattern)...)
	}
	return out
}

// unknown reports nodes for which a condition has no answer because nobody has
// looked into them: they are in neither the answer nor its opposite.
func (g *gapFinder) unknown(v *variable) {
	open := g.uncovered(v.kinds)
	anyUnknown := g.e.empty(v.kinds)
	for _, part := range byCost(v.where) {
		if len(patterns(part)) > 0 {
			continue
		}
		a := g.e.eval(part, v, open)
		rest := g.e.decided(open, a.no).no // not false
		unknownHere := g.e.decided(rest, a.yes).no
		anyUnknown.and(rest)
		anyUnknown.or(unknownHere)
		open = rest
	}
	g.report(v.kinds, anyUnknown, "a condition has no answer for them, so they are not in the result")
}

// connection reports where a connection was looked for but could not be known.
func (g *gapFinder) connection(v *variable) {
	e, h := g.e, v.hop
	near := h.near
	if h.in {
		near = v
	}
	set := e.empty(near.kinds)
	g.uncoveredOf(set, g.covered(h, near.kinds))
	answered := e.empty(near.kinds)
	answered.or(set)
	answered.and(e.sets[near.id])
	if h.optional && !h.in || g.lack.when {
		g.reportPart(near, g.covered(h, near.kinds), answered.count(), g.lack.rest)
	}
	if h.optional && !h.in {
		return
	}
	set = e.decided(set, answered).no
	for _, part := range byCost(near.where) {
		if len(patterns(part)) == 0 {
			set = e.eval(part, near, set).yes
		}
	}
	g.report(near.kinds, set, "they may belong in the answer and are not in it")
}

// report tells of nodes that are not in the answer.
func (g *gapFinder) report(kinds []int, set nodeSet, consequence string) {
	for k := range kinds {
		kind := g.e.voc.kinds[kinds[k]]
		one := nodeSet{kinds: kinds[k : k+1], bits: set.bits[k : k+1]}
		switch count := one.count(); count {
		case 0:
		case 1:
			g.tell(kind, 1, "1 "+lowerFirst(kind.Label)+" was "+strings.TrimPrefix(g.lack.words(kind), "were "), consequence)
		default:
			g.tell(kind, count, fmt.Sprintf("%d %s %s", count, lowerFirst(kind.Plural), g.lack.words(kind)), consequence)
		}
	}
}

// reportPart tells of nodes in the answer that rest on a kind not looked into.
func (g *gapFinder) reportPart(v *variable, on []int, count int, consequence string) {
	if count == 0 {
		return
	}
	of, kind := g.e.sets[v.id].count(), g.e.voc.kinds[on[0]]
	things := lowerFirst(kind.Plural)
	if !slices.Contains(v.kinds, on[0]) {
		things = g.these(v) + " depend on " + things + " that"
	}
	g.tell(kind, count, fmt.Sprintf("%d of these %d %s %s", count, of, things, g.lack.words(kind)), consequence)
}

// these names what a variable stands for.
func (g *gapFinder) these(v *variable) string {
	if len(v.kinds) > 1 {
		return "things"
	}
	return lowerFirst(g.e.voc.kinds[v.kinds[0]].Plural)
}

func (g *gapFinder) tell(kind schema.Kind, count int, what, consequence string) {
	gap := Gap{Source: "query", What: what, Why: g.lack.why,
		Consequence: consequence, Kinds: []string{kind.Name}, Count: count}
	if !slices.ContainsFunc(g.out, func(o Gap) bool { return o.What == gap.What }) {
		g.out = append(g.out, gap)
	}
}

// lowerFirst writes a label within a sentence; ConfigMap stays as it is.
func lowerFirst(s string) string {
	if strings.LastIndexFunc(s, unicode.IsUpper) > 0 {
		return s
	}
	return strings.ToLower(s)
}
