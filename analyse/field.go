package analyse

import (
	"cmp"
	"slices"
)

// field is the ground with individuals that are alike put together: those of one
// group whose steps lead to the same places, by the same techniques, at the same
// cost. Every individual of a patch can take every step of the patch, so a route
// through patches is one that individuals walk, and its cost is theirs.
type field struct {
	*ground
	patch   []int32   // of each individual
	members [][]int32 // of each patch, in order
	told    [][]int32 // the individuals of each group
	off     []int32
	arcs    []arc
	in      []back // steps to i: in[inOff[i]:inOff[i+1]]
	inOff   []int32
	back    []back // steps to a patch, in the same way
	backOff []int32
}

// newField puts together what is alike: all individuals of a group to begin with,
// then patches are parted until the steps of all in a patch lead to the same
// patches. Only what leads to a part that is new is looked at again, and the
// largest part keeps the patch's number, so that each step is looked at about
// log n times.
func newField(g *ground) *field {
	f := &field{ground: g, patch: slices.Clone(g.group)}
	n := len(g.nodes)
	f.in, f.inOff = g.reversed()
	f.members = make([][]int32, len(g.groups))
	for i := range n {
		f.members[g.group[i]] = append(f.members[g.group[i]], int32(i))
	}
	f.told = slices.Clone(f.members)
	marks := make([]uint64, n)
	stale, queued := make([]int32, n), make([]bool, n)
	for i := range n {
		stale[i], queued[i] = int32(i), true
	}
	var scratch []uint64
	for len(stale) > 0 {
		var touched []int32
		for _, i := range stale {
			queued[i] = false
			marks[i], scratch = f.mark(i, scratch)
			touched = append(touched, f.patch[i])
		}
		slices.Sort(touched)
		stale = nil
		for _, p := range slices.Compact(touched) {
			for _, moved := range f.part(p, marks) {
				for _, b := range f.before(moved) {
					if !queued[b.from] {
						queued[b.from] = true
						stale = append(stale, b.from)
					}
				}
			}
		}
		slices.Sort(stale)
	}
	f.join()
	return f
}

// back is a step, seen from where it leads.
type back struct {
	from int32
	kind int16
}

// reversed are the steps to each individual.
func (g *ground) reversed() (in []back, off []int32) { return reversed(len(g.nodes), g.arcs, g.arcsOf) }

func reversed(n int, arcs []arc, of func(int32) []arc) (in []back, off []int32) {
	off = make([]int32, n+1)
	for _, a := range arcs {
		off[a.to+1]++
	}
	for i := range n {
		off[i+1] += off[i]
	}
	in, next := make([]back, len(arcs)), slices.Clone(off)
	for i := range n {
		for _, a := range of(int32(i)) {
			in[next[a.to]] = back{int32(i), a.kind}
			next[a.to]++
		}
	}
	return in, off
}

// mark is a number made of where an individual's steps lead: equal for those that
// are alike.
func (f *field) mark(i int32, all []uint64) (uint64, []uint64) {
	all = all[:0]
	for _, a := range f.arcsOf(i) {
		all = append(all, mixed(uint64(uint32(f.patch[a.to]))<<32|uint64(uint16(a.rule))<<16|uint64(uint16(a.kind))<<12^uint64(a.cost)))
	}
	slices.Sort(all)
	sum := uint64(0)
	for _, x := range slices.Compact(all) {
		sum = mixed(sum ^ x)
	}
	return sum, all
}

// mixed spreads a number over all bits (splitmix64).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// part splits a patch by its members' marks. The largest part stays; the others
// get numbers of their own and are returned.
func (f *field) part(p int32, marks []uint64) (moved []int32) {
	all := f.members[p]
	if len(all) == 1 || !slices.ContainsFunc(all, func(i int32) bool { return marks[i] != marks[all[0]] }) {
		return nil
	}
	slices.SortFunc(all, func(a, b int32) int { return cmp.Or(cmp.Compare(marks[a], marks[b]), cmp.Compare(a, b)) })
	var parts [][]int32
	for len(all) > 0 {
		end := slices.IndexFunc(all, func(i int32) bool { return marks[i] != marks[all[0]] })
		if end < 0 {
			end = len(all)
		}
		parts, all = append(parts, all[:end:end]), all[end:]
	}
	slices.SortFunc(parts, func(a, b []int32) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0], b[0])) })
	f.members[p] = parts[0]
	for _, part := range parts[1:] {
		for _, i := range part {
			f.patch[i] = int32(len(f.members))
		}
		f.members = append(f.members, part)
		moved = append(moved, part...)
	}
	return moved
}

// join draws the steps of patches: those of any one of its members.
func (f *field) join() {
	f.off = make([]int32, 1, len(f.members)+1)
	for _, m := range f.members {
		start := len(f.arcs)
		if len(m) > 0 {
			for _, a := range f.ground.arcsOf(m[0]) {
				a.to = f.patch[a.to]
				f.arcs = append(f.arcs, a)
			}
		}
		own := f.arcs[start:]
		slices.SortFunc(own, func(a, b arc) int {
			return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.cost, b.cost), cmp.Compare(a.rule, b.rule), cmp.Compare(a.kind, b.kind))
		})
		f.arcs = f.arcs[:start+len(slices.Compact(own))]
		f.off = append(f.off, int32(len(f.arcs)))
	}
}

// before are the steps to an individual.
func (f *field) before(i int32) []back { return f.in[f.inOff[i]:f.inOff[i+1]] }

func (f *field) steps(patch int32) []arc { return f.arcs[f.off[patch]:f.off[patch+1]] }

// stepsTo are the steps to a patch.
func (f *field) stepsTo(patch int32) []back { return f.back[f.backOff[patch]:f.backOff[patch+1]] }

// goalOf is the goal that a patch is, if it is one.
func (f *field) goalOf(patch int32) *goal { return f.goals[f.members[patch][0]] }

// groupOf is the group of a patch's members.
func (f *field) groupOf(patch int32) int32 { return f.group[f.members[patch][0]] }
