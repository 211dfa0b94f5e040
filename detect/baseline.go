package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
)

// baselineFile makes a rule one about what is unusual: of the events that its detection chooses it
// alerts of those that are unlike the earlier ones.
type baselineFile struct {
	Type string `yaml:"type"`
	// GroupBy is whose habits they are, none for the cluster's; Value what of an event is looked at.
	GroupBy []string `yaml:"group-by"`
	Value   []string `yaml:"value"`
	// WarmUp and Events are how long and how many events a group is watched before anything is told. A burst, and what has no group,
	// needs the cluster to be watched for so long: who never did anything of the kind is known, too. Forget is after how long a
	// value that was not seen counts as new again.
	WarmUp string `yaml:"warm-up"`
	Events *int   `yaml:"events"`
	Forget string `yaml:"forget"`
	// Share is of which part of all events a rare value has at most.
	Share float64 `yaml:"share"`
	// Timespan is within what a burst is counted; AtLeast how many it has, and Factor how many times as many as ever before.
	Timespan string  `yaml:"timespan"`
	AtLeast  int     `yaml:"at-least"`
	Factor   float64 `yaml:"factor"`
	// Peers is what those have in common whose habits are compared; PeersAtLeast how many there must be, and AtMost how many
	// of them may have done it.
	Peers        []string `yaml:"peers"`
	PeersAtLeast int      `yaml:"peers-at-least"`
	AtMost       int      `yaml:"at-most"`
}

// Types of baselines.
const (
	firstSeen = "first_seen"
	rare      = "rare"
	burst     = "burst"
	peer      = "peer"
)

// baseline is one compiled.
type baseline struct {
	kind                  string
	groupBy, value, peers []string
	warmUp, forget, span  time.Duration
	events, atLeast       int
	share, factor         float64
	peersAtLeast, atMost  int
}

// What holds where a rule does not say.
const (
	defaultWarmUp = "7d"
	defaultForget = "30d"
	defaultEvents = 20
	defaultFactor = 3
	defaultPeers  = 3
	maxWho        = 8
)

// learns compiles a baseline.
func (r *Rule) learns(f *rule.File, b *baselineFile) error {
	wrong := func(key string, err error) error { return f.Errorf(err, "baseline", key) }
	events := defaultEvents
	if b.Type == burst {
		events = 0
	}
	if b.Events != nil {
		events = *b.Events
	}
	out := &baseline{kind: b.Type, events: events, share: b.Share, atLeast: b.AtLeast,
		factor: orElse(b.Factor, defaultFactor), peersAtLeast: orElse(b.PeersAtLeast, defaultPeers), atMost: b.AtMost}
	for _, t := range []struct {
		key, text string
		into      *time.Duration
	}{{"warm-up", orElse(b.WarmUp, defaultWarmUp), &out.warmUp}, {"forget", orElse(b.Forget, defaultForget), &out.forget},
		{"timespan", orElse(b.Timespan, "1m"), &out.span}} {
		var err error
		if *t.into, err = parseSpan(t.text); err != nil {
			return wrong(t.key, err)
		}
	}
	for _, l := range []struct {
		key   string
		names []string
		into  *[]string
	}{{"group-by", b.GroupBy, &out.groupBy}, {"value", b.Value, &out.value}, {"peers", b.Peers, &out.peers}} {
		for _, name := range l.names {
			field := r.log.field(name)
			if err := r.log.known(field); err != nil {
				return wrong(l.key, err)
			}
			*l.into = append(*l.into, field)
		}
	}
	switch {
	case !slices.Contains([]string{firstSeen, rare, burst, peer}, b.Type):
		return wrong("type", fmt.Errorf("type %q: want %s, %s, %s or %s", b.Type, firstSeen, rare, burst, peer))
	case b.Type != burst && len(b.Value) == 0:
		return wrong("value", errors.New("want the fields whose values are looked at"))
	case events < 0 || b.AtMost < 0 || b.PeersAtLeast < 0 || b.Factor < 0:
		return wrong("type", errors.New("want numbers above 0"))
	case (b.Type == rare) != (b.Share > 0) || b.Share >= 1:
		return wrong("share", errors.New("want a share above 0 and below 1 for rare, and for no other type"))
	case (b.Type == burst) != (b.AtLeast > 0) || b.AtLeast > maxCount:
		return wrong("at-least", fmt.Errorf("want how many a burst has, 1 to %d, and of no other type", maxCount))
	case (b.Type == peer) != (len(b.Peers) > 0) || b.Type == peer && len(b.GroupBy) == 0:
		return wrong("peers", errors.New("want what peers have in common and in group-by who one of them is, and peers of no other type"))
	case b.Type == peer && b.AtMost >= maxWho:
		return wrong("at-most", fmt.Errorf("want fewer than %d", maxWho))
	}
	r.baseline = out
	return nil
}

// orElse is a value, or what holds where none was given.
func orElse[T comparable](v, other T) T {
	var none T
	if v == none {
		return other
	}
	return v
}

// since is from when on a group is watched.
func (g *Engine) since(b *baseline, s *state) int64 {
	if begun, ok := g.begun[s.Cluster]; ok && (b.kind == burst || b.kind != peer && len(b.groupBy) == 0) {
		return min(begun, s.Begun)
	}
	return s.Begun
}

// knows says that a group was watched long enough.
func (g *Engine) knows(b *baseline, s *state, now int64) bool {
	return s.Events >= b.events && now-g.since(b, s) >= b.warmUp.Milliseconds()
}

// unusual says whether an event is unlike those of before, and how. It takes the event into what is known.
func (g *Engine) unusual(r *Rule, e *event.Event) (said string, is bool) {
	b, m := r.baseline, g.memory(r)
	of := b.groupBy
	if b.kind == peer {
		of = b.peers
	}
	group, value := fieldsOf(e, of), fieldsOf(e, b.value)
	s := m.group(e, group)
	now := e.Time.UnixMilli()
	known := g.knows(b, s, now)
	watched := time.Duration(now-g.since(b, s)) * time.Millisecond
	before := s.Events
	m.grow(s, func() {
		if b.kind == burst {
			is, said = b.bursts(s, e, value, now)
		} else {
			is, said = b.differs(m, s, e, value, now)
		}
	})
	s.Events++
	if b.kind == burst || now-s.saved >= saveEvery.Milliseconds() {
		m.touch(s)
	}
	if !is || !known {
		return "", false
	}
	whose := about(of, group)
	if whose != "" {
		whose = " of " + whose
	}
	return fmt.Sprintf("In %s, in which %s like it%s were looked at, %s.", spanText(watched.Truncate(time.Second)), count(before, "event"), whose,
		said), true
}

// fieldsOf are the values of fields, one text for each.
func fieldsOf(e *event.Event, names []string) (out []string) {
	for _, name := range names {
		out = append(out, strings.Join(e.Fields[name], ", "))
	}
	return out
}

// differs says whether a value is new, rare, or one that no peer has.
func (b *baseline) differs(m *memory, s *state, e *event.Event, value []string, now int64) (is bool, said string) {
	if s.Values == nil {
		s.Values = map[uint64]*habit{}
	}
	h := hash64(value...)
	seen := s.Values[h]
	if seen != nil && now-seen.Last > b.forget.Milliseconds() {
		*seen = habit{}
	}
	words := about(b.value, value)
	if seen == nil {
		was := s.Full
		if s.Full = len(s.Values) >= maxHabits; s.Full {
			s.makeRoom(now - b.forget.Milliseconds())
		}
		if s.Full && !was {
			m.full++
		}
		if s.Full {
			return false, "" // it is told of the rule
		}
		seen = &habit{}
		s.Values[h] = seen
	}
	fresh := seen.Times == 0
	switch b.kind {
	case firstSeen:
		is, said = fresh, "none had "+words
	case rare:
		is = float64(seen.Times+1) <= b.share*float64(s.Events+1)
		said = fmt.Sprintf("%d had %s", seen.Times, words)
	case peer:
		who := hash64(fieldsOf(e, b.groupBy)...)
		if s.Members == nil {
			s.Members = map[uint64]bool{}
		}
		if len(s.Members) < maxHabits && !s.Members[who] {
			s.Members[who] = true
			m.touch(s)
		}
		if !slices.Contains(seen.Who, who) && len(seen.Who) < maxWho {
			is = len(seen.Who) <= b.atMost && len(s.Members) >= b.peersAtLeast
			said = fmt.Sprintf("%d of %d peers had %s", len(seen.Who), len(s.Members)-1, words)
			seen.Who = append(seen.Who, who)
			m.touch(s)
		}
	}
	seen.Times++
	seen.Last = now
	if fresh {
		m.touch(s)
	}
	return is, said
}

// makeRoom forgets values that were not seen for long.
func (s *state) makeRoom(oldest int64) {
	for h, v := range s.Values {
		if v.Last < oldest {
			delete(s.Values, h)
		}
	}
	s.Full = len(s.Values) >= maxHabits
}

// bursts says whether more happens within a time than ever did.
func (b *baseline) bursts(s *state, e *event.Event, value []string, now int64) (is bool, said string) {
	what := entry{At: now, What: hash64(act(e))}
	if len(b.value) > 0 {
		what = entry{At: now, What: hash64(value...), Text: cut(strings.Join(value, " "))}
	}
	s.enter(what, b.span, maxCount)
	n := len(s.Entries)
	if bucket := now / b.span.Milliseconds(); bucket > s.Bucket {
		if s.Most = max(s.Most, s.Before); bucket > s.Bucket+1 {
			s.Most, s.Now = max(s.Most, s.Now), 0
		}
		s.Before, s.Now, s.Bucket = s.Now, 0, bucket
	}
	s.Now = max(s.Now, n)
	if n < b.atLeast || float64(n) <= b.factor*float64(s.Most) || now < s.Quiet {
		return false, ""
	}
	s.Quiet = now + b.span.Milliseconds()
	what1 := "events"
	if len(b.value) > 0 {
		what1 = "different values of " + strings.Join(b.value, " and ")
	}
	return true, fmt.Sprintf("there were never more than %d %s within %s, and now there are %d", s.Most, what1, spanText(b.span), n)
}
