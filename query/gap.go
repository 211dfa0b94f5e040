package query

import (
	"fmt"
	"slices"
)

// gaps tells what the answer cannot know: conditions that are true because
// something was *not* found, or that are unknown, over things that nobody has
// looked into.
func (e *engine) gaps() []Gap {
	g := gapFinder{e: e, seen: map[string]bool{}}
	for _, v := range e.vars {
		g.condition(v, v.where, false)
		g.unknown(v)
		if v.hop != nil {
			g.connection(v)
		}
	}
	return g.out
}

type gapFinder struct {
	e    *engine
	out  []Gap
	seen map[string]bool
}

// condition looks for NOT EXISTS and for counts that zero satisfies.
func (g *gapFinder) condition(v *variable, c *cond, negated bool) {
	if c == nil {
		return
	}
	switch c.kind {
	case condTest:
	case condNot:
		g.condition(v, c.sub[0], !negated)
	case condExists, condCount:
		if c.kind == condExists && !negated || c.kind == condCount && ordered(c.op, compareCount(0, c.n)) == negated {
			return
		}
		affected := g.affected(c.to)
		affected.and(g.e.sets[v.id])
		g.report(v, g.dependsOn(c.to), affected.count(), g.e.sets[v.id].count(),
			"the query asks for what is missing, and nobody knows whether it is missing there")
	default:
		for _, sub := range c.sub {
			g.condition(v, sub, negated)
		}
	}
}

// uncovered is the nodes of some kinds that nobody has looked into.
func (g *gapFinder) uncovered(kinds []int) (set nodeSet, which int) {
	e := g.e
	set, which = e.empty(kinds), -1
	for k, kind := range kinds {
		cover := e.voc.kinds[kind].Coverage
		if cover == "" {
			continue
		}
		which = kind
		all := e.universe([]int{kind})
		one := &variable{kinds: []int{kind}}
		yes := e.evalTest(&test{prop: cover, op: OpTrue}, one, all).yes
		set.bits[k] = e.decided(all, yes).no.bits[0]
	}
	return set, which
}

// covered is the kind whose coverage an edge depends on: its near or far end.
func (g *gapFinder) covered(h *hop, kinds []int) []int {
	var out []int
	for _, edge := range h.edges {
		c := g.e.voc.edges[edge].Coverage
		if k, ok := g.e.voc.kind[c.From]; ok && slices.Contains(kinds, k) && !slices.Contains(out, k) {
			out = append(out, k)
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
	} else if far := g.covered(h, to.kinds); len(far) > 0 {
		unseen := e.empty(to.kinds)
		if g.uncoveredOf(unseen, far); unseen.count() > 0 {
			near.or(e.universe(h.near.kinds)) // any of them may be joined to one
		}
	}
	inner := e.empty(to.kinds)
	g.inner(to, to.where, inner)
	if h.upTo == 0 && inner.count() > 0 {
		_, up := e.lanesOf(h, false)
		near.or(e.image(up, inner, e.universe(h.near.kinds)))
	}
	return near
}

// inner gathers what the patterns inside a pattern cannot know.
func (g *gapFinder) inner(v *variable, c *cond, into nodeSet) {
	if c == nil {
		return
	}
	if c.kind == condExists || c.kind == condCount {
		into.or(g.affected(c.to))
	}
	for _, sub := range c.sub {
		g.inner(v, sub, into)
	}
}

func (g *gapFinder) uncoveredOf(into nodeSet, kinds []int) {
	if len(kinds) == 0 {
		return
	}
	set, _ := g.uncovered(kinds)
	for k, kind := range kinds {
		if at := into.position(kind); at >= 0 {
			into.bits[at] = set.bits[k]
		}
	}
}

// dependsOn is the covered kind somewhere in a pattern.
func (g *gapFinder) dependsOn(to *variable) int {
	for _, kinds := range [][]int{to.hop.near.kinds, to.kinds} {
		if k := g.covered(to.hop, kinds); len(k) > 0 {
			return k[0]
		}
	}
	return g.dependsInside(to.where)
}

func (g *gapFinder) dependsInside(c *cond) int {
	if c == nil {
		return -1
	}
	if c.to != nil {
		return g.dependsOn(c.to)
	}
	for _, sub := range c.sub {
		if k := g.dependsInside(sub); k >= 0 {
			return k
		}
	}
	return -1
}

// unknown reports nodes for which a condition has no answer because nobody has
// looked into them: they are in neither the answer nor its opposite.
func (g *gapFinder) unknown(v *variable) {
	set, which := g.uncovered(v.kinds)
	if which < 0 || v.where == nil {
		return
	}
	open := set
	anyUnknown := g.e.empty(v.kinds)
	for _, part := range byCost(v.where) {
		if cost(part) >= 100 {
			continue
		}
		a := g.e.eval(part, v, open)
		rest := g.e.decided(open, a.no).no // not false
		unknownHere := g.e.decided(rest, a.yes).no
		anyUnknown.and(rest)
		anyUnknown.or(unknownHere)
		open = rest
	}
	g.report(v, which, anyUnknown.count(), -1, "a condition has no answer for them, so they are not in the result")
}

// connection reports where a connection was looked for but could not be known.
func (g *gapFinder) connection(v *variable) {
	e, h := g.e, v.hop
	kinds := g.covered(h, h.near.kinds)
	near := h.near
	if h.in {
		kinds, near = g.covered(h, v.kinds), v
	}
	if len(kinds) == 0 {
		return
	}
	set := e.empty(near.kinds)
	g.uncoveredOf(set, kinds)
	if h.optional && !h.in {
		set.and(e.sets[near.id])
		g.report(near, kinds[0], set.count(), e.sets[near.id].count(), "nothing is joined to them because nobody has looked")
		return
	}
	for _, part := range byCost(near.where) {
		if cost(part) < 100 {
			set = e.eval(part, near, set).yes
		}
	}
	g.report(near, kinds[0], set.count(), -1, "they may belong in the answer and are not in it")
}

func (g *gapFinder) report(v *variable, which, count, of int, consequence string) {
	if count == 0 || which < 0 {
		return
	}
	k := g.e.voc.kinds[which]
	what := k.Label
	if count != 1 {
		what = k.Plural
	}
	text := fmt.Sprintf("%d %s", count, lowerFirst(what))
	switch {
	case of >= 0 && slices.Contains(v.kinds, which):
		text = fmt.Sprintf("%d of these %d %s", count, of, lowerFirst(k.Plural))
	case of >= 0:
		these := "things"
		if len(v.kinds) == 1 {
			these = lowerFirst(g.e.voc.kinds[v.kinds[0]].Plural)
		}
		text = fmt.Sprintf("%d of these %d %s depend on %s that", count, of, these, lowerFirst(k.Plural))
	}
	uncovered := k.Uncovered
	if uncovered == "" {
		uncovered = "were never looked into"
	}
	if count == 1 && of < 0 {
		uncovered = singular(uncovered)
	}
	gap := Gap{Source: "query", What: text + " " + uncovered, Why: "nothing is known about what they contain",
		Consequence: consequence, Kinds: []string{k.Name}, Count: count}
	if key := gap.What; !g.seen[key] {
		g.seen[key] = true
		g.out = append(g.out, gap)
	}
}

func lowerFirst(s string) string {
	if s == "" || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

func singular(s string) string {
	if len(s) > 5 && s[:5] == "were " {
		return "was " + s[5:]
	}
	return s
}
