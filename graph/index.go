package graph

import (
	"hash/maphash"
	"sync/atomic"
)

// ids finds the rows of shared nodes by their ids. All versions of a shared
// segment read the same one while one writer adds to it: an entry that a version
// has no such node for is passed over, so nothing is ever taken out of it.
type ids struct {
	slots []atomic.Uint64 // hash << 32 | row + 1, linear probing
	used  int             // by the writer
}

var seed = maphash.MakeSeed()

func newIDs(expected int) *ids {
	n := 16
	for n < 2*expected {
		n *= 2
	}
	return &ids{slots: make([]atomic.Uint64, n)}
}

func hashOf(id string) uint32 { return uint32(maphash.String(seed, id)) }

// find is the row of a table's node with an id.
func (x *ids) find(t *Table, id string) (uint32, bool) {
	h, mask := hashOf(id), uint32(len(x.slots)-1)
	for at := h & mask; ; at = (at + 1) & mask {
		e := x.slots[at].Load()
		if e == 0 {
			return 0, false
		}
		if i := uint32(e) - 1; uint32(e>>32) == h {
			if have := t.id(i); have != nil && string(have) == id {
				return i, true
			}
		}
	}
}

// full says that the writer must grow it before it adds so many.
func (x *ids) full(more int) bool { return 4*(x.used+more) > 3*len(x.slots) }

func (x *ids) add(id string, row uint32) {
	h, mask := hashOf(id), uint32(len(x.slots)-1)
	at := h & mask
	for x.slots[at].Load() != 0 {
		at = (at + 1) & mask
	}
	x.slots[at].Store(uint64(h)<<32 | uint64(row+1))
	x.used++
}

// grown is a new index of a table's nodes, with room for so many more.
func grown(t *Table, more int) *ids {
	nodes := t.nodes()
	x := newIDs(nodes.Count() + max(more, t.n/4))
	for i := range nodes.All() {
		x.add(string(t.id(i)), i)
	}
	return x
}
