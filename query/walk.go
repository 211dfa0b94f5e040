package query

import "slices"

// walk is the tree of variables as seen from one of them: rows are enumerated
// and counted along it. Starting elsewhere than at the root changes the order
// of rows, never which there are.
type walk struct {
	v        *variable
	from     *walk
	lanes    []lane  // from → v
	byNear   [][]int // lanes by near kind and slot, flattened; see lanesOf
	slots    []int
	optional bool
	below    []*walk
}

// holds says that a variable is part of this branch.
func (w *walk) holds(v *variable) bool {
	return w.v == v || slices.ContainsFunc(w.below, func(b *walk) bool { return b.holds(v) })
}

// canStart says that every row has a value of the variable, so that a walk may
// begin there.
func canStart(v *variable) bool {
	for ; v.hop != nil; v = v.parent {
		if v.hop.optional {
			return false
		}
	}
	return true
}

// walkFrom sees the tree from a variable; keep says which branches matter.
func (e *engine) walkFrom(v *variable, keep func(*variable) bool) *walk {
	w := &walk{v: v}
	e.grow(w, nil, keep)
	return w
}

func (e *engine) grow(w *walk, came *variable, keep func(*variable) bool) {
	if up := w.v.parent; up != nil && up != came {
		w.branch(e, up, w.v.hop, true, keep)
	}
	for _, child := range w.v.below {
		if child != came {
			w.branch(e, child, child.hop, false, keep)
		}
	}
}

func (w *walk) branch(e *engine, v *variable, h *hop, up bool, keep func(*variable) bool) {
	b := &walk{v: v, from: w, optional: h.optional && !up}
	e.grow(b, w.v, keep)
	if !keep(v) && len(b.below) == 0 {
		return
	}
	down, upward := e.lanesOf(h, true)
	if b.lanes = down; up {
		b.lanes = upward
	}
	b.index(e)
	w.below = append(w.below, b)
}

// index sorts the lanes by where they begin.
func (w *walk) index(e *engine) {
	n := 0
	for _, kind := range w.from.v.kinds {
		w.slots = append(w.slots, n)
		n += e.slots(kind)
	}
	w.byNear = make([][]int, n)
	for i, l := range w.lanes {
		at := w.slots[l.nearKind] + l.nearSlot
		w.byNear[at] = append(w.byNear[at], i)
	}
}

// cell is one variable's value in a row: a node and the edge that led to it.
type cell struct {
	null bool
	k    int
	slot int
	i    uint32
	lane *lane
	pos  uint32
	near uint32 // the edge's other end
}

// flat lists a walk's variables, each after the one it comes from.
func (w *walk) flat() []*walk {
	out := []*walk{w}
	for _, b := range w.below {
		out = append(out, b.flat()...)
	}
	return out
}

// rows enumerates rows in order; row[n] belongs to steps[n]. It stops when
// yield says so.
func (e *engine) rows(w *walk, starts func(yield func(cell) bool), yield func(row []cell) bool) {
	steps := w.flat()
	from := make([]int, len(steps))
	for n, s := range steps {
		from[n] = slices.Index(steps, s.from)
	}
	row := make([]cell, len(steps))
	var extend func(n int) bool
	extend = func(n int) bool {
		if n == len(steps) {
			e.tick(16)
			return yield(row)
		}
		near, matched := row[from[n]], false
		if !near.null {
			more := e.neighbours(steps[n], near, func(c cell) bool {
				matched = true
				row[n] = c
				return extend(n + 1)
			})
			if !more {
				return false
			}
		}
		if matched || !steps[n].optional {
			return true
		}
		row[n] = cell{null: true}
		return extend(n + 1)
	}
	starts(func(c cell) bool {
		row[0] = c
		return extend(1)
	})
}

// neighbours yields what a node is joined to along a branch.
func (e *engine) neighbours(w *walk, near cell, yield func(cell) bool) bool {
	set := e.sets[w.v.id]
	for _, n := range w.byNear[w.slots[near.k]+near.slot] {
		l := &w.lanes[n]
		i := near.i
		if l.nearStubs != nil {
			stub, ok := slices.BinarySearch(l.nearStubs, near.i)
			if !ok {
				continue
			}
			i = uint32(stub)
		}
		ends, first, pos := l.edges(i)
		e.tick(len(ends) + 1)
		for j, f := range ends {
			at := f
			if l.farStubs != nil {
				at = l.farStubs[f]
			}
			if !set.has(l.farKind, l.farSlot, at) || !l.passes(i, f, first, pos, j) {
				continue
			}
			if !yield(cell{k: l.farKind, slot: l.farSlot, i: at, lane: l, pos: at32(first, pos, j), near: near.i}) {
				return false
			}
		}
	}
	return true
}

// members yields a variable's set in order.
func (e *engine) members(v *variable) func(yield func(cell) bool) {
	return func(yield func(cell) bool) {
		set := e.sets[v.id]
		for k := range set.bits {
			for slot, b := range set.bits[k] {
				for i := range b.All() {
					if !yield(cell{k: k, slot: slot, i: i}) {
						return
					}
				}
			}
		}
	}
}
