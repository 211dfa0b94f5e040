package analyse

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
)

// Memory is what was told of one cluster the last time, with what was read for it. Where a foothold is the same,
// what is walked from it is the same, and all that was read of the graph is the same, the paths from it are the same:
// they are told again, not anew. Whatever cannot be seen to be so is told anew. It is used by one computation after
// the other.
type Memory struct {
	on     *survey
	near   []bool
	unseen []string
	told   map[standing]*telling
	count  uint64 // of computations
	// Reused is how many paths were told again the last time, Told how many there were.
	Reused, Told int
}

// standing is a foothold by what it is told as.
type standing struct {
	class string
	group group
}

// telling is the paths from a foothold that are told, and what they rest on.
type telling struct {
	foothold *foothold
	entering *pathType // the type of the path that ends in the foothold
	ends     []int32   // patches of the goals; -1 is the foothold
	paths    []Path
	shapes   []shape // of each path
	// What was read for what all paths begin with, for each path, and for all of it.
	begun   *record
	records []*record
	record  *record
	reused  int // paths that were told again
}

func (t *telling) add(p Path, drawn shape, read *record) {
	t.paths, t.shapes, t.records = append(t.paths, p), append(t.shapes, drawn), append(t.records, read)
}

// keep remembers what a search told.
func (m *Memory) keep(s *search, all []*telling) {
	if m == nil {
		return
	}
	m.on, m.near, m.unseen, m.told = s.survey, s.near, s.unseen, make(map[standing]*telling, len(all))
	m.Reused, m.Told = 0, 0
	for _, t := range all {
		m.told[standing{t.foothold.class, t.foothold.group}] = t
		m.Told, m.Reused = m.Told+len(t.paths), m.Reused+t.reused
	}
}

// against compares a search with what is remembered; nil if that is nothing, or nothing of use. Until the search is
// kept nothing is remembered.
func (m *Memory) against(s *search) *comparison {
	if m == nil {
		return nil
	}
	s.prints = s.field.prints()
	c := &comparison{old: m.on, now: s.survey, told: m.told, count: m.count + 1}
	m.count++
	m.on, m.told = nil, nil
	if c.old == nil || c.old.rules != s.rules || !slices.Equal(m.unseen, s.unseen) || !c.align() {
		return nil
	}
	c.compare(m.near, s.near)
	c.steady = c.keepsGroups() && c.keepsTargets()
	return c
}

// comparison is what is the same in two surveys of a cluster.
type comparison struct {
	old, now *survey
	told     map[standing]*telling
	count    uint64
	// rows says, by kind, in which row of the old segment each node of the new one stood, back the contrary. Shared
	// nodes keep theirs.
	rows, back [][]int32
	was        []int32 // of each patch, which it was; -1: none
	// same patches have the same members, and steps to the same patches; the order of their numbers is the same,
	// so that what is decided by numbers is decided as before. Of near ones the steps are also those that who may
	// take a shorter way from the internet leaves out.
	same, near []bool
	// steady says that no node came to another group, or is a target for other paths.
	steady bool
}

// align finds each node's row in the other segment.
func (c *comparison) align() bool {
	a, b := c.now.view.Clusters(), c.old.view.Clusters()
	if len(a) != 1 || len(b) != 1 || a[0].Name() != b[0].Name() {
		return false
	}
	for kind, k := range c.now.view.Vocabulary().Kinds() {
		var rows, back []int32
		if !k.Shared {
			rows, back = a[0].Rows(kind, b[0]), b[0].Rows(kind, a[0])
		}
		c.rows, c.back = append(c.rows, rows), append(c.back, back)
	}
	return true
}

// before is the old node that a new one was.
func (c *comparison) before(n graph.Node) (graph.Node, bool) {
	kind, i := n.KindIndex(), n.Index()
	if n.Segment().Shared() {
		shared := c.old.view.Shared()
		was := c.old.view.At(shared, kind, i)
		return was, shared == n.Segment() || int(i) < shared.Len(kind) && was.ID() == n.ID()
	}
	was := c.rows[kind][i]
	if was < 0 {
		return graph.Node{}, false
	}
	return c.old.view.At(c.old.view.Clusters()[0], kind, uint32(was)), true
}

// nodes are an old node and what it is now.
func (c *comparison) nodes(kind int, i uint32) (was, is graph.Node, there bool) {
	if c.back[kind] == nil {
		is = c.now.view.At(c.now.view.Shared(), kind, i)
		if int(i) >= c.now.view.Shared().Len(kind) {
			return was, is, false
		}
		was, there = c.before(is)
		return was, is, there
	}
	was = c.old.view.At(c.old.view.Clusters()[0], kind, i)
	now := c.back[kind][i]
	if now < 0 {
		return was, is, false
	}
	return was, c.now.view.At(c.now.view.Clusters()[0], kind, uint32(now)), true
}

// is says that a new node was the old one.
func (c *comparison) is(now, old graph.Node) bool {
	was, there := c.before(now)
	return there && was.KindIndex() == old.KindIndex() && was.Index() == old.Index()
}

func (c *comparison) areNodes(now, old []graph.Node) bool {
	return slices.EqualFunc(now, old, c.is)
}

// areEdges says that edges join the same nodes, and say the same.
func (c *comparison) areEdges(now, old []graph.Edge) bool {
	return slices.EqualFunc(now, old, func(n, o graph.Edge) bool {
		return n.Kind() == o.Kind() && c.is(n.From, o.From) && c.is(n.To, o.To) && n.Alike(o)
	})
}

// compare finds the patches that are the same.
func (c *comparison) compare(wasNear, near []bool) {
	f, o := c.now.field, c.old.field
	goals := map[goalIdentity]int32{}
	for i, g := range o.goals {
		if g != nil {
			goals[g.identity()] = int32(i)
		}
	}
	was := make([]int32, len(f.nodes)) // of each individual
	for i, n := range f.nodes {
		was[i] = -1
		if g := f.goals[i]; g != nil {
			if at, there := goals[g.identity()]; there {
				was[i] = at
			}
		} else if old, there := c.before(n); there {
			was[i] = o.find(old)
		}
	}
	c.was, c.same, c.near = make([]int32, len(f.members)), make([]bool, len(f.members)), make([]bool, len(f.members))
	for p, members := range f.members {
		c.was[p] = -1
		if len(members) == 0 || was[members[0]] < 0 {
			continue
		}
		q := o.patch[was[members[0]]]
		if slices.EqualFunc(members, o.members[q], func(now, old int32) bool { return was[now] == old }) &&
			f.groups[f.groupOf(int32(p))] == o.groups[o.groupOf(q)] {
			c.was[p] = q
		}
	}
	for p, q := range c.was {
		c.same[p] = q >= 0 && slices.EqualFunc(f.steps(int32(p)), o.steps(q), func(now, old arc) bool {
			to := c.was[now.to]
			return to >= 0 && to == old.to && now.cost == old.cost && now.rule == old.rule && now.kind == old.kind
		})
	}
	c.order()
	for p, same := range c.same {
		c.near[p] = same && (f.groups[f.groupOf(int32(p))].kind != "NetClass" ||
			!slices.ContainsFunc(f.steps(int32(p)), func(a arc) bool { return near[a.to] != wasNear[c.was[a.to]] }))
	}
}

// goalIdentity is what makes a goal the same.
type goalIdentity struct {
	of                  *pathType
	group               group
	namespace, workload string
}

func (g *goal) identity() goalIdentity {
	return goalIdentity{g.of, g.group, g.namespace, g.workload}
}

// order leaves those the same whose numbers are in the order in which they were: as many as can be (the longest
// increasing subsequence).
func (c *comparison) order() {
	var last []int32 // patches with which the best sequences of each length end
	before := make([]int32, len(c.was))
	for p, is := range c.same {
		if !is {
			continue
		}
		at, _ := slices.BinarySearchFunc(last, c.was[p], func(p, was int32) int { return int(c.was[p]) - int(was) })
		before[p] = -1
		if at > 0 {
			before[p] = last[at-1]
		}
		if at == len(last) {
			last = append(last, int32(p))
		} else {
			last[at] = int32(p)
		}
	}
	clear(c.same)
	if len(last) > 0 {
		for p := last[len(last)-1]; p >= 0; p = before[p] {
			c.same[p] = true
		}
	}
}

// walks says that what a search walked last, from a foothold, is the same as it was.
func (c *comparison) walks(s *search, f *foothold) bool {
	if c == nil {
		return false
	}
	same := c.same
	if f.class == Possible {
		same = c.near
	}
	all := func(patches []int32) bool {
		return !slices.ContainsFunc(patches, func(p int32) bool { return !same[p] })
	}
	starts := s.starts(f)
	return all(starts) && (!slices.ContainsFunc(starts, s.reach.some) || all(s.walk.reached))
}

// isFoothold says that a foothold is the same as it was, but for what its nodes say.
func (c *comparison) isFoothold(now, old *foothold) bool {
	ground := func(n, o graph.Node) bool { return (c.now.field.find(n) < 0) == (c.old.field.find(o) < 0) }
	return now.doubt == old.doubt && now.anonymous == old.anonymous && reflect.DeepEqual(now.entry, old.entry) &&
		c.areNodes(now.all, old.all) && c.areNodes(now.walks, old.walks) && slices.EqualFunc(now.walks, old.walks, ground) &&
		c.isHop(&now.entered, &old.entered) && slices.EqualFunc(now.arrivals, old.arrivals, func(n, o arrival) bool {
		return n.way == o.way && slices.EqualFunc(n.hops, o.hops, func(n, o hop) bool { return c.isHop(&n, &o) })
	})
}

func (c *comparison) isHop(now, old *hop) bool {
	return now.group == old.group && now.edge == old.edge && slices.Equal(now.kinds, old.kinds) && slices.Equal(now.rules, old.rules) &&
		c.areNodes(now.members, old.members) && c.areEdges(now.edges, old.edges)
}

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
			!slices.ContainsFunc(r.reads, func(one read) bool { return !c.reads(one, r.toward) }) &&
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
	for i, one := range r.reads {
		r.reads[i] = renewed(one)
	}
	for i, p := range r.proofs {
		r.proofs[i].from, r.proofs[i].to = renewed(p.from), renewed(p.to)
	}
}

// reads says that what was read of a node is what it would read now.
func (c *checker) reads(one read, toward []aimed) bool {
	if one.what() == readSteps {
		_, _, there := c.nodes(one.kind(), one.index())
		return there && !slices.ContainsFunc(c.moves(one), func(g group) bool {
			return slices.ContainsFunc(toward, func(a aimed) bool { return a.group == g || a.kind && a.group.kind == g.kind })
		})
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
	switch {
	case !there:
		return false
	case what == readProperties:
		return is.Alike(was)
	}
	edge, out := (what-readEdges)/2-1, (what-readEdges)%2 == 0
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
				if i := slices.IndexFunc(at[k], e.Alike); i >= 0 {
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

// keepsGroups says that each node that is told by its owner is told by the same.
func (c *comparison) keepsGroups() bool {
	for _, kind := range []string{"Pod", "Container", "Node"} {
		for n := range c.now.view.Nodes(kind) {
			was, there := c.before(n)
			if there && (n.Text("workload") != was.Text("workload") || n.Text("name") != was.Text("name") ||
				n.Text("namespace") != was.Text("namespace") || n.Value("controlPlane").Bool() != was.Value("controlPlane").Bool()) {
				return false
			}
		}
	}
	return true
}

// keepsTargets says that each node is a target for the same types of paths.
func (c *comparison) keepsTargets() bool {
	for _, k := range c.now.view.Vocabulary().Kinds() {
		for n := range c.now.view.Nodes(k.Name) {
			if was, there := c.before(n); there && !slices.Equal(c.now.targets.of(n), c.old.targets.of(was)) {
				return false
			}
		}
	}
	return true
}

// prints are numbers made of what patches are: equal for those of the same members in every survey.
func (f *field) prints() []uint64 {
	out := make([]uint64, len(f.members))
	for p, members := range f.members {
		h := fnv.New64a()
		for _, i := range members {
			if g := f.goals[i]; g != nil {
				fmt.Fprintln(h, "goal", g.of.ID, g.group, g.namespace, g.workload)
			} else {
				_, _ = io.WriteString(h, f.nodes[i].Kind())
				_, _ = io.WriteString(h, f.nodes[i].ID())
				_, _ = io.WriteString(h, "\n")
			}
		}
		if len(members) > 0 {
			g := f.groups[f.group[members[0]]]
			fmt.Fprint(h, g.kind, g.id, g.role)
		}
		out[p] = h.Sum64()
	}
	return out
}
