package analyse

import (
	"reflect"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
)

// verdict is what a comparison said of a record.
type verdict struct {
	mu    sync.Mutex
	count uint64
	holds bool
}

// checker finds out, for one search, what of what is remembered holds.
type checker struct {
	*comparison
	search *search
	known  [][][]answer // by kind, what is read, and index
	moved  map[read][]group
	// stay says of what is read of a kind's nodes whether all of it is as it was, steps which kinds of steps from a kind's nodes are not.
	stay  map[read]bool
	steps map[int][]int
}

type answer uint8

const (
	unasked answer = iota
	yes
	no
)

// again is what was told of a foothold, if all that it rests on is the same.
func (c *checker) again(f *foothold, chosen []claim) *telling {
	old := c.told[standing{f.class, f.group}]
	if old == nil || old.entering != c.search.entering(f) || !c.isFoothold(f, old.foothold) {
		return nil
	}
	if !slices.EqualFunc(chosen, old.ends, func(now claim, end int32) bool {
		return now.end < 0 && end < 0 || now.end >= 0 && end >= 0 && c.was[now.end] == end
	}) || !c.stands(old.record) {
		return nil
	}
	t := &telling{foothold: f, entering: old.entering, paths: old.paths, shapes: old.shapes, begun: old.begun, records: old.records,
		record: old.record, reused: len(old.paths)}
	for _, claim := range chosen {
		t.ends = append(t.ends, claim.end)
	}
	return t
}

// stands says that all that was read is the same. The record is one of the new graph from then on.
func (c *checker) stands(r *record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count != c.count {
		r.count, r.holds = c.count, false
		r.holds = !r.open && !slices.ContainsFunc(r.parts, func(part *record) bool { return !c.stands(part) }) &&
			c.readsAll(r) &&
			!slices.ContainsFunc(r.proofs, func(p proof) bool { return !c.proves(p) })
		if r.holds {
			c.renew(r)
		}
	}
	return r.holds
}

// renew tells the record's nodes by their new numbers.
func (c *checker) renew(r *record) {
	renewed := func(old read) read {
		if back := c.back[old.kind()]; back != nil {
			return readOf(old.kind(), uint32(back[old.index()]), old.what())
		}
		return old
	}
	for rest := r.reads; len(rest) > 0; {
		if !c.since.Moved(rest[0].kind()) {
			rest = rest[ofOneKind(rest):]
			continue
		}
		rest[0] = renewed(rest[0])
		rest = rest[1:]
	}
	for i, p := range r.proofs {
		r.proofs[i].from, r.proofs[i].to = renewed(p.from), renewed(p.to)
	}
}

// readsAll says that all that was read of nodes is what would be read now.
func (c *checker) readsAll(r *record) bool {
	for rest := r.reads; len(rest) > 0; {
		if c.stays(rest[0]) {
			rest = rest[ofOneKind(rest):]
			continue
		}
		if !c.reads(rest[0], r.toward) {
			return false
		}
		rest = rest[1:]
	}
	return true
}

// ofOneKind is how many reads, which are sorted, are of the same of nodes of one kind as the first.
func ofOneKind(reads []read) int {
	n, _ := slices.BinarySearchFunc(reads, reads[0]>>32, func(r, head read) int {
		if r>>32 <= head {
			return -1
		}
		return 1
	})
	return n
}

// stays says that what is read of a node is as it was for all nodes of the kind, which are where they were.
func (c *checker) stays(one read) bool {
	is, known := c.stay[one>>32]
	if known {
		return is
	}
	kind, what := one.kind(), one.what()
	edge, out := (what-readEdges)/2-1, (what-readEdges)%2 == 0
	switch shared := c.now.view.Vocabulary().Kinds()[kind].Shared; {
	case shared:
		is = what == readProperties && c.since.SameShared()
	case c.since.Moved(kind):
	case what == readProperties:
		is = c.since.Nodes(graph.Before, kind) == nil && c.since.Nodes(graph.After, kind) == nil
	case what == readSteps:
		is = len(c.stepsFrom(kind)) == 0
	default:
		is = c.since.EdgesStay(kind, edge, out)
	}
	if c.stay == nil {
		c.stay = map[read]bool{}
	}
	c.stay[one>>32] = is
	return is
}

// stepsFrom are the kinds of steps of which some from a kind's nodes are different.
func (c *checker) stepsFrom(kind int) []int {
	out, known := c.steps[kind]
	if !known {
		for _, name := range stepKinds() {
			if edge := c.now.view.Vocabulary().EdgeIndex(name); !c.since.EdgesStay(kind, edge, true) {
				out = append(out, edge)
			}
		}
		if c.steps == nil {
			c.steps = map[int][]int{}
		}
		c.steps[kind] = out
	}
	return out
}

// goesOn says that a node's steps are those of before, as far as that is seen at once.
func (c *checker) goesOn(kind int, is graph.Node) bool {
	return !is.Segment().Shared() &&
		!slices.ContainsFunc(c.stepsFrom(kind), func(edge int) bool { return c.since.EdgesDiffer(kind, is.Index(), edge, true) })
}

// reads says that what was read of a node is what it would read now.
func (c *checker) reads(one read, toward []aimed) bool {
	if one.what() == readSteps {
		_, is, there := c.nodes(one.kind(), one.index())
		return there && (c.goesOn(one.kind(), is) || !slices.ContainsFunc(c.moves(one), func(g group) bool {
			return slices.ContainsFunc(toward, func(a aimed) bool { return a.group == g || a.kind && a.group.kind == g.kind })
		}))
	}
	kind, what, i := one.kind(), one.what(), int(one.index())
	for len(c.known) <= kind {
		c.known = append(c.known, nil)
	}
	for len(c.known[kind]) <= what {
		c.known[kind] = append(c.known[kind], nil)
	}
	if more := i + 1 - len(c.known[kind][what]); more > 0 {
		c.known[kind][what] = append(c.known[kind][what], make([]answer, max(more, len(c.known[kind][what]), 64))...)
	}
	at := &c.known[kind][what][i]
	if *at == unasked {
		*at = no
		if c.compareRead(kind, what, uint32(i)) {
			*at = yes
		}
	}
	return *at == yes
}

func (c *checker) compareRead(kind, what int, i uint32) bool {
	was, is, there := c.nodes(kind, i)
	edge, out := (what-readEdges)/2-1, (what-readEdges)%2 == 0
	switch {
	case !there:
		return false
	case what == readProperties && is.Segment().Shared():
		return is.Same(was)
	case what == readProperties:
		return !c.since.NodeDiffers(kind, is.Index())
	case !is.Segment().Shared():
		return !c.since.EdgesDiffer(kind, is.Index(), edge, out)
	}
	name := ""
	if edge >= 0 {
		name = c.now.view.Vocabulary().Edges()[edge].Name
	}
	return c.areEdges(edgesOf(is, name, out), edgesOf(was, name, out))
}

func edgesOf(n graph.Node, kind string, out bool) []graph.Edge {
	if out {
		return slices.Collect(n.Out(kind))
	}
	return slices.Collect(n.In(kind))
}

// proves says that an edge is there, and has the same evidence.
func (c *checker) proves(p proof) bool {
	_, from, there := c.nodes(p.from.kind(), p.from.index())
	_, to, too := c.nodes(p.to.kind(), p.to.index())
	if !there || !too {
		return false
	}
	if !c.gains.touched(p.of, from, to) {
		return true
	}
	for e := range from.On(c.search.view).Out(p.of.edge) {
		if e.To == to.On(c.search.view) && e.Value("rule").Str() == p.of.ID {
			return reflect.DeepEqual(c.search.facts.of(p.of, e), p.said)
		}
	}
	return false
}

// moves are the groups to which a node's steps are not those of before.
func (c *checker) moves(one read) []group {
	out, known := c.moved[one]
	if known {
		return out
	}
	was, is, there := c.nodes(one.kind(), one.index())
	for _, kind := range stepKinds() {
		edge := c.now.view.Vocabulary().EdgeIndex(kind)
		if there && !is.Segment().Shared() && !c.since.EdgesDiffer(one.kind(), is.Index(), edge, true) {
			continue
		}
		before := edgesOf(was, kind, true)
		var now []graph.Edge
		if there {
			now = edgesOf(is, kind, true)
		}
		if c.areEdges(now, before) {
			continue
		}
		at := map[read][]graph.Edge{} // old ones, by where they lead
		for _, e := range before {
			k := readOf(e.To.KindIndex(), e.To.Index(), 0)
			at[k] = append(at[k], e)
		}
		for _, e := range now {
			if old, there := c.before(e.To); there {
				k := readOf(old.KindIndex(), old.Index(), 0)
				if i := slices.IndexFunc(at[k], e.Same); i >= 0 {
					at[k] = slices.Delete(at[k], i, i+1)
					continue
				}
			}
			out = append(out, groupOf(e.To))
		}
		for _, left := range at {
			for _, e := range left {
				out = append(out, groupOf(e.To))
			}
		}
	}
	if c.moved == nil {
		c.moved = map[read][]group{}
	}
	c.moved[one] = out
	return out
}

// retelling finds what was told of a foothold that is told as it was, path by path.
type retelling struct {
	*checker
	telling *telling
}

// retelling is that of a foothold which is the same, though what is walked from it is not; nil if it is another.
func (c *checker) retelling(f *foothold) *retelling {
	if c.comparison == nil || !c.steady {
		return nil
	}
	old := c.told[standing{f.class, f.group}]
	if old == nil || old.entering != c.search.entering(f) || !c.isFoothold(f, old.foothold) || !c.stands(old.begun) {
		return nil
	}
	return &retelling{c, old}
}

// path is what was told where the same was drawn, and what was read for it; no record if nothing is to be told again.
func (r *retelling) path(drawn *shape) (Path, *record) {
	if r == nil {
		return Path{}, nil
	}
	for i := range r.telling.shapes {
		if drawn.equals(&r.telling.shapes[i]) {
			if r.stands(r.telling.records[i]) {
				return r.telling.paths[i], r.telling.records[i]
			}
			break
		}
	}
	return Path{}, nil
}
