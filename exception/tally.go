package exception

import "time"

// Tally asks a Set at one time and counts for how many findings each exception holds.
type Tally struct {
	set  *Set
	now  time.Time
	hits []int
}

// NewTally begins with none.
func NewTally(s *Set, now time.Time) *Tally { return &Tally{s, now, make([]int, len(s.All()))} }

// Find is Set.Find at the tally's time, counted.
func (t *Tally) Find(i Image, f Finding) *Applied {
	a, n := t.set.Find(i, f, t.now)
	if n >= 0 {
		t.hits[n]++
	}
	return a
}

// Count is an exception, and for how many findings it holds, or did before it ended.
type Count struct {
	*Exception
	Findings int  `json:"findings"`
	Expired  bool `json:"expired"`
}

// Counts are all exceptions in the order of the file.
func (t *Tally) Counts() []Count {
	out := []Count{}
	for n, e := range t.set.All() {
		out = append(out, Count{e, t.hits[n], e.Expired(t.now)})
	}
	return out
}
