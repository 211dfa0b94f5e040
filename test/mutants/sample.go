package main

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// sample takes at most so many mutants, spread over all and the same for the same
// code wherever its lines stand.
func sample(mutants []*mutant, most int) []*mutant {
	if most <= 0 || len(mutants) <= most {
		return mutants
	}
	out := slices.Clone(mutants)
	slices.SortFunc(out, func(a, b *mutant) int { return cmp.Or(cmp.Compare(lot(a), lot(b)), byPlace(a, b)) })
	return out[:most]
}

func lot(m *mutant) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(m.file + "\n" + m.text + "\n" + m.change())) // a hash takes everything
	return h.Sum64()
}

func byPlace(a, b *mutant) int {
	return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.id, b.id))
}
