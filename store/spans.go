package store

import (
	"slices"
	"sort"
)

// spans are the sequences of a run that came, as a few pieces without a hole.
// Saying a sequence twice changes nothing.
type spans struct {
	// Settled is what was forgotten of the pieces below: how many came, up to
	// which sequence. Holes there stay holes.
	Settled uint64      `json:"settled,omitempty"`
	Below   uint64      `json:"below,omitempty"`
	Pieces  [][2]uint64 `json:"pieces"`
}

// maxSpans bounds the pieces of a run: a sender that leaves holes everywhere
// costs no more than one that leaves a few.
const maxSpans = 64

// add takes sequences that came, in any order.
func (s *spans) add(sequences []uint64) {
	for _, n := range sequences {
		s.one(n)
	}
	for len(s.Pieces) > maxSpans {
		first := s.Pieces[0]
		s.Settled, s.Below = s.Settled+first[1]-first[0]+1, first[1]
		s.Pieces = slices.Delete(s.Pieces, 0, 1)
	}
}

func (s *spans) one(n uint64) {
	if n <= s.Below { // 0 is no sequence, and what is settled came or never will
		return
	}
	i := sort.Search(len(s.Pieces), func(i int) bool { return n <= s.Pieces[i][1] })
	if i < len(s.Pieces) && s.Pieces[i][0] <= n {
		return
	}
	after := i > 0 && s.Pieces[i-1][1] == n-1
	before := i < len(s.Pieces) && n+1 == s.Pieces[i][0]
	switch {
	case after && before:
		s.Pieces[i-1][1] = s.Pieces[i][1]
		s.Pieces = slices.Delete(s.Pieces, i, i+1)
	case after:
		s.Pieces[i-1][1] = n
	case before:
		s.Pieces[i][0] = n
	default:
		s.Pieces = slices.Insert(s.Pieces, i, [2]uint64{n, n})
	}
}

// received is how many came, highest the last of them.
func (s *spans) received() (n uint64) {
	n = s.Settled
	for _, p := range s.Pieces {
		n += p[1] - p[0] + 1
	}
	return n
}

func (s *spans) highest() uint64 {
	if len(s.Pieces) == 0 {
		return s.Below
	}
	return s.Pieces[len(s.Pieces)-1][1]
}
