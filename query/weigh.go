package query

import (
	"math"
	"math/bits"
)

// weights is a number for each node of some kinds, by kind, slot and index; a
// missing slot is zero.
type weights [][][]uint64

func (w weights) at(k, slot int, i uint32) uint64 {
	if list := w[k][slot]; list != nil {
		return list[i]
	}
	return 0
}

// plus and times stay at the top instead of going round.
func plus(a, b uint64) uint64 {
	if s := a + b; s >= a {
		return s
	}
	return math.MaxUint64
}

func times(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

// sums is, for each near node of a set, the sum of its far ends' weights over
// the matching edges; without weights each edge counts one.
func (e *engine) sums(lanes []lane, near, far nodeSet, weight func(k, slot int, i uint32) uint64) weights {
	out := make(weights, len(near.kinds))
	for k := range out {
		out[k] = make([][]uint64, len(near.bits[k]))
	}
	for i := range lanes {
		l := &lanes[i]
		nearBits := local(near.bits[l.nearKind][l.nearSlot], l.nearStubs, l.nearLen)
		farBits := far.bits[l.farKind][l.farSlot]
		if nearBits == nil || farBits == nil {
			continue
		}
		into := &out[l.nearKind][l.nearSlot]
		if *into == nil {
			n := len(near.bits[l.nearKind][l.nearSlot]) * 64
			e.use(8 * n)
			*into = make([]uint64, n)
		}
		e.tick(l.nearLen/64 + 8)
		for n := range nearBits.All() {
			at := n
			if l.nearStubs != nil {
				at = l.nearStubs[n]
			}
			(*into)[at] = plus((*into)[at], e.sumOf(l, n, farBits, weight))
		}
	}
	return out
}

func (e *engine) sumOf(l *lane, n uint32, far []uint64, weight func(k, slot int, i uint32) uint64) uint64 {
	sum := uint64(0)
	ends, first, pos := l.edges(n)
	e.tick(len(ends) + 1)
	for j, f := range ends {
		at := f
		if l.farStubs != nil {
			at = l.farStubs[f]
		}
		if far[at>>6]&(1<<(at&63)) == 0 || !l.passes(n, f, first, pos, j) {
			continue
		}
		if weight == nil {
			sum++
			continue
		}
		sum = plus(sum, weight(l.farKind, l.farSlot, at))
	}
	return sum
}

// tally is how many rows each node of a variable begins, looking away from
// where the walk came from. counted, if set, counts only rows in which that
// variable is not null.
type tally struct {
	below []*walk
	sums  []weights
	null  []uint64 // rows of a branch that matches nothing: 1 if optional
}

func (e *engine) tally(w *walk, counted *variable) *tally {
	t := &tally{}
	for _, b := range w.below {
		t.add(e, w, b, counted)
	}
	return t
}

func (t *tally) add(e *engine, w, b *walk, counted *variable) {
	inner := e.tally(b, counted)
	weight := inner.of
	if len(inner.below) == 0 {
		weight = nil
	}
	null := uint64(0)
	if b.optional && (counted == nil || !b.holds(counted)) {
		null = 1
	}
	t.below = append(t.below, b)
	t.sums = append(t.sums, e.sums(b.lanes, e.sets[w.v.id], e.sets[b.v.id], weight))
	t.null = append(t.null, null)
}

func (t *tally) of(k, slot int, i uint32) uint64 {
	product := uint64(1)
	for n, s := range t.sums {
		sum := s.at(k, slot, i)
		if sum == 0 {
			sum = t.null[n]
		}
		product = times(product, sum)
	}
	return product
}

// total is the number of rows.
func (e *engine) total(w *walk, counted *variable) uint64 {
	t := e.tally(w, counted)
	sum := uint64(0)
	set := e.sets[w.v.id]
	for k := range set.bits {
		for slot, b := range set.bits[k] {
			if len(t.sums) == 0 {
				sum = plus(sum, uint64(b.Count()))
				continue
			}
			for i := range b.All() {
				sum = plus(sum, t.of(k, slot, i))
			}
		}
	}
	return sum
}
