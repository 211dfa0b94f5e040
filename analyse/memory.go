package analyse

import "slices"

// Memory is what was told of one cluster the last time, with what was read for it. Where a foothold is the same,
// what is walked from it is the same, and all that was read of the graph is the same, the paths from it are the same:
// they are told again, not anew. Whatever cannot be seen to be so is told anew. It is used by one computation after
// the other.
type Memory struct {
	on     *survey
	near   []bool
	unseen []string
	told   map[standing]*telling
	count  uint64 // of computations
	gains  *gains
	asides map[strokes]redrawn
	// Reused is how many paths were told again the last time, Told how many there were; Carried is of how many techniques
	// the gains were carried over.
	Reused, Told, Carried int
}

// standing is a foothold by what it is told as.
type standing struct {
	class string
	group group
}

// telling is the paths from a foothold that are told, and what they rest on.
type telling struct {
	foothold *foothold
	entering *pathType // the type of the path that ends in the foothold
	ends     []int32   // patches of the goals; -1 is the foothold
	paths    []Path
	shapes   []shape // of each path
	// What was read for what all paths begin with, for each path, and for all of it.
	begun   *record
	records []*record
	record  *record
	reused  int // paths that were told again
}

func (t *telling) add(p Path, drawn shape, read *record) {
	t.paths, t.shapes, t.records = append(t.paths, p), append(t.shapes, drawn), append(t.records, read)
}

// gained is what was gained the last time.
func (m *Memory) gained() *gains {
	if m == nil {
		return nil
	}
	return m.gains
}

func (m *Memory) gain(g *gains) {
	if m == nil {
		return
	}
	m.gains, m.Carried = g, 0
	for _, k := range g.kept {
		if k != nil {
			m.Carried++
		}
	}
}

// keep remembers what a search told.
func (m *Memory) keep(s *search, all []*telling, asides map[strokes]redrawn) {
	if m == nil {
		return
	}
	m.on, m.near, m.unseen, m.told = s.survey, s.near, s.unseen, make(map[standing]*telling, len(all))
	m.asides = asides
	m.Reused, m.Told = 0, 0
	for _, t := range all {
		m.told[standing{t.foothold.class, t.foothold.group}] = t
		m.Told, m.Reused = m.Told+len(t.paths), m.Reused+t.reused
	}
}

// against compares a search with what is remembered; nil if that is nothing, or nothing of use. Until the search is
// kept nothing is remembered.
func (m *Memory) against(s *search) *comparison {
	if m == nil {
		return nil
	}
	s.prints = s.field.prints()
	c := &comparison{old: m.on, now: s.survey, told: m.told, asides: m.asides, count: m.count + 1, gains: s.gains}
	m.count++
	m.on, m.told, m.asides = nil, nil, nil
	if c.old == nil || c.old.rules != s.rules || !slices.Equal(m.unseen, s.unseen) || !c.align() {
		return nil
	}
	c.compare(m.near, s.near)
	c.steady = c.keepsGroups() && c.keepsTargets()
	return c
}
