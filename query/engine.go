package query

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// engine evaluates one plan on one view within one scope and budget.
type engine struct {
	*plan
	ctx  context.Context
	view *graph.View
	opts Options
	segs []*graph.Segment // the shared one first
	mask [][]graph.Bitmap // by kind and slot; nil: all is visible
	sets []nodeSet        // exact after reduction, by variable id

	laneCache map[*hop]*hopLanes
	mixed     map[*cond][2]nodeSet // node conditions that edge conditions mix in
	deadline  time.Time
	work      int
	memory    int64
	took      int64 // of opts.Memory
}

// stop ends an evaluation early; it travels as a panic within the package.
type stop struct{ err error }

// errBudget is the reason of an honest partial result.
type errBudget struct{ reason string }

func (e errBudget) Error() string { return e.reason }

// guard runs a part of the evaluation. A spent budget is a reason, everything
// else an error.
func (e *engine) guard(part func()) (partial string, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, ok := r.(stop)
			if !ok {
				panic(r)
			}
			var b errBudget
			if errors.As(s.err, &b) {
				partial = b.reason
				return
			}
			err = s.err
		}
	}()
	part()
	return "", nil
}

// tick counts work and looks at the clock now and then.
func (e *engine) tick(n int) {
	if e.work += n; e.work < 1<<16 {
		return
	}
	e.work = 0
	if err := cmp.Or(e.ctx.Err(), e.opts.Memory.Err()); err != nil {
		panic(stop{err})
	}
	if !e.deadline.IsZero() && time.Now().After(e.deadline) {
		panic(stop{errBudget{fmt.Sprintf("the time limit of %s was reached", e.opts.Deadline)}})
	}
}

// memoryStep is how much is taken at once of what all evaluations share.
const memoryStep = 1 << 20

// use accounts for memory of the evaluation.
func (e *engine) use(bytes int) {
	e.memory += int64(bytes)
	if e.opts.MemoryLimit > 0 && e.memory > e.opts.MemoryLimit {
		panic(stop{errBudget{fmt.Sprintf("the memory limit of %d MiB was reached", e.opts.MemoryLimit>>20)}})
	}
	if e.memory <= e.took {
		return
	}
	more := max(memoryStep, e.memory-e.took)
	e.took += more
	if err := e.opts.Memory.Grow(more); err != nil {
		panic(stop{err})
	}
}

// nodeSet is a set of nodes of several kinds: one bitmap per kind and slot. A
// shared kind has one slot; any other has one per cluster. nil is empty.
type nodeSet struct {
	kinds []int
	bits  [][]graph.Bitmap
}

func (e *engine) shared(kind int) bool { return e.voc.kinds[kind].Shared }

// slots is how many slots a kind has.
func (e *engine) slots(kind int) int {
	if e.shared(kind) {
		return 1
	}
	return len(e.segs) - 1
}

// segment is where a slot of a kind lives.
func (e *engine) segment(kind, slot int) *graph.Segment {
	if e.shared(kind) {
		return e.segs[0]
	}
	return e.segs[slot+1]
}

func (e *engine) empty(kinds []int) nodeSet {
	s := nodeSet{kinds: kinds, bits: make([][]graph.Bitmap, len(kinds))}
	for k, kind := range kinds {
		s.bits[k] = make([]graph.Bitmap, e.slots(kind))
	}
	return s
}

// universe is every visible node of some kinds.
func (e *engine) universe(kinds []int) nodeSet {
	s := e.empty(kinds)
	for k, kind := range kinds {
		for slot := range s.bits[k] {
			n := e.segment(kind, slot).Len(kind)
			if n == 0 {
				continue
			}
			s.bits[k][slot] = e.segment(kind, slot).Nodes(kind)
			e.use(n / 8)
			if e.mask != nil {
				if e.mask[kind][slot] == nil {
					s.bits[k][slot] = nil
				} else {
					s.bits[k][slot].And(e.mask[kind][slot])
				}
			}
		}
	}
	return s
}

func (s nodeSet) count() int {
	n := 0
	for _, slots := range s.bits {
		for _, b := range slots {
			n += b.Count()
		}
	}
	return n
}

func (s nodeSet) clone() nodeSet {
	c := nodeSet{kinds: s.kinds, bits: make([][]graph.Bitmap, len(s.bits))}
	for k := range s.bits {
		c.bits[k] = make([]graph.Bitmap, len(s.bits[k]))
		for slot, b := range s.bits[k] {
			if b != nil {
				c.bits[k][slot] = b.Clone()
			}
		}
	}
	return c
}

// and keeps what is also in o, a set of the same shape.
func (s nodeSet) and(o nodeSet) {
	for k := range s.bits {
		for slot, b := range s.bits[k] {
			switch {
			case b == nil:
			case o.bits[k][slot] == nil:
				s.bits[k][slot] = nil
			default:
				b.And(o.bits[k][slot])
			}
		}
	}
}

// or adds what is in o, a set of the same shape.
func (s nodeSet) or(o nodeSet) {
	for k := range s.bits {
		for slot, b := range o.bits[k] {
			switch {
			case b == nil:
			case s.bits[k][slot] == nil:
				s.bits[k][slot] = b.Clone()
			default:
				s.bits[k][slot].Or(b)
			}
		}
	}
}

func (s nodeSet) has(k, slot int, i uint32) bool {
	b := s.bits[k][slot]
	return b != nil && b.Has(i)
}

func (s nodeSet) position(kind int) int {
	for k := range s.kinds {
		if s.kinds[k] == kind {
			return k
		}
	}
	return -1
}
