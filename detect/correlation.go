package detect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
)

// correlationFile is what Sigma's correlations say: events of other rules that belong together.
type correlationFile struct {
	Type     string   `yaml:"type"`
	Rules    []string `yaml:"rules"`
	GroupBy  []string `yaml:"group-by"`
	Timespan string   `yaml:"timespan"`
	// Condition is how many there must be; of value_count, different values of a field.
	Condition struct {
		Field string `yaml:"field"`
		GTE   *int   `yaml:"gte"`
		GT    *int   `yaml:"gt"`
		Eq    *int   `yaml:"eq"`
		LTE   *int   `yaml:"lte"`
		LT    *int   `yaml:"lt"`
	} `yaml:"condition"`
	// Aliases are names for fields that are called otherwise in each rule: by name, then by rule.
	Aliases map[string]map[string]string `yaml:"aliases"`
	// Generate lets the rules alert by themselves, too.
	Generate bool `yaml:"generate"`
}

// Types of correlations.
const (
	eventCount      = "event_count"
	valueCount      = "value_count"
	temporal        = "temporal"
	temporalOrdered = "temporal_ordered"
)

// correlation is one compiled: which rules, within which time, how often, of which group.
type correlation struct {
	kind    string
	rules   []*Rule
	span    time.Duration
	groupBy []string
	field   string // of value_count
	aliases map[string]map[string]string
	least   int
	silent  bool // the rules do not alert by themselves
}

// use is a rule's place in a correlation.
type use struct {
	of *Rule
	at int
}

// Bounds of a correlation: what is counted is remembered.
const (
	maxCorrelated = 16
	maxCount      = 1000
	maxSpan       = 30 * 24 * time.Hour
)

// correlate compiles all of a correlation but its rules, which may not be read yet.
func (r *Rule) correlate(f *rule.File, c *correlationFile) error {
	wrong := func(err error, key ...string) error { return f.Errorf(err, append([]string{"correlation"}, key...)...) }
	out := &correlation{kind: c.Type, groupBy: c.GroupBy, field: c.Condition.Field, aliases: c.Aliases, silent: !c.Generate}
	var err error
	if out.span, err = parseSpan(c.Timespan); err != nil {
		return wrong(err, "timespan")
	}
	least, counts := c.least()
	switch {
	case len(c.Rules) == 0 || len(c.Rules) > maxCorrelated:
		return wrong(fmt.Errorf("want 1 to %d rules, by name or id", maxCorrelated), "rules")
	case c.Condition.LT != nil || c.Condition.LTE != nil:
		return wrong(errors.New("want gte, gt or eq: what does not happen is not waited for"), "condition")
	}
	switch c.Type {
	case eventCount, valueCount:
		if !counts || least < 1 || least > maxCount {
			return wrong(fmt.Errorf("want gte, gt or eq, and a count of 1 to %d", maxCount), "condition")
		}
		if (c.Type == valueCount) != (out.field != "") {
			return wrong(errors.New("want a field for value_count, and for no other type"), "condition")
		}
		out.least = least
	case temporal, temporalOrdered:
		if counts || out.field != "" {
			return wrong(fmt.Errorf("%s wants no condition: each of its rules must hold", c.Type), "condition")
		}
		if len(c.Rules) < 2 {
			return wrong(fmt.Errorf("%s wants two rules or more", c.Type), "rules")
		}
	default:
		return wrong(fmt.Errorf("type %q: want %s, %s, %s or %s", c.Type, eventCount, valueCount, temporal, temporalOrdered), "type")
	}
	r.correlation = out
	r.link = func(find func(string) (*Rule, error)) error {
		for _, name := range c.Rules {
			one, err := find(name)
			if err == nil && one.log != nil && r.log != nil && one.log.Source != r.log.Source {
				err = fmt.Errorf("rule %q is about %s: want rules about one log", name, title(one.log.Source))
			}
			if err != nil {
				return wrong(err, "rules")
			}
			out.rules = append(out.rules, one)
			r.log = cmp.Or(r.log, one.log)
		}
		return r.linked(f, wrong, c.Rules)
	}
	return nil
}

// linked checks what can be checked when the rules, and so their log, are known.
func (r *Rule) linked(f *rule.File, wrong func(error, ...string) error, names []string) error {
	c := r.correlation
	if r.log == nil {
		return wrong(errors.New("its rules are correlations of each other: want one that is about events"), "rules")
	}
	for _, name := range append(slices.Clone(c.groupBy), c.field) {
		if _, aliased := c.aliases[name]; name == "" || aliased {
			continue
		}
		if err := r.log.known(r.log.field(name)); err != nil {
			return wrong(err, "group-by")
		}
	}
	for alias, by := range c.aliases {
		for of, field := range by {
			if !slices.Contains(names, of) {
				return wrong(fmt.Errorf("%q is none of the rules", of), "aliases", alias)
			}
			if err := r.log.known(r.log.field(field)); err != nil {
				return wrong(err, "aliases", alias)
			}
		}
	}
	if r.foreign != nil {
		r.evidence = r.log.Says
		r.foreign.Never = c.never()
	}
	return r.names(f)
}

// never says that what it is of can never hold here.
func (c *correlation) never() bool {
	never := 0
	for _, r := range c.rules {
		if r.foreign != nil && r.foreign.Never {
			never++
		}
	}
	return never == len(c.rules) || never > 0 && c.least == 0
}

// least is how many there must be.
func (c *correlationFile) least() (n int, counts bool) {
	switch w := c.Condition; {
	case w.GTE != nil:
		return *w.GTE, true
	case w.Eq != nil: // it is so many in the moment it becomes so many
		return *w.Eq, true
	case w.GT != nil:
		return *w.GT + 1, true
	}
	return 0, false
}

var units = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}

// parseSpan reads 30s, 5m, 1h, 7d, 2w.
func parseSpan(text string) (time.Duration, error) {
	if len(text) > 1 {
		n, err := strconv.Atoi(text[:len(text)-1])
		unit := units[text[len(text)-1]]
		if err == nil && unit > 0 && n > 0 && int64(n) <= int64(maxSpan/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, fmt.Errorf("time %q: want a number and s, m, h, d or w, up to 30d", text)
}

// spanText is a time in words.
func spanText(d time.Duration) string {
	for _, u := range []struct {
		one  time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if d >= u.one && (d%u.one == 0 || d >= 2*u.one) {
			return count(int(d/u.one), u.name)
		}
	}
	return "a moment"
}

// count is how many of something there are.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// values are those of fields, as one rule of the correlation calls them.
func (c *correlation) values(r *Rule, names []string, e *event.Event) (out []string) {
	for _, name := range names {
		field := r.log.field(name)
		for of, own := range c.aliases[name] {
			if r.is(of) {
				field = r.log.field(own)
			}
		}
		out = append(out, strings.Join(e.Fields[field], ", "))
	}
	return out
}

// is says that a rule is called so.
func (r *Rule) is(name string) bool { return r.ID == name || r.name != "" && r.name == name }

// about names a group: its fields and their values.
func about(names, values []string) string {
	var out []string
	for i, name := range names {
		out = append(out, name+" "+cmp.Or(short([]string{values[i]}), "(none)"))
	}
	return strings.Join(out, ", ")
}

// correlated takes an event of one of a correlation's rules, and says what came together, if something did.
func (g *Engine) correlated(u use, r *Rule, e *event.Event) (said string, together bool) {
	c := u.of.correlation
	group := c.values(r, c.groupBy, e)
	m := g.memory(u.of)
	s := m.group(e, group)
	now := e.Time.UnixMilli()
	what := entry{At: now, What: hash64(act(e))}
	if c.kind == valueCount {
		values := c.values(r, []string{c.field}, e)
		if values[0] == "" {
			return "", false
		}
		what = entry{At: now, What: hash64(values...), Text: cut(values[0])}
	}
	m.grow(s, func() {
		switch c.kind {
		case temporal:
			if s.pass(len(c.rules), u.at, now, c.span) {
				said = c.together(s)
			}
		case temporalOrdered:
			if s.follow(len(c.rules), u.at, now, c.span) {
				said = c.followed(s.Entries[u.at])
			}
		default:
			if s.enter(what, c.span, c.least) && len(s.Entries) >= c.least {
				said = c.counted(s)
			}
		}
		if said != "" {
			s.Entries = nil // the next alert wants as many again
		}
	})
	m.touch(s)
	if said != "" && len(group) > 0 {
		said += " It holds for " + about(c.groupBy, group) + "."
	}
	return said, said != ""
}

// counted says what came together.
func (c *correlation) counted(s *state) string {
	first, last := s.Entries[0].At, s.Entries[len(s.Entries)-1].At
	within := fmt.Sprintf("within %s (from %s to %s)", spanText(c.span), clock(first), clock(last))
	if c.kind == eventCount {
		return fmt.Sprintf("There were %s %s, each of: %s.", count(len(s.Entries), "event"), within, c.titles())
	}
	var values []string
	for _, e := range s.Entries[:min(len(s.Entries), 12)] {
		values = append(values, e.Text)
	}
	return fmt.Sprintf("There were %d different values of %s %s, such as %s.", len(s.Entries), c.field, within, short(values))
}

// together says that each rule held, and when last.
func (c *correlation) together(s *state) string {
	var what []string
	for i, e := range s.Entries {
		what = append(what, c.rules[i].Title+" ("+clock(e.At)+")")
	}
	return fmt.Sprintf("Within %s this came together: %s.", spanText(c.span), strings.Join(what, "; "))
}

// followed says that each rule held after the one before it.
func (c *correlation) followed(last entry) string {
	var what []string
	for _, r := range c.rules {
		what = append(what, r.Title)
	}
	return fmt.Sprintf("Within %s (from %s to %s) this happened in order: %s.", spanText(c.span), clock(last.From), clock(last.At),
		strings.Join(what, "; "))
}

func (c *correlation) titles() string {
	var out []string
	for _, r := range c.rules {
		add(&out, r.Title, maxCorrelated)
	}
	return strings.Join(out, "; ")
}

// clock is a moment as evidence tells it.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") }

// act is what tells an event's act from others.
func act(e *event.Event) string {
	id, act := e.Identity()
	return cmp.Or(act, id)
}
