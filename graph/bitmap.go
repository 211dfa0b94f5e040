package graph

import (
	"iter"
	"math/bits"
)

// Bitmap is a set of node indices of one kind in one segment.
type Bitmap []uint64

// NewBitmap makes an empty set for n nodes.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// Full makes the set of all n nodes.
func Full(n int) Bitmap {
	b := NewBitmap(n)
	for i := range b {
		b[i] = ^uint64(0)
	}
	if r := n % 64; r != 0 {
		b[len(b)-1] = 1<<r - 1
	}
	return b
}

func (b Bitmap) Has(i uint32) bool { return b[i>>6]&(1<<(i&63)) != 0 }
func (b Bitmap) Set(i uint32)      { b[i>>6] |= 1 << (i & 63) }
func (b Bitmap) Clear(i uint32)    { b[i>>6] &^= 1 << (i & 63) }

// Count is the number of members.
func (b Bitmap) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// And, Or and AndNot change b; both sets are of the same kind and segment.
func (b Bitmap) And(c Bitmap) {
	for i := range b {
		b[i] &= c[i]
	}
}

func (b Bitmap) Or(c Bitmap) {
	for i := range b {
		b[i] |= c[i]
	}
}

func (b Bitmap) AndNot(c Bitmap) {
	for i := range b {
		b[i] &^= c[i]
	}
}

// Empty says that nothing is a member.
func (b Bitmap) Empty() bool {
	for _, w := range b {
		if w != 0 {
			return false
		}
	}
	return true
}

// Clone copies the set.
func (b Bitmap) Clone() Bitmap { return append(Bitmap(nil), b...) }

// All yields the members in order.
func (b Bitmap) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, w := range b {
			for w != 0 {
				if !yield(uint32(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
				w &= w - 1
			}
		}
	}
}
