package graph

import (
	"encoding/binary"
	"slices"
)

// lists is the storage of a column of lists: each row's number among the lists that differ. Their words are
// shared, too: what techniques rest on is said of many edges.
type lists struct {
	of  []uint32
	all [][]string
	// While a whole column is filled:
	numbers map[string]uint32 // by key
	words   map[string]string
	key     []byte
}

func newLists(n int) *lists {
	return &lists{of: make([]uint32, n), numbers: map[string]uint32{}, words: map[string]string{}}
}

func (l *lists) at(i uint32) []string { return l.all[l.of[i]] }

func (l *lists) set(i uint32, list []string) { l.of[i] = l.number(list) }

// number is a list's among those that differ. After the column was filled nothing is looked for: a few changed
// rows may say again what others say, until the column is rebuilt.
func (l *lists) number(list []string) uint32 {
	n := uint32(len(l.all))
	if l.numbers == nil {
		l.all = append(l.all, slices.Clip(list))
		return n
	}
	l.key = l.key[:0]
	if list == nil {
		l.key = append(l.key, "nil"...) // no list of words: its first is not 110 bytes long
	}
	for _, w := range list {
		l.key = append(binary.AppendUvarint(l.key, uint64(len(w))), w...)
	}
	if known, is := l.numbers[string(l.key)]; is {
		return known
	}
	l.numbers[string(l.key)] = n
	l.all = append(l.all, l.own(list))
	return n
}

// own is the list made of words that the column has already, where it has them.
func (l *lists) own(list []string) []string {
	if list == nil {
		return nil
	}
	out := make([]string, len(list))
	for i, w := range list {
		if _, known := l.words[w]; !known {
			l.words[w] = w
		}
		out[i] = l.words[w]
	}
	return out
}

// filled forgets what only filling needs.
func (l *lists) filled() { l.numbers, l.words, l.key, l.all = nil, nil, nil, slices.Clip(l.all) }

// grown is a copy for n rows, no fewer than before, of which some may be set.
func (l *lists) grown(n int) *lists {
	out := &lists{of: make([]uint32, n), all: slices.Clip(l.all)}
	copy(out.of, l.of)
	return out
}
