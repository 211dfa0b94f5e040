// Package rule is what all rule files share: a head, strict loading from a file
// system with errors that name file and line, and running the tests that every
// rule carries. It knows no engine: the package that runs a kind of rule owns its body,
// compiles it and says how its tests are run.
package rule

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/breakwater-sec/breakwater/severity"
)

// Head is what every rule says of itself, for every engine.
type Head struct {
	ID    string `yaml:"id" json:"id"`
	Title string `yaml:"title" json:"title"`
	// Severity is low, medium, high or critical.
	Severity string `yaml:"severity" json:"severity"`
	// Attack lists MITRE ATT&CK techniques, such as T1611.
	Attack []string `yaml:"attack" json:"attack,omitempty"`
	// Why says what an attacker gains and how; Fix what ends it.
	Why string `yaml:"why" json:"why"`
	Fix string `yaml:"fix" json:"fix"`
	// File is where the rule was loaded from.
	File string `yaml:"-" json:"-"`
}

// Header gives the head, so that a body that embeds it is a Rule but for its cases.
func (h *Head) Header() *Head { return h }

// Rule is a compiled rule of any engine.
type Rule interface {
	Header() *Head
	// Cases are the rule's own tests.
	Cases() []Case
}

// Foreign is what is known of a rule that was written for other tools. It brings no
// tests, so that it is looked at instead: what of it can hold here.
type Foreign struct {
	// Missing are what it asks for and nothing here gives.
	Missing []string
	// Never says that it can therefore never fire.
	Never bool
}

// foreign is what a rule says of itself, or nil if it is one of ours.
func foreign(r Rule) *Foreign {
	if f, ok := r.(interface{ Foreign() *Foreign }); ok {
		return f.Foreign()
	}
	return nil
}

// Case is one test of a rule. Fires says that the rule is expected to find
// something, rather than to stay quiet.
type Case struct {
	Name  string
	Fires bool
	Run   func() error
}

var (
	idForm        = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	techniqueForm = regexp.MustCompile(`^T[0-9]{4}(\.[0-9]{3})?$`)
)

// check says which key of the head is wrong and what was wanted.
func (h *Head) check() (key string, err error) {
	switch {
	case !idForm.MatchString(h.ID):
		return "id", fmt.Errorf("id %q: want lower-case words joined by hyphens", h.ID)
	case strings.TrimSpace(h.Title) == "":
		return "title", fmt.Errorf("want a title")
	case !severity.IsRated(h.Severity):
		return "severity", fmt.Errorf("severity %q: want one of %s", h.Severity, strings.Join(severity.Rated, ", "))
	case strings.TrimSpace(h.Why) == "":
		return "why", fmt.Errorf("want a why: what an attacker gains")
	case strings.TrimSpace(h.Fix) == "":
		return "fix", fmt.Errorf("want a fix: what ends it")
	}
	for _, t := range h.Attack {
		if !techniqueForm.MatchString(t) {
			return "attack", fmt.Errorf("technique %q: want one such as T1611 or T1078.004", t)
		}
	}
	return "", nil
}

// checkCases wants a test that fires and one that stays quiet, each named once.
func checkCases(cases []Case) error {
	fires, quiet, seen := false, false, map[string]bool{}
	for _, c := range cases {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("test %q: want a name that no other test of the rule has", c.Name)
		}
		seen[c.Name] = true
		fires, quiet = fires || c.Fires, quiet || !c.Fires
	}
	if !fires || !quiet {
		return fmt.Errorf("want a test that fires and a test that stays quiet")
	}
	return nil
}
