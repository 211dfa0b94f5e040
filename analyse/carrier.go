package analyse

import (
	"context"
	"errors"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

// carrier carries what techniques gained over to another graph of the same cluster.
type carrier struct {
	before *gains
	since  *graph.Difference
	was    *graph.View // that they ran on
	still  bool        // every node has the row that it had
}

// kept is what was found of a technique's gains, compared with those before.
type kept struct {
	whole     bool             // it ran on all there is
	touched   map[between]bool // else the pairs that were looked at anew
	different []between        // pairs that are there and between which something else is gained
}

// newCarrier is one that carries nothing where nothing is known, or the rules are others.
func newCarrier(before, now *gains, v *graph.View) *carrier {
	if before == nil || before.rules != now.rules || before.seg.Name() != now.seg.Name() {
		return &carrier{}
	}
	now.since, now.was = graph.NewDifference(before.seg, before.shared, now.seg, now.shared), before.derived
	c := &carrier{before, now.since, graph.NewView(v.Vocabulary(), before.shared, before.read), now.since.SameShared()}
	for k := range v.Vocabulary().Kinds() {
		c.still = c.still && !now.since.Moved(k)
	}
	return c
}

// errTooMany ends what would be more work than to begin anew.
var errTooMany = errors.New("too much is different")

// gains is what a technique gains, and what of it was kept; nil if nothing is known of before.
func (c *carrier) gains(ctx context.Context, i int, t *technique, v *graph.View) ([]gain, *kept, error) {
	if c.before != nil {
		out, k, err := c.carried(ctx, t, v, c.before.of[i])
		if err == nil || !errors.Is(err, errTooMany) {
			return out, k, err
		}
	}
	out, err := t.all(ctx, v)
	if err != nil || c.before == nil {
		return out, nil, err
	}
	k := &kept{whole: true}
	k.compare(c.moved(c.before.of[i]), out)
	return out, k, nil
}

// moved are gains as they would be if they were the same now, without those of nodes that are gone. They are sorted as before:
// nodes that stay keep their order.
func (c *carrier) moved(before []gain) []gain {
	if c.still {
		return before
	}
	out := make([]gain, 0, len(before))
	for _, g := range before {
		var there, too bool
		g.from, there = c.carry(g.from)
		g.to, too = c.carry(g.to)
		if there && too {
			out = append(out, g)
		}
	}
	return out
}

// carried finds anew what the difference may have touched, and keeps the rest.
func (c *carrier) carried(ctx context.Context, t *technique, v *graph.View, before []gain) ([]gain, *kept, error) {
	k := &kept{touched: map[between]bool{}}
	p := &pairs{carrier: c, ctx: ctx, now: v, all: k.touched, most: 1000 + len(before)/2}
	for _, w := range t.ways {
		if err := p.ofWay(w); err != nil {
			return nil, nil, err
		}
	}
	for _, g := range t.Unless {
		if err := p.ofGuard(t, g); err != nil {
			return nil, nil, err
		}
	}
	if len(k.touched) == 0 && c.still {
		return before, k, nil
	}
	anew, err := t.among(ctx, v, k.touched)
	if err != nil {
		return nil, nil, err
	}
	out := make([]gain, 0, len(before)+len(anew))
	var gone []gain
	for _, g := range before {
		var there, too bool
		g.from, there = c.carry(g.from)
		g.to, too = c.carry(g.to)
		switch {
		case !there || !too: // its kind has moved
		case k.touched[g.between()]:
			gone = append(gone, g)
		default:
			out = append(out, g)
		}
	}
	k.compare(gone, anew)
	out = append(out, anew...)
	if len(anew) > 0 {
		slices.SortFunc(out, gain.compare)
	}
	return out, k, nil
}

// compare notes where gains that were looked at anew are others. Both are sorted.
func (k *kept) compare(was, is []gain) {
	note := func(g gain) { k.different = append(k.different, g.between()) }
	for len(was) > 0 || len(is) > 0 {
		switch {
		case len(is) == 0 || len(was) > 0 && was[0].compare(is[0]) < 0:
			note(was[0])
			was = was[1:]
		case len(was) == 0 || is[0].compare(was[0]) < 0:
			note(is[0])
			is = is[1:]
		default:
			if !was[0].equal(is[0]) {
				note(is[0])
			}
			was, is = was[1:], is[1:]
		}
	}
}

// carry is where a node is now; false if it is gone.
func (c *carrier) carry(s spot) (spot, bool) {
	if kind := int(s.kind); c.was.Vocabulary().Kinds()[kind].Shared {
		if c.since.SameShared() {
			return s, true
		}
		stub, there := c.before.seg.Stub(kind, s.index)
		return s, there && c.since.Back(kind)[stub] >= 0 // shared nodes keep their rows
	}
	row := c.since.Back(int(s.kind))[s.index]
	return spot{s.kind, uint32(row)}, row >= 0
}

// pairs are those between which a technique gains something by what is different.
type pairs struct {
	*carrier
	ctx  context.Context
	now  *graph.View
	all  map[between]bool
	most int
}

// ofWay adds the pairs whose matches have something that is different in them, as they were and as they are.
func (p *pairs) ofWay(w way) error {
	l := lookAt(w.query.Find)
	if l.shared && !p.since.SameShared() {
		return errTooMany
	}
	if !l.whole {
		return p.nothing(l)
	}
	for i := range l.nodes {
		for side, v := range []*graph.View{p.was, p.now} {
			nodes, err := p.different(l, i, side)
			if err != nil || len(nodes) == 0 {
				if err != nil {
					return err
				}
				continue
			}
			if err := p.matching(w, v, side, map[string][]graph.Node{l.nodes[i].as: nodes}); err != nil {
				return err
			}
		}
	}
	return nil
}

// matching adds the pairs of the matches of a way with some nodes in them.
func (p *pairs) matching(w way, v *graph.View, side int, within map[string][]graph.Node) error {
	return p.over(query.MatchWith(p.ctx, v, graph.Everything, w.query, query.Options{Within: within}, func(b query.Binding) bool {
		from, _ := b.Node(w.query.Add.From)
		to, _ := b.Node(w.query.Add.To)
		pair := between{spotOf(from), spotOf(to)}
		if side == graph.Before {
			var there, too bool
			pair.from, there = p.carry(pair.from)
			pair.to, too = p.carry(pair.to)
			if !there || !too {
				return true
			}
		}
		p.all[pair] = true
		return len(p.all) <= p.most
	}))
}

func (p *pairs) over(err error) error {
	if err == nil && len(p.all) > p.most {
		return errTooMany
	}
	return err
}

// ofGuard adds the pairs of which a guard may say something else.
func (p *pairs) ofGuard(t *technique, g *guard) error {
	l := lookAt(g.query.Find)
	if l.shared && !p.since.SameShared() {
		return errTooMany
	}
	if !l.whole {
		return p.nothing(l)
	}
	said := map[string][]graph.Node{} // by shared variable
	seen := map[string]map[graph.Node]bool{}
	for i := range l.nodes {
		for side, v := range []*graph.View{p.was, p.now} {
			nodes, err := p.different(l, i, side)
			if err != nil {
				return err
			}
			if len(nodes) == 0 {
				continue
			}
			note := func(as string, n graph.Node) {
				at, there := spotOf(n), true
				if side == graph.Before {
					at, there = p.carry(at)
				}
				if !there {
					return
				}
				if n = at.in(p.now); !seen[as][n] {
					if seen[as] == nil {
						seen[as] = map[graph.Node]bool{}
					}
					seen[as][n] = true
					said[as] = append(said[as], n)
				}
			}
			if len(l.nodes) == 1 { // whatever it says of it
				for _, n := range nodes {
					note(l.nodes[i].as, n)
				}
				continue
			}
			within := query.Options{Within: map[string][]graph.Node{l.nodes[i].as: nodes}}
			err = query.MatchWith(p.ctx, v, graph.Everything, g.query, within, func(b query.Binding) bool {
				for _, as := range g.shared {
					if n, there := b.Node(as); there {
						note(as, n)
					}
				}
				return true
			})
			if err != nil {
				return err
			}
		}
	}
	if len(said) == 0 {
		return nil
	}
	for _, w := range t.ways {
		if err := p.matching(w, p.now, graph.After, said); err != nil {
			return err
		}
	}
	return nil
}

// nothing is no error if nothing is different that is looked at in ways that cannot be followed node by node.
func (p *pairs) nothing(l *looks) error {
	for i := range l.nodes {
		for _, side := range []int{graph.Before, graph.After} {
			if nodes, err := p.different(l, i, side); err != nil || len(nodes) > 0 || l.unknown {
				return errTooMany
			}
		}
	}
	return nil
}

// manyDifferent is how many nodes are looked at one by one.
const manyDifferent = 2000

// different are the nodes of a side that may stand in a place of a pattern and are not there on the other side, say something
// else there, or are joined otherwise by what leads to that place.
func (p *pairs) different(l *looks, at, side int) ([]graph.Node, error) {
	v := []*graph.View{p.was, p.now}[side]
	seg := v.Clusters()[0]
	rows := map[spot]bool{}
	for _, kind := range l.nodes[at].kinds {
		differ := p.since.Nodes(side, kind)
		if differ != nil && differ.Count() > manyDifferent {
			return nil, errTooMany
		}
		for row := range differ.All() {
			rows[spot{int32(kind), row}] = true
		}
	}
	for _, h := range l.hops {
		if err := p.joined(l, h, at, side, seg, rows); err != nil {
			return nil, err
		}
	}
	var out []graph.Node
	for s := range rows {
		index := s.index
		if v.Vocabulary().Kinds()[s.kind].Shared {
			index = seg.Stubs(int(s.kind))[index]
		}
		out = append(out, spot{s.kind, index}.in(v))
	}
	if len(out) > manyDifferent {
		return nil, errTooMany
	}
	return out, nil
}

// joined adds the ends of edges that are different. Each edge is followed from that end which has fewer.
func (p *pairs) joined(l *looks, h hopLook, at, side int, seg *graph.Segment, rows map[spot]bool) (err error) {
	if at != h.near && at != h.far {
		return nil
	}
	if h.through >= 0 {
		return p.composed(l, h, at, side, rows)
	}
	p.since.Edges(side, h.edge, func(from, to int, all []graph.Ends) {
		near, far := from, to
		if h.in {
			near, far = to, from
		}
		if !slices.Contains(l.nodes[h.near].kinds, near) || !slices.Contains(l.nodes[h.far].kinds, far) {
			return
		}
		if len(all) > 2*manyDifferent {
			err = errTooMany
			return
		}
		for _, e := range all {
			out, in := degree(seg, h.edge, from, to, e)
			fewerFrom := out <= in
			if here := h.near == at; here != h.in == fewerFrom { // the end at this place is the one that has fewer
				if fewerFrom {
					rows[spot{int32(from), e.From}] = true
				} else {
					rows[spot{int32(to), e.To}] = true
				}
			}
		}
	})
	return err
}

// composed adds the ends of edges that are made of two: where the first begins, if that is different, and where the second ends.
func (p *pairs) composed(l *looks, h hopLook, at, side int, rows map[spot]bool) (err error) {
	begins := (at == h.near) != h.in
	edge := h.through
	if begins {
		edge = h.edge
	}
	p.since.Edges(side, edge, func(from, to int, all []graph.Ends) {
		kind := to
		if begins {
			kind = from
		}
		if !slices.Contains(l.nodes[at].kinds, kind) {
			return
		}
		if len(all) > 2*manyDifferent {
			err = errTooMany
			return
		}
		for _, e := range all {
			row := e.To
			if begins {
				row = e.From
			}
			rows[spot{int32(kind), row}] = true
		}
	})
	return err
}

// degree is how many edges of a kind lead from one end to such as the other, and to the other.
func degree(seg *graph.Segment, edge, from, to int, e graph.Ends) (out, in int) {
	for _, r := range seg.Rels(edge) {
		if r.From == from && r.To == to {
			ends, _ := r.Out(e.From)
			starts, _ := r.In(e.To)
			out, in = out+len(ends), in+len(starts)
		}
	}
	return out, in
}
