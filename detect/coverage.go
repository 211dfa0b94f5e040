package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

// Watched is what of a cluster's log was seen: which kinds of requests with how much of each, and how often rules matched them or
// could not be judged. It says which rules can fire there. It has a bound; kinds beyond it are counted together.
type Watched struct {
	rules   *Rules
	kinds   map[kind]*Times
	of      map[string]*Judged
	other   int // events of kinds beyond the bound
	changed map[string]any
}

// kind is what an event is about, by the values of the fields that rules are found by, and how much of it the log keeps.
type kind struct {
	source event.Source
	values [maxIndex]string
	level  string
}

// Times is how often something was seen, and when.
type Times struct {
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	saved time.Time
}

// Judged is how often a rule matched, and how often it could not be judged for what the log leaves out.
type Judged struct {
	Matched int `json:"matched,omitempty"`
	Blind   int `json:"blind,omitempty"`
	// Forgotten are groups that a rule that remembers had to forget, Full those of which it remembers no more values.
	Forgotten int `json:"forgotten,omitempty"`
	Full      int `json:"full,omitempty"`
}

// maxKinds bounds the kinds of events: a requester may make resources up.
const maxKinds = 2048

// Watch begins with nothing seen.
func Watch(rules *Rules) *Watched {
	return &Watched{rules: rules, kinds: map[kind]*Times{}, of: map[string]*Judged{}, changed: map[string]any{}}
}

// Take notes events, which rules matched them, and which could not be judged.
func (w *Watched) Take(events []event.Event, matches []Match, blind map[string]int) {
	for i := range events {
		w.see(&events[i])
	}
	for _, m := range matches {
		w.judged(m.Rule.ID).Matched++
	}
	for id, n := range blind {
		w.judged(id).Blind += n
	}
}

// Memories notes what rules that remember had to forget.
func (w *Watched) Memories(g *Engine) {
	for r, m := range g.memories {
		if j := w.of[r.ID]; m.forgotten+m.full > 0 && (j == nil || j.Forgotten != m.forgotten || j.Full != m.full) {
			j = w.judged(r.ID)
			j.Forgotten, j.Full = max(j.Forgotten, m.forgotten), max(j.Full, m.full)
		}
	}
}

func (w *Watched) judged(rule string) *Judged {
	j := w.of[rule]
	if j == nil {
		j = &Judged{}
		w.of[rule] = j
	}
	w.changed[judgedPart+rule] = j
	return j
}

// see notes one event. It does not allocate for what was seen before.
func (w *Watched) see(e *event.Event) {
	log := w.rules.logs[e.Source]
	if log == nil || log.Level == "" || w.rules.absent(e) {
		return
	}
	k := kind{source: e.Source, level: only(e.Fields[log.Level])}
	for i, field := range log.Index[:min(len(log.Index), maxIndex)] {
		k.values[i] = only(e.Fields[field])
	}
	t := w.kinds[k]
	if t == nil {
		if len(w.kinds) >= maxKinds {
			w.other++
			return
		}
		for i := range k.values {
			k.values[i] = strings.Clone(k.values[i])
		}
		k.level = strings.Clone(k.level)
		t = &Times{First: e.Time, Last: e.Time}
		w.kinds[k] = t
	}
	t.Count++
	if e.Time.Before(t.First) {
		t.First = e.Time
	}
	if e.Time.After(t.Last) {
		t.Last = e.Time
	}
	if t.Last.Sub(t.saved) >= saveEvery {
		t.saved = t.Last
		w.changed["kind/"+k.part()] = savedKind{k.source, k.values[:], k.level, *t}
	}
}

// absent says that what was asked for is not there: whoever asks may have made it up.
func (r *Rules) absent(e *event.Event) bool {
	code := e.Fields["responseStatus.code"]
	return len(code) == 1 && code[0] == "404"
}

// only is the value of a field that has one, or none.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// savedKind is a kind as it is kept.
type savedKind struct {
	Source event.Source `json:"source"`
	Values []string     `json:"values"`
	Level  string       `json:"level"`
	Times
}

func (k *kind) part() string {
	return strconv.FormatUint(hash64(append(k.values[:], k.level, k.source.Product, k.source.Service, k.source.Category)...), 16)
}

// judgedPart begins the names of the parts that are about a rule.
const judgedPart = "rule/"

// IsJudged says that a part of what Checkpoint gives is about a rule, and not about what was seen.
func IsJudged(part string) bool { return strings.HasPrefix(part, judgedPart) }

// Undecided is how many events which rules could not be judged for.
func (w *Watched) Undecided() map[string]int {
	out := map[string]int{}
	for id, j := range w.of {
		if j.Blind > 0 {
			out[id] = j.Blind
		}
	}
	return out
}

// Checkpoint gives the parts of it that changed since it was last called.
func (w *Watched) Checkpoint() map[string]string {
	out := map[string]string{}
	for part, what := range w.changed {
		if text, err := json.Marshal(what); err == nil { // they hold what JSON can hold
			out[part] = string(text)
		}
	}
	clear(w.changed)
	return out
}

// Restore takes the parts that Checkpoint gave.
func (w *Watched) Restore(parts map[string]string) error {
	for part, text := range parts {
		if id, is := strings.CutPrefix(part, judgedPart); is {
			j := &Judged{}
			if err := json.Unmarshal([]byte(text), j); err != nil {
				return err
			}
			w.of[id] = j
			continue
		}
		var s savedKind
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return err
		}
		k := kind{source: s.Source, level: s.Level}
		copy(k.values[:], s.Values)
		t := s.Times
		t.saved = t.Last
		w.kinds[k] = &t
	}
	return nil
}

// Can says whether a rule can fire on a cluster.
type Can string

// What is known of a rule on a cluster.
const (
	Fires   Can = "can"    // requests that it is about were seen, and what it asks of them
	Learns  Can = "learns" // it will, when it has watched for long enough
	Unseen  Can = "unseen" // no request that it is about was seen: the policy leaves them out, or nobody asked
	Partly  Can = "partly" // it can, and could not be judged for some
	Hidden  Can = "cannot" // what it asks is left out of the log
	Nowhere Can = "never"  // it asks for what no log here says
)

// Covered is a rule on a cluster.
type Covered struct {
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Can      Can    `json:"can"`
	// Why says so in words, where it is not that it can.
	Why string `json:"why,omitempty"`
	Judged
}

// Coverage says of each rule about the logs that were seen whether it can fire, at a moment.
func (w *Watched) Coverage(now time.Time) (out []Covered) {
	memo := map[*Rule]Covered{}
	for _, r := range w.rules.all {
		if r.log.Level != "" {
			out = append(out, w.covered(r, now, memo))
		}
	}
	return out
}

func (w *Watched) covered(r *Rule, now time.Time, memo map[*Rule]Covered) Covered {
	if c, ok := memo[r]; ok {
		return c
	}
	c := Covered{Rule: r.ID, Title: r.Title, Severity: r.Severity}
	if j := w.of[r.ID]; j != nil {
		c.Judged = *j
	}
	switch {
	case r.foreign != nil && r.foreign.Never:
		c.Can, c.Why = Nowhere, strings.Join(r.foreign.Missing, "; ")
	case r.correlation != nil:
		w.together(r, &c, now, memo)
	default:
		w.alone(r, &c, now)
	}
	if c.Can == Fires && c.Blind > 0 {
		c.Can, c.Why = Partly, fmt.Sprintf("%s did not show what decides: the audit policy's level is below RequestResponse", count(c.Blind, "event"))
	}
	for n, what := range map[int]string{c.Forgotten: "%s had to give way to others", c.Full: "%s have more values than are remembered: new ones are not told"} {
		if n > 0 {
			c.Why = strings.TrimPrefix(c.Why+"; "+fmt.Sprintf(what, count(n, "group")), "; ")
		}
	}
	memo[r] = c
	return c
}

// together says what is known of a correlation by its rules.
func (w *Watched) together(r *Rule, c *Covered, now time.Time, memo map[*Rule]Covered) {
	best, worst := Covered{Can: Nowhere}, Covered{Can: Fires}
	order := []Can{Nowhere, Hidden, Unseen, Learns, Partly, Fires}
	for _, one := range r.correlation.rules {
		of := w.covered(one, now, memo)
		of.Why = strings.TrimSuffix(one.Title+": "+of.Why, ": ")
		if slices.Index(order, of.Can) >= slices.Index(order, best.Can) {
			best = of
		}
		if slices.Index(order, of.Can) < slices.Index(order, worst.Can) {
			worst = of
		}
	}
	if c.Can, c.Why = worst.Can, worst.Why; r.correlation.least > 0 {
		c.Can, c.Why = best.Can, best.Why
	}
	if c.Can == Fires {
		c.Why = ""
	}
}

// alone says what is known of a rule about single events.
func (w *Watched) alone(r *Rule, c *Covered, now time.Time) {
	can, hidden, first := 0, 0, now
	example := ""
	for k, t := range w.kinds {
		if k.source != r.log.Source {
			continue
		}
		switch whole, kept := r.mayFire(&k, true), r.mayFire(&k, false); {
		case kept:
			can += t.Count
			if t.First.Before(first) {
				first = t.First
			}
		case whole:
			if hidden += t.Count; example == "" || k.words(r.log) < example {
				example = k.words(r.log)
			}
		}
	}
	switch {
	case can > 0 && r.baseline != nil && r.baseline.kind != burst && now.Sub(first) < r.baseline.warmUp:
		c.Can = Learns
		c.Why = fmt.Sprintf("it watches for %s before it tells anything, until %s", spanText(r.baseline.warmUp),
			first.Add(r.baseline.warmUp).UTC().Format("2006-01-02 15:04"))
	case can > 0:
		c.Can = Fires
	case hidden > 0:
		c.Can = Hidden
		c.Why = fmt.Sprintf("the audit policy leaves out what requests write: %s it is about came without, such as %s", count(hidden, "request"), example)
	default:
		c.Can = Unseen
		c.Why = "no request that it is about was seen (" + r.asks() + "): the audit policy leaves them out, or nobody asked"
	}
}

// mayFire says that a rule may hold for events of a kind; whole is if the log kept all of them.
func (r *Rule) mayFire(k *kind, whole bool) bool {
	f := event.Fields{}
	index := r.log.Index[:min(len(r.log.Index), maxIndex)]
	for i, field := range index {
		if k.values[i] != "" {
			f[field] = k.values[i : i+1]
		}
	}
	return r.condition.may(f, func(field string) bool {
		switch {
		case slices.Contains(index, field):
			return false
		case r.log.written(field):
			return whole || k.level != r.log.Least
		}
		return true
	}) != no
}

// asks is what a rule is about, by the fields that it is found by.
func (r *Rule) asks() string {
	var out []string
	for _, field := range r.log.Index {
		values, ok := r.condition.needs(field)
		if !ok {
			continue
		}
		values = slices.Compact(slices.Sorted(slices.Values(values)))
		out = append(out, field+" "+strings.Join(values[:min(len(values), 8)], " or "))
	}
	if len(out) == 0 {
		return "any"
	}
	return strings.Join(out, ", ")
}

// words are what a kind is, for people.
func (k *kind) words(l *Log) string {
	var out []string
	for i := range l.Index {
		if v := k.values[i]; v != "" {
			out = append(out, l.Index[i]+" "+v)
		}
	}
	return strings.Join(append(out, l.Level+" "+k.level), ", ")
}

// Kinds are how many kinds of events were seen, and how many events of kinds beyond those that are remembered.
func (w *Watched) Kinds() (kinds, beyond int) { return len(w.kinds), w.other }

// Since is when the first event was seen; zero if none was.
func (w *Watched) Since() (first time.Time) {
	for t := range maps.Values(w.kinds) {
		if first.IsZero() || t.First.Before(first) {
			first = t.First
		}
	}
	return first
}
