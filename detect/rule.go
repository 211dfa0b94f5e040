package detect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// file is a rule as it is written: Sigma's keys, and beside them ours: why, fix,
// evidence, per and tests.
type file struct {
	Title       string   `yaml:"title"`
	ID          string   `yaml:"id"`
	Status      string   `yaml:"status"`
	Description string   `yaml:"description"`
	Author      string   `yaml:"author"`
	Date        string   `yaml:"date"`
	Modified    string   `yaml:"modified"`
	License     string   `yaml:"license"`
	References  []string `yaml:"references"`
	// These of Sigma's keys are read and not used.
	Name           string            `yaml:"name"`
	Taxonomy       string            `yaml:"taxonomy"`
	Scope          []string          `yaml:"scope"`
	UsedFor        []string          `yaml:"fields"`
	Related        []strictyaml.Node `yaml:"related"`
	FalsePositives []string          `yaml:"falsepositives"`
	Level          string            `yaml:"level"`
	Tags           []string          `yaml:"tags"`
	Logsource      struct {
		Product    string `yaml:"product"`
		Service    string `yaml:"service"`
		Category   string `yaml:"category"`
		Definition string `yaml:"definition"`
	} `yaml:"logsource"`
	Detection map[string]strictyaml.Node `yaml:"detection"`
	// Correlation stands instead of a detection; Baseline is ours.
	Correlation *correlationFile `yaml:"correlation"`
	Baseline    *baselineFile    `yaml:"baseline"`
	Why         string           `yaml:"why"`
	Fix         string           `yaml:"fix"`
	// Evidence is what an alert says happened, a sentence each, with fields in
	// braces. A sentence about an absent field is left out.
	Evidence []string `yaml:"evidence"`
	// Alone is false for a rule that is there for correlations only, and does not alert.
	Alone *bool `yaml:"alone"`
	// Per is what makes two alerts of the rule differ, beside the cluster: fields,
	// or actor and target, which are the default.
	Per   []string `yaml:"per"`
	Tests []struct {
		Name  string `yaml:"name"`
		Event string `yaml:"event"`
		Fires bool   `yaml:"fires"`
	} `yaml:"tests"`
}

// Rule is one compiled rule.
type Rule struct {
	rule.Head
	log       *Log
	condition expr
	evidence  []string
	per       []string
	cases     []rule.Case
	attacks   []attack
	foreign   *rule.Foreign
	name      string // by which correlations may call it
	// A rule that remembers is one or the other; which rules a correlation is of is known when all are read.
	correlation *correlation
	baseline    *baseline
	link        func(find func(name string) (*Rule, error)) error
	uses        []use // the correlations it is part of
	silent      bool  // it is there for them alone
	folder      int   // which of the file systems it is from
	// Quiet is what the rule says it does not fire on.
	Quiet []string
}

// Cases are the rule's own tests.
func (r *Rule) Cases() []rule.Case { return r.cases }

// closure is a rule and those that it is a correlation of.
func (r *Rule) closure(have []*Rule) []*Rule {
	if slices.Contains(have, r) {
		return have
	}
	have = append(have, r)
	if r.correlation != nil {
		for _, one := range r.correlation.rules {
			have = one.closure(have)
		}
	}
	return have
}

// tried are the rules that its own tests are run on: it, and what it is of. One that is there for
// correlations alone is tried as if it were not.
func (r *Rule) tried() []*Rule {
	if !r.silent {
		return r.closure(nil)
	}
	alone := *r
	alone.silent, alone.uses = false, nil
	return []*Rule{&alone}
}

// Source is the log that the rule is about.
func (r *Rule) Source() event.Source { return r.log.Source }

// compiler makes rules of the files of one file system.
type compiler struct {
	logs []Log
	fsys fs.FS
}

func (c *compiler) compile(f *rule.File, b *file) (rule.Rule, error) {
	r := &Rule{Head: rule.Head{ID: b.ID, Title: b.Title, Severity: b.Level, Why: b.Why, Fix: b.Fix}, per: b.Per, evidence: b.Evidence,
		Quiet: b.FalsePositives, name: b.Name, silent: b.Alone != nil && !*b.Alone}
	if b.isForeign() {
		r.adopt(b)
	}
	var err error
	if r.Attack, err = techniques(b.Tags); err != nil {
		return nil, f.Errorf(err, "tags")
	}
	if !severity.IsRated(r.Severity) {
		return nil, f.Errorf(fmt.Errorf("level %q: want one of %s", b.Level, strings.Join(severity.Rated, ", ")), "level")
	}
	c.tests(f, r, b)
	switch {
	case b.Correlation == nil:
		return r, c.detects(f, r, b)
	case len(b.Detection) > 0 || b.Baseline != nil:
		return nil, f.Errorf(errors.New("want a correlation or a detection, and a baseline with a detection"), "correlation")
	}
	return r, r.correlate(f, b.Correlation)
}

// detects compiles what a rule that is about single events looks for.
func (c *compiler) detects(f *rule.File, r *Rule, b *file) error {
	source := event.Source{Product: b.Logsource.Product, Service: b.Logsource.Service, Category: b.Logsource.Category}
	i := slices.IndexFunc(c.logs, func(l Log) bool { return l.is(source) })
	if i < 0 {
		return f.Errorf(fmt.Errorf("no log is %q", title(source)), "logsource")
	}
	r.log = &c.logs[i]
	if r.foreign != nil {
		r.evidence = r.log.Says
	}
	var err error
	if r.condition, err = r.detection(f, b.Detection); err != nil {
		return err
	}
	if r.foreign != nil {
		r.foreign.Never = r.condition.never()
	}
	if b.Baseline != nil {
		if err := r.learns(f, b.Baseline); err != nil {
			return err
		}
	}
	if err := r.names(f); err != nil {
		return err
	}
	if len(r.per) == 0 {
		r.per = []string{"actor", "target"}
	}
	return nil
}

var (
	techniqueTag = regexp.MustCompile(`^attack\.t[0-9]{4}(\.[0-9]{3})?$`)
	otherTag     = regexp.MustCompile(`^[a-z0-9_-]+\.[a-z0-9._-]+$`)
)

// techniques reads attack.t1611 and passes over tactics, attack.execution, and
// Sigma's other namespaces, cve.2021-44228.
func techniques(tags []string) (out []string, err error) {
	for _, t := range tags {
		switch {
		case techniqueTag.MatchString(t):
			out = append(out, strings.ToUpper(strings.TrimPrefix(t, "attack.")))
		case !otherTag.MatchString(t):
			return nil, fmt.Errorf("tag %q: want attack.TACTIC, attack.tNNNN or another NAMESPACE.NAME", t)
		}
	}
	return out, nil
}

const maxSelections = 64

// detection compiles the selections and the condition over them.
func (r *Rule) detection(f *rule.File, detection map[string]strictyaml.Node) (expr, error) {
	condition := detection["condition"]
	delete(detection, "condition")
	if len(detection) > maxSelections {
		return nil, f.Errorf(fmt.Errorf("more than %d selections", maxSelections), "detection")
	}
	selections := map[string]expr{}
	for _, name := range slices.Sorted(maps.Keys(detection)) {
		node := detection[name]
		e, err := r.selection(&node)
		if err != nil {
			return nil, err.at(f, &node)
		}
		selections[name] = e
	}
	if condition.Kind != strictyaml.Scalar {
		return nil, f.Errorf(errors.New("want a condition, in one line"), "detection", "condition")
	}
	e, err := parseCondition(condition.Value, selections)
	if err != nil {
		return nil, f.Errorf(err, "detection", "condition")
	}
	return e, nil
}

// names checks the fields that evidence and per ask for.
func (r *Rule) names(f *rule.File) error {
	for _, sentence := range r.evidence {
		for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
			if err := r.log.known(m[1]); err != nil {
				return f.Errorf(err, "evidence")
			}
		}
	}
	for _, name := range r.per {
		if name == "actor" || name == "target" {
			continue
		}
		if err := r.log.known(name); err != nil {
			return f.Errorf(err, "per")
		}
	}
	if len(r.evidence) == 0 {
		return f.Errorf(errors.New("want evidence: at least one sentence that says what happened"), "evidence")
	}
	return nil
}

// tests are run through the engine that production uses, over the events that
// stand beside the rule.
func (c *compiler) tests(f *rule.File, r *Rule, b *file) {
	for _, t := range b.Tests {
		name := path.Join(path.Dir(f.Path), t.Event)
		read := func() ([]event.Event, error) { return c.read(r, name) }
		if t.Fires {
			r.attacks = append(r.attacks, attack{t.Name, read})
		}
		r.cases = append(r.cases, rule.Case{Name: t.Name, Fires: t.Fires, Run: func() error {
			events, err := read()
			if err != nil {
				return err
			}
			alerts := New(newRules(r.tried()), nil, Options{}).Feed(events)
			got := slices.ContainsFunc(alerts, func(a Alert) bool { return a.Rule == r.ID })
			if got != t.Fires {
				return fmt.Errorf("fires %v, want %v", got, t.Fires)
			}
			return nil
		}})
	}
}

// read reads the events that a test is run on.
func (c *compiler) read(r *Rule, name string) ([]event.Event, error) {
	in, err := c.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	events, err := r.log.Decode(in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(events) == 0:
		return nil, fmt.Errorf("%s holds no events", name)
	}
	return events, nil
}
