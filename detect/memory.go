package detect

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/event"
)

// memory is what one rule remembers of earlier events, by groups: an identity, a namespace, a cluster. It has a bound;
// what goes beyond is forgotten, those groups first that were seen last the longest ago, and counted.
type memory struct {
	rule      *Rule
	groups    *simplelru.LRU[string, *state]
	weight    int
	changed   map[string]bool
	gone      []string
	forgotten int
	full      int // groups that came to have more values than are remembered
}

// Bounds of one rule's memory: groups, and what is remembered of all of them.
const (
	maxGroups = 4096
	maxWeight = 200_000
	// maxHabits is how many different values of one group are remembered.
	maxHabits = 1024
	// saveEvery is how often what changes with every event is kept for a restart.
	saveEvery = time.Hour
)

// state is what is remembered of one group. Moments are milliseconds.
type state struct {
	key     string
	Cluster string `json:"cluster"`
	Begun   int64  `json:"begun"`
	Last    int64  `json:"last"`
	Events  int    `json:"events,omitempty"`
	// Entries are what happened within a time, the oldest first, or by rule.
	Entries []entry `json:"entries,omitempty"`
	// Values are what was seen, by their hashes, and Members who was.
	Values  map[uint64]*habit `json:"values,omitempty"`
	Members map[uint64]bool   `json:"members,omitempty"`
	// Bucket is the time that is counted in, Now, Before and Most how many there were in it, in the one before, and in any
	// of those before.
	Bucket int64 `json:"bucket,omitempty"`
	Now    int   `json:"now,omitempty"`
	Before int   `json:"before,omitempty"`
	Most   int   `json:"most,omitempty"`
	Quiet  int64 `json:"quiet,omitempty"` // until when nothing more is told
	// Full says that there are more values than are remembered, so that new ones are not told.
	Full  bool `json:"full,omitempty"`
	saved int64
}

// entry is something that happened: when, and what, by its hash and perhaps in words.
type entry struct {
	At   int64  `json:"t"`
	From int64  `json:"f,omitempty"` // when what it follows upon began
	What uint64 `json:"w,omitempty"`
	Text string `json:"x,omitempty"`
}

// habit is a value: how often it was seen, when last, and by whom, up to a few.
type habit struct {
	Times int      `json:"n"`
	Last  int64    `json:"t"`
	Who   []uint64 `json:"w,omitempty"`
}

func (s *state) weighs() int { return 4 + len(s.Entries) + 2*len(s.Values) + len(s.Members) }

// hash64 is a short name of values (FNV-1a), the same after a restart.
func hash64(values ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, v := range values {
		for i := range len(v) {
			h = (h ^ uint64(v[i])) * 1099511628211
		}
		h *= 1099511628211 // as of a zero byte
	}
	return h
}

// memory is that of a rule.
func (g *Engine) memory(r *Rule) *memory {
	m := g.memories[r]
	if m == nil {
		m = &memory{rule: r, changed: map[string]bool{}}
		m.groups = remembering(maxGroups, func(key string, s *state) {
			m.weight -= s.weighs()
			m.gone = append(m.gone, key)
			delete(m.changed, key)
		})
		g.memories[r] = m
	}
	return m
}

// group finds the state of an event's group, or begins it.
func (m *memory) group(e *event.Event, values []string) *state {
	key := digest(append([]string{e.Cluster}, values...)...)
	now := e.Time.UnixMilli()
	s, ok := m.groups.Get(key)
	if !ok {
		s = &state{key: key, Cluster: strings.Clone(e.Cluster), Begun: now}
		m.put(s)
	}
	s.Begun, s.Last = min(s.Begun, now), max(s.Last, now)
	return s
}

// put remembers a state, and forgets others for it.
func (m *memory) put(s *state) {
	if m.groups.Len() == maxGroups {
		m.forgotten++
	}
	m.groups.Add(s.key, s)
	m.weight += s.weighs()
	m.bound()
}

func (m *memory) bound() {
	for m.weight > maxWeight && m.groups.Len() > 1 {
		m.groups.RemoveOldest()
		m.forgotten++
	}
}

// touch notes that a state changed, and must be kept for a restart.
func (m *memory) touch(s *state) {
	m.changed[s.key] = true
	s.saved = s.Last
}

// grow does something to a state that may change what it weighs.
func (m *memory) grow(s *state, do func()) {
	before := s.weighs()
	do()
	m.weight += s.weighs() - before
	m.bound()
}

// enter adds what happened to what did within a time, unless it is there; it says whether it was new. No more
// than the last most are remembered.
func (s *state) enter(one entry, within time.Duration, most int) (fresh bool) {
	oldest := one.At - within.Milliseconds()
	s.Entries = slices.DeleteFunc(s.Entries, func(e entry) bool { return e.At < oldest })
	fresh = !slices.ContainsFunc(s.Entries, func(e entry) bool { return e.What == one.What })
	s.Entries = slices.DeleteFunc(s.Entries, func(e entry) bool { return e.What == one.What })
	at, _ := slices.BinarySearchFunc(s.Entries, one.At+1, func(e entry, t int64) int { return cmp.Compare(e.At, t) })
	s.Entries = slices.Insert(s.Entries, at, one)
	s.Entries = s.Entries[max(0, len(s.Entries)-most):]
	return fresh
}

// pass notes that the rule at a place held, and says whether with that all of them did within a time.
func (s *state) pass(places, at int, now int64, within time.Duration) bool {
	if len(s.Entries) != places {
		s.Entries = make([]entry, places)
	}
	s.Entries[at] = entry{At: max(s.Entries[at].At, now)}
	oldest, newest := now, now
	for _, e := range s.Entries {
		oldest, newest = min(oldest, e.At), max(newest, e.At)
	}
	return oldest > 0 && newest-oldest <= within.Milliseconds()
}

// follow notes that the rule at a place held, which counts only upon the one before it. Of each place the last time
// counts, and of what led there when it began last: who began again is not late for having begun earlier, too.
func (s *state) follow(places, at int, now int64, within time.Duration) bool {
	if len(s.Entries) != places {
		s.Entries = make([]entry, places)
	}
	from := now
	if at > 0 {
		before := s.Entries[at-1]
		if from = before.From; before.At == 0 || now < before.At || now-from > within.Milliseconds() {
			return false
		}
	}
	s.Entries[at] = entry{At: now, From: from}
	return at == places-1
}

// MemoryOf is what is told of a rule's memory.
type MemoryOf struct {
	// Groups are remembered, Forgotten were, and gave way to others. Full have more values than are
	// remembered, so that another new one is not told; Learning are watched for less than the warm-up.
	Groups, Forgotten, Full, Learning int
}

// Memories says how much each rule that remembers does, by its id.
func (g *Engine) Memories() map[string]MemoryOf {
	out := map[string]MemoryOf{}
	for r, m := range g.memories {
		told := MemoryOf{Groups: m.groups.Len(), Forgotten: m.forgotten}
		for _, s := range m.groups.Values() {
			if s.Full {
				told.Full++
			}
			if r.baseline != nil && !g.knows(r.baseline, s, s.Last) {
				told.Learning++
			}
		}
		out[r.ID] = told
	}
	return out
}

// begunPart begins the names of the parts that say since when a cluster is watched.
const begunPart = "since/"

// watches notes since when a cluster is watched.
func (g *Engine) watches(e *event.Event) {
	now := e.Time.UnixMilli()
	if at, ok := g.begun[e.Cluster]; ok && at <= now || e.Time.IsZero() {
		return
	}
	cluster := strings.Clone(e.Cluster)
	g.begun[cluster], g.began[cluster] = now, true
}

// Checkpoint gives the parts of what is remembered that changed since it was last called, by their names. An empty one
// is gone. What an engine hands out an engine of the same rules takes by Restore.
func (g *Engine) Checkpoint() map[string]string {
	parts := map[string]string{}
	for cluster := range g.began {
		parts[begunPart+cluster] = strconv.FormatInt(g.begun[cluster], 10)
	}
	clear(g.began)
	for r, m := range g.memories {
		for _, key := range m.gone {
			parts[r.part(key)] = ""
		}
		m.gone = nil
		for key := range m.changed {
			s, _ := m.groups.Peek(key)
			if s == nil {
				continue
			}
			text, err := json.Marshal(s)
			if err == nil { // it holds what JSON can hold
				parts[r.part(key)] = string(text)
			}
		}
		clear(m.changed)
	}
	return parts
}

// part is under which name a group of a rule is kept: what the rule learned when it said other things is not its.
func (r *Rule) part(group string) string { return r.ID + "/" + r.print() + "/" + group }

// print tells a rule from what it was when it was written otherwise.
func (r *Rule) print() string {
	var b [8]byte
	text := ""
	switch {
	case r.baseline != nil:
		text = fmt.Sprintf("%+v", *r.baseline)
	case r.correlation != nil:
		c := r.correlation
		ids := []string{}
		for _, one := range c.rules {
			ids = append(ids, one.ID)
		}
		text = fmt.Sprint(c.kind, ids, c.span, c.groupBy, c.field, c.aliases, c.least)
	}
	binary.BigEndian.PutUint64(b[:], hash64(text))
	return hex.EncodeToString(b[:4])
}

// Restore takes what an engine handed out before. Parts of rules that are no more, or say other things now, are named: nobody
// needs them. The error is about parts that cannot be read; those are begun anew.
func (g *Engine) Restore(parts map[string]string) (useless []string, err error) {
	remember := map[string]*Rule{}
	for _, r := range g.rules.all {
		if r.baseline != nil || r.correlation != nil {
			remember[r.ID+"/"+r.print()] = r
		}
	}
	type kept struct {
		rule  *Rule
		state *state
	}
	var all []kept
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if cluster, is := strings.CutPrefix(part, begunPart); is {
			at, wrong := strconv.ParseInt(parts[part], 10, 64)
			if wrong != nil {
				useless, err = append(useless, part), fmt.Errorf("since when %s is watched: %w", cluster, wrong)
				continue
			}
			g.begun[cluster] = at
			continue
		}
		at := strings.LastIndexByte(part, '/')
		r := remember[part[:max(at, 0)]]
		if r == nil {
			useless = append(useless, part)
			continue
		}
		s := &state{key: part[at+1:]}
		if wrong := json.Unmarshal([]byte(parts[part]), s); wrong != nil {
			useless, err = append(useless, part), fmt.Errorf("what %s remembers: %w", r.ID, wrong)
			continue
		}
		s.saved = s.Last
		all = append(all, kept{r, s})
	}
	slices.SortStableFunc(all, func(a, b kept) int { return cmp.Compare(a.state.Last, b.state.Last) })
	for _, k := range all {
		m := g.memory(k.rule)
		m.groups.Remove(k.state.key)
		m.put(k.state)
	}
	return useless, err
}
