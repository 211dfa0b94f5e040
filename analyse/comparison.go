package analyse

import (
	"fmt"
	"hash/fnv"
	"io"
	"reflect"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// comparison is what is the same in two surveys of a cluster.
type comparison struct {
	old, now *survey
	told     map[standing]*telling
	asides   map[strokes]redrawn
	gains    *gains
	since    *graph.Difference
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
	if len(a) != 1 || len(b) != 1 || c.gains.since == nil || b[0] != c.gains.was || a[0] != c.gains.derived {
		return false // something was not computed to its end
	}
	c.since = c.gains.since.Extended(b[0], a[0])
	for kind, k := range c.now.view.Vocabulary().Kinds() {
		var rows, back []int32
		if !k.Shared {
			rows, back = c.since.Rows(kind), c.since.Back(kind)
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
		return n.Kind() == o.Kind() && c.is(n.From, o.From) && c.is(n.To, o.To) && n.Same(o)
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
