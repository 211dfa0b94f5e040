package query

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Memory is what all questions may use at once. When nothing is left, the question that took most of it ends and the
// others go on. Its bytes are its own estimate; nil is without a bound.
type Memory struct {
	most    int64
	refused atomic.Uint64
	mu      struct {
		sync.Mutex
		taken int64 // by all that may go on
		set   int64 // of it, by work that said before it began what it takes
		by    map[*Share]bool
	}
}

// NewMemory is memory of so many bytes.
func NewMemory(most int64) *Memory {
	m := &Memory{most: most}
	m.mu.by = map[*Share]bool{}
	return m
}

var (
	// ErrMemory ends the question that took most when nothing was left.
	ErrMemory = errors.New("it is too large beside what else is asked now: narrow it, or ask again in a moment")
	// ErrNoMemory keeps work from beginning for which there is not enough now.
	ErrNoMemory = errors.New("what is asked now leaves too little memory for it: ask again in a moment")
)

// Refused is how many were ended or kept from beginning.
func (m *Memory) Refused() uint64 { return m.refused.Load() }

// Share is what one question takes. Whoever has it gives it back when what was found is handed over.
type Share struct {
	of    *Memory
	told  atomic.Bool // to end
	taken int64       // under the lock
	set   int64       // likewise: of taken, what is not for others to end
}

// Share is one that has nothing yet.
func (m *Memory) Share() *Share {
	if m == nil {
		return nil
	}
	s := &Share{of: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.by[s] = true
	return s
}

// Grow takes more. The error is for who took most.
func (s *Share) Grow(bytes int64) error {
	if s == nil {
		return nil
	}
	m := s.of
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.told.Load() {
		return ErrMemory
	}
	s.taken += bytes
	if m.mu.taken += bytes; m.mu.taken <= m.most {
		return nil
	}
	most := s
	for other := range m.mu.by {
		if !other.told.Load() && other.taken-other.set > most.taken-most.set {
			most = other
		}
	}
	m.end(most)
	if most == s {
		return ErrMemory
	}
	return nil
}

// end tells a share to end; what it has counts as given back, as it is about to be. The caller holds the lock.
func (m *Memory) end(s *Share) {
	s.told.Store(true)
	m.mu.taken -= s.taken
	m.mu.set -= s.set
	m.refused.Add(1)
}

// Err says whether the share was told to end.
func (s *Share) Err() error {
	if s != nil && s.told.Load() {
		return ErrMemory
	}
	return nil
}

// Set takes what work will use in all that says it before it begins and cannot be ended for others: at most three
// quarters of what there is, so that small questions are answered beside it.
func (s *Share) Set(bytes int64) error {
	if s == nil {
		return nil
	}
	m := s.of
	m.mu.Lock()
	defer m.mu.Unlock()
	most := m.most / 4 * 3
	bytes = max(0, min(bytes, most)-s.set)
	if m.mu.set+bytes > most || m.mu.taken+bytes > m.most {
		m.refused.Add(1)
		return ErrNoMemory
	}
	s.set, s.taken = s.set+bytes, s.taken+bytes
	m.mu.set, m.mu.taken = m.mu.set+bytes, m.mu.taken+bytes
	return nil
}

// Give gives all of it back.
func (s *Share) Give() {
	if s == nil {
		return
	}
	m := s.of
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.by[s] && !s.told.Load() {
		m.mu.taken -= s.taken
		m.mu.set -= s.set
	}
	delete(m.mu.by, s)
}
