package analyse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

// maxPaths is how many paths of a cluster are told, the worst; more are a gap that counts them.
const maxPaths = 20_000

// search finds the paths of one cluster: for each foothold, what it leads to. It
// walks individuals and tells groups.
type search struct {
	*survey
	view   *graph.View // the survey's, or one whose reads are noted
	unseen []string
	memory *Memory // of what was told before; nil: all is told anew
	// remembered finds what of it holds; nil: nothing is known.
	remembered *checker
	gains      *gains // of which the steps are
	reader     reader
	prints     []uint64 // a number of each patch that is the same in every survey
	// near are the patches of what the internet is known to get into.
	near []bool
	most int // paths that are told
	left int // paths beyond them
	gaps []collect.Gap

	// What follows was made once and is used again.
	walk    *walk
	groups  map[graph.Node]group
	facts   *evidence
	trail   trail
	asides  map[[2]place]redrawn
	blasts  map[stand]blast
	drawing *picture
	badges  []badges // of each individual of the field
	// standing says, of each individual, when it last stood somewhere.
	standing []uint32
	stood    uint32
}

func newSearch(on *survey, unseen []string) *search {
	s := &search{survey: on, view: on.view, unseen: unseen, most: maxPaths, walk: newWalk(on.field), groups: map[graph.Node]group{},
		asides: map[[2]place]redrawn{}, blasts: map[stand]blast{}, badges: make([]badges, len(on.field.nodes)),
		standing: make([]uint32, len(on.field.nodes))}
	s.trail = trail{steps: map[taken]*hop{}, own: map[taken]*hop{}}
	s.facts = newEvidence(s)
	s.drawing = newPicture(s.walk)
	return s
}

// run finds the paths from the footholds that the graph tells.
func (s *search) run(ctx context.Context) ([]Path, error) { return s.follow(ctx, s.footholds()) }

// follow finds what footholds lead to and tells the worst of it, worst first.
func (s *search) follow(ctx context.Context, footholds []*foothold) ([]Path, error) {
	s.near = make([]bool, len(s.field.members))
	for _, f := range footholds {
		s.sortHeld(f)
		if f.class == Known {
			for _, p := range s.starts(f) {
				s.near[p] = true
			}
		}
	}
	workers := s.workers()
	found := make([]worst, len(workers))
	before, same := s.memory.against(s), make([]bool, len(footholds))
	for _, w := range workers {
		w.prints = s.prints
	}
	err := share(ctx, len(workers), len(footholds), func(worker, i int) {
		found[worker].most = s.most
		workers[worker].find(footholds[i], int32(i), &found[worker])
		same[i] = before.walks(workers[worker], footholds[i])
	})
	if err != nil {
		return nil, err
	}
	tell := gathered(s.most, found)
	s.left = tell.left
	chosen := tell.byFoothold()
	told, seen := make([]*telling, len(chosen)), make([]checker, len(workers))
	for i, w := range workers {
		w.listen()
		seen[i] = checker{comparison: before, search: w}
		w.remembered = &seen[i]
	}
	order := longestFirst(chosen, same)
	err = share(ctx, len(workers), len(chosen), func(worker, i int) {
		i = order[i]
		at := chosen[i][0].foothold
		if same[at] {
			told[i] = seen[worker].again(footholds[at], chosen[i])
		}
		if told[i] == nil {
			told[i] = workers[worker].tell(footholds[at], chosen[i], seen[worker].retelling(footholds[at]))
		}
	})
	if err != nil {
		return nil, err
	}
	s.memory.keep(s, told, before.kept(workers))
	if s.left > 0 {
		s.gaps = append(s.gaps, collect.Gap{Cluster: s.cluster(), Source: "analyse", What: "attack paths", Kinds: []string{"CAN_EXPLOIT"},
			Why:         fmt.Sprintf("there are %d more than the %d that are told", s.left, s.most),
			Consequence: "Attack paths beyond them are not listed; how much each workload and identity reaches is told by its blast radius."})
	}
	var paths []Path
	for _, t := range told {
		paths = append(paths, t.paths...)
	}
	slices.SortFunc(paths, func(a, b Path) int {
		return cmp.Or(cmp.Compare(b.RiskScore, a.RiskScore), strings.Compare(a.Title, b.Title), strings.Compare(a.ID, b.ID))
	})
	return paths, nil
}

// longestFirst is in which order footholds are told, so that the last worker does not work long alone: those from which
// all is walked as it was are only looked through.
func longestFirst(chosen [][]claim, same []bool) []int {
	order := make([]int, len(chosen))
	for i := range order {
		order[i] = i
	}
	work := func(i int) int {
		if same[chosen[i][0].foothold] {
			return 0
		}
		return len(chosen[i])
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(work(b), work(a)) })
	return order
}

func (s *search) cluster() string {
	for _, seg := range s.view.Clusters() {
		return seg.Name()
	}
	return ""
}

func (s *search) groupOf(n graph.Node) group {
	if s.reader.record != nil && toldByOwner(n) {
		s.reader.Properties(n)
	}
	if i := s.field.find(n); i >= 0 {
		return s.field.groups[s.field.group[i]]
	}
	g, known := s.groups[n]
	if !known {
		g = groupOf(n)
		s.groups[n] = g
	}
	return g
}

// sortHeld sorts what a foothold holds, once all of it is known.
func (s *search) sortHeld(f *foothold) {
	f.all = f.all.sorted()
	if len(f.entered.edges) > 0 {
		s.order(&f.entered)
	}
}

// find notes every path from a foothold: to itself, where entering it is what a
// type of paths means, and to each goal that it leads to.
func (s *search) find(f *foothold, number int32, found *worst) {
	points := s.points(f)
	if p := s.entering(f); p != nil {
		found.note(claim{foothold: number, end: -1, worth: int32(points + p.Gain)})
	}
	for _, end := range s.goals(f) {
		found.note(claim{foothold: number, end: end, worth: int32(points) + s.worth(end)})
	}
}

// goals walks to those of a foothold: the cheapest patch of each.
func (s *search) goals(f *foothold) (out []int32) {
	starts := s.starts(f)
	if !slices.ContainsFunc(starts, s.reach.some) {
		return nil
	}
	s.walk.near = nil
	if f.class == Possible {
		s.walk.near = s.near
	}
	s.walk.from(starts)
	seen := make([]bool, len(s.field.aimed))
	for _, p := range s.walk.reached {
		if g := s.field.goalOf(p); g != nil && !seen[g.told] && f.wants(g) {
			seen[g.told] = true
			out = append(out, p)
		}
	}
	return out
}

// tell writes the chosen paths of a foothold. What was told before, if anything, is told again where it is the same.
func (s *search) tell(f *foothold, chosen []claim, before *retelling) *telling {
	t := &telling{foothold: f, entering: s.entering(f)}
	if s.memory != nil {
		t.record = &record{}
		s.reader.record = t.record
		defer func() { s.reader.record = nil; t.record.whole() }()
		f = f.on(s.view)
	}
	s.goals(f)
	s.trail.next()
	begun := sync.OnceValue(func() (w *writer) {
		s.reader.apart(&t.begun, func() { w = s.begin(f) })
		return w
	})
	pic := s.picture(f, chosen)
	for _, c := range chosen {
		var k *sketch
		if c.end >= 0 {
			k = s.sketch(f, pic, c.end)
		}
		t.ends = append(t.ends, c.end)
		if s.memory == nil {
			t.paths = append(t.paths, s.write(begun(), f, t.entering, k))
			continue
		}
		drawn := s.shapeOf(k)
		if p, read := before.path(&drawn); read != nil {
			t.add(p, drawn, read)
			s.reader.again(read)
			t.reused++
			continue
		}
		w, read := begun(), (*record)(nil)
		s.reader.apart(&read, func() {
			p := s.write(w, f, t.entering, k)
			p.rests = read
			t.add(p, drawn, read)
		})
	}
	if t.begun == nil && before != nil {
		t.begun = before.telling.begun
		s.reader.again(t.begun)
	}
	return t
}

// write tells one path: to what a sketch leads to, or of who is there already.
func (s *search) write(begun *writer, f *foothold, entering *pathType, k *sketch) Path {
	if k == nil {
		return begun.write(entering, f.group, nil, nil)
	}
	goal := s.field.goalOf(k.route[len(k.route)-1])
	return begun.write(goal.of, goal.group, s.retrace(f, k.route), k)
}

// picture draws what leads to the goals that are told.
func (s *search) picture(f *foothold, chosen []claim) *picture {
	var told []int32
	for _, c := range chosen {
		if c.end >= 0 {
			told = append(told, c.end)
		}
	}
	if len(told) > 0 {
		s.drawing.draw(f, s.starts(f), told)
	}
	return s.drawing
}

// starts are the patches that a foothold stands on.
func (s *search) starts(f *foothold) (out []int32) {
	for _, n := range f.walks {
		if i := s.field.find(n); i >= 0 {
			out = append(out, s.field.patch[i])
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// wants says whether a goal is one for this foothold.
func (f *foothold) wants(g *goal) bool {
	own := f.all[0]
	switch g.of.Only {
	case sameWorkload:
		return g.group != f.group && own.Kind() == "Container" && g.workload == workloadOf(own).ID()
	case otherNamespace:
		return own.Text("namespace") != g.namespace
	}
	return g.group != f.group
}

// entering is the type of the path that ends where it begins: with code in the first
// container, or with what it discloses. Nil if that is none.
func (s *search) entering(f *foothold) *pathType {
	if len(f.entered.edges) == 0 {
		return nil
	}
	way := byNetwork
	if len(f.arrivals) > 0 {
		way = f.arrivals[0].way
	}
	for i, p := range s.types {
		if p.Only != otherNamespace && (p.Arrival == "" || p.Arrival == way) && slices.Contains(p.Arrive, f.entered.edge) &&
			slices.ContainsFunc(f.entered.members, func(n graph.Node) bool { return s.targets.has(i, n) }) {
			return p
		}
	}
	return nil
}

// within evaluates a query on some nodes only.
func (s *search) within(q *query.Query, nodes map[string][]graph.Node, yield func(query.Binding) bool) {
	// The queries are those of rules that ran on this graph a moment ago.
	_ = query.MatchWith(background(), s.view, graph.Everything, q, query.Options{Within: nodes}, yield)
}
