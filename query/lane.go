package query

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// lane is the edges of one adjacency of one segment, walked from the near end
// to the far one. Ends of shared kinds are stubs in a cluster's segment.
type lane struct {
	seg                 int // 0 is the shared segment
	rel                 *graph.Rel
	out                 bool // near to far is along the edges
	nearKind, farKind   int  // positions among the ends' kinds
	nearSlot, farSlot   int
	nearStubs, farStubs []uint32 // stub → shared index; nil where the end is no stub
	nearLen, farLen     int
	flipped             bool // the far end is the one nearer the root
	test                edgeTest
}

// edgeTest says whether the edge at a position satisfies the conditions on it;
// child is the end away from the root, numbered as in the lane.
type edgeTest func(pos, child uint32) bool

// lanes finds every adjacency between two sets of kinds.
func (e *engine) lanes(edges []int, in bool, near, far []int) []lane {
	nearAt, farAt := e.positions(near), e.positions(far)
	var out []lane
	wanted := func(from, to int) bool {
		if in {
			from, to = to, from
		}
		return nearAt[from] >= 0 && farAt[to] >= 0
	}
	for s := range e.segs {
		for _, edge := range edges {
			for _, r := range e.adjacencies(s, edge, wanted) {
				nk, fk := r.From, r.To
				if in {
					nk, fk = fk, nk
				}
				if !wanted(r.From, r.To) || r.Len() == 0 {
					continue
				}
				l := lane{seg: s, rel: r, out: !in, nearKind: nearAt[nk], farKind: farAt[fk]}
				l.nearSlot, l.nearStubs, l.nearLen = e.end(s, nk)
				l.farSlot, l.farStubs, l.farLen = e.end(s, fk)
				out = append(out, l)
			}
		}
	}
	return out
}

func (e *engine) positions(kinds []int) []int {
	at := make([]int, len(e.voc.kinds))
	for i := range at {
		at[i] = -1
	}
	for i, k := range kinds {
		at[k] = i
	}
	return at
}

func (e *engine) end(seg, kind int) (slot int, stubs []uint32, n int) {
	n = e.segs[seg].Len(kind)
	switch {
	case !e.shared(kind):
		return seg - 1, nil, n
	case seg == 0:
		return 0, nil, n
	}
	return 0, e.segs[seg].Stubs(kind), n
}

// hopLanes is the lanes of one connection, both ways, made once.
type hopLanes struct{ down, up []lane }

// lanesOf finds the lanes of a connection, away from the root and towards it,
// with the conditions on its edges once those are known.
func (e *engine) lanesOf(h *hop, armed bool) (down, up []lane) {
	c := e.laneCache[h]
	if c == nil {
		c = &hopLanes{down: e.lanes(h.edges, h.in, h.near.kinds, h.far.kinds)}
		c.up = flipAll(c.down)
		e.laneCache[h] = c
	}
	if h.far.onEdge == nil || !armed {
		return c.down, c.up
	}
	down = slices.Clone(c.down)
	e.arm(down, h.far)
	return down, flipAll(down)
}

func (l lane) flip() lane {
	l.out, l.flipped = !l.out, !l.flipped
	l.nearKind, l.farKind = l.farKind, l.nearKind
	l.nearSlot, l.farSlot = l.farSlot, l.nearSlot
	l.nearStubs, l.farStubs = l.farStubs, l.nearStubs
	l.nearLen, l.farLen = l.farLen, l.nearLen
	return l
}

func flipAll(lanes []lane) []lane {
	out := make([]lane, len(lanes))
	for i := range lanes {
		out[i] = lanes[i].flip()
	}
	return out
}

// edges is the far ends of near node i, and where the columns of the jth lie:
// at pos[j], or at first+j where pos is nil.
func (l *lane) edges(i uint32) (far []uint32, first uint32, pos []uint32) {
	if l.out {
		far, first = l.rel.Out(i)
		return far, first, nil
	}
	far, pos = l.rel.In(i)
	return far, 0, pos
}

func at32(first uint32, pos []uint32, j int) uint32 {
	if pos != nil {
		return pos[j]
	}
	return first + uint32(j)
}

// passes applies the conditions on the jth edge from near to far.
func (l *lane) passes(near, far, first uint32, pos []uint32, j int) bool {
	if l.test == nil {
		return true
	}
	if l.flipped {
		return l.test(at32(first, pos, j), near)
	}
	return l.test(at32(first, pos, j), far)
}

// local is a set of shared nodes in a lane's own numbering.
func local(b graph.Bitmap, stubs []uint32, n int) graph.Bitmap {
	if stubs == nil || b == nil {
		return b
	}
	out := graph.NewBitmap(n)
	for stub, i := range stubs {
		if b.Has(i) {
			out.Set(uint32(stub))
		}
	}
	return out
}

// image is the part of within that some node of from is joined to, from the
// lanes' near ends to their far ends.
func (e *engine) image(lanes []lane, from, within nodeSet) nodeSet {
	out := e.empty(within.kinds)
	for i := range lanes {
		l := &lanes[i]
		near := local(from.bits[l.nearKind][l.nearSlot], l.nearStubs, l.nearLen)
		far := local(within.bits[l.farKind][l.farSlot], l.farStubs, l.farLen)
		if near == nil || far == nil {
			continue
		}
		e.tick(l.nearLen/64 + l.farLen/64 + 8)
		hit := e.cross(l, near, far)
		if hit == nil {
			continue
		}
		into := &out.bits[l.farKind][l.farSlot]
		if *into == nil {
			*into = graph.NewBitmap(len(within.bits[l.farKind][l.farSlot]) * 64)
			e.use(len(*into) * 8)
		}
		if l.farStubs == nil {
			into.Or(hit)
			continue
		}
		for stub := range hit.All() {
			into.Set(l.farStubs[stub])
		}
	}
	return out
}

// cross is image within one lane: it pushes from the near nodes or pulls from
// the far ones, where that touches fewer edges.
func (e *engine) cross(l *lane, near, far graph.Bitmap) graph.Bitmap {
	nn, nf := near.Count(), far.Count()
	if nn == 0 || nf == 0 {
		return nil
	}
	hit := graph.NewBitmap(l.farLen)
	edges := float64(l.rel.Len())
	// Each node is looked at, and then its edges.
	pushed := float64(nn) * (1 + edges/float64(l.nearLen))
	// A pull ends at its first hit, the sooner the denser the near nodes are.
	pulled := float64(nf) * (1 + min(edges/float64(l.farLen), float64(l.nearLen)/float64(nn)))
	if pushed <= pulled {
		e.push(l, near, hit)
		hit.And(far)
		return hit
	}
	back := l.flip()
	for f := range far.All() {
		ends, first, pos := back.edges(f)
		e.tick(len(ends) + 1)
		for j, n := range ends {
			if near.Has(n) && back.passes(f, n, first, pos, j) {
				hit.Set(f)
				break
			}
		}
	}
	return hit
}

func (e *engine) push(l *lane, near, hit graph.Bitmap) {
	for n := range near.All() {
		ends, first, pos := l.edges(n)
		e.tick(len(ends) + 1)
		if l.test == nil {
			for _, f := range ends {
				hit.Set(f)
			}
			continue
		}
		for j, f := range ends {
			if !hit.Has(f) && l.passes(n, f, first, pos, j) {
				hit.Set(f)
			}
		}
	}
}

// reach is the part of near that is one to n steps away from a node of goal.
func (e *engine) reach(h *hop, goal, near nodeSet) nodeSet {
	kinds := make([]int, len(e.voc.kinds))
	for i := range kinds {
		kinds[i] = i
	}
	all := e.universe(kinds)
	lanes := flipAll(e.lanes(h.edges, h.in, kinds, kinds))
	frontier, reached := e.empty(kinds), e.empty(kinds)
	for k, kind := range goal.kinds {
		frontier.bits[kind] = goal.bits[k]
	}
	for range h.upTo {
		next := e.image(lanes, frontier, all)
		for k := range next.bits {
			for slot, b := range next.bits[k] {
				if b != nil && reached.bits[k][slot] != nil {
					b.AndNot(reached.bits[k][slot])
				}
			}
		}
		if next.count() == 0 {
			break
		}
		reached.or(next)
		frontier = next
	}
	out := near.clone()
	for k, kind := range near.kinds {
		for slot, b := range out.bits[k] {
			if r := reached.bits[kind][slot]; r == nil {
				out.bits[k][slot] = nil
			} else if b != nil {
				b.And(r)
			}
		}
	}
	return out
}
