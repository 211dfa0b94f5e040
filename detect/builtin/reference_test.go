package builtin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/test/golden"
)

//go:generate go test -run Reference -update

func TestReferenceOfDetectionsIsFresh(t *testing.T) {
	rules, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "../../docs/reference/detections.md", reference(rules, Logs()))
}

// reference is the page of all detections and of the fields that rules may ask for.
func reference(rules *detect.Rules, logs []detect.Log) string {
	p := &page{}
	p.text("# Detections\n\nMade from the rules in `packs/detect` and the fields of their logs: `make generate` rewrites it.\n")
	p.text("Rules are [Sigma](https://sigmahq.io) files; `why`, `fix`, `evidence`, `per`, `alone`, `baseline` and `tests` are ours. A rule is\n" +
		"about one event, or remembers earlier ones. Facts that need more than one, such as the person behind a controller, the engine adds.\n")
	for _, r := range rules.All() {
		p.rule(r.(*detect.Rule))
	}
	p.text("## Writing a rule\n\n" + howTo)
	for _, l := range logs {
		p.text("## Fields of %s\n\n`logsource: {%s}`. Rules are found by `%s`.\n\n| field | meaning | example |\n|---|---|---|",
			title(l.Source), logsource(l.Source), strings.Join(l.Index, "`, `"))
		for _, f := range l.Fields {
			p.field(f)
		}
		p.aliases(l)
	}
	return p.String()
}

const howTo = `A value matches whole and without regard to case; ` + "`*`" + ` is any text and ` + "`?`" +
	` any character. A list means any of its
values; a field with many values matches if one of them does; ` + "`null`" + ` is a field that is absent. Modifiers:
` + "`contains`, `startswith`, `endswith`, `all`, `cased`, `re`, `cidr`, `exists`, `gt`, `gte`, `lt`, `lte`, `fieldref`" + `. Conditions
know ` + "`and`, `or`, `not`, parentheses, `1 of x*`, `all of x*`, `1 of them`" + `. An unknown key, field or modifier and a
selection that the condition does not use are errors that name file and line. A rule needs a test that fires and one
that stays quiet; ` + "`breakwater rules test FOLDER`" + ` runs them.

` + "`evidence`" + ` is what the alert says, a sentence each, with fields in braces; a sentence about an absent field is left out.
` + "`per`" + ` is what makes two alerts of a rule differ: fields, or ` + "`actor` and `target`" + `, which are the default. The same thing
again within a day of the last time adds to the alert's count.

A rule with a ` + "`correlation`" + ` instead of a detection is about events of other rules, which it names by id or name: ` + "`event_count` and `value_count`" + `
want so many (` + "`gte`, `gt`, `eq`" + `), ` + "`temporal` and `temporal_ordered`" + ` one of each, within ` + "`timespan`" + ` and for each group of ` + "`group-by`" + `. Its rules
do not alert by themselves unless it says ` + "`generate: true`" + `; a rule that never should says ` + "`alone: false`" + `.

A rule with a ` + "`baseline`" + ` alerts of those of its events that are unlike earlier ones, and says how long it watched:

| type | alerts if | keys beside ` + "`group-by`, `value`, `warm-up` (7d), `events` (20), `forget` (30d)" + ` |
|---|---|---|
| ` + "`first_seen`" + ` | the group never had the value | |
| ` + "`rare`" + ` | no more than a share of the group's events had it | ` + "`share`" + ` |
| ` + "`burst`" + ` | within a time there are at least so many events, or different values, and so many times more than ever before | ` +
	"`at-least`, `timespan` (1m), `factor` (3)" + ` |
| ` + "`peer`" + ` | no more than so many of those who have ` + "`peers`" + ` in common ever had it | ` + "`peers`, `at-most` (0), `peers-at-least` (3)" + ` |

What is remembered survives restarts and has bounds; ` + "`breakwater rules coverage`" + ` and the API say what had to be forgotten, and which rules can
fire on what a cluster's log shows.

Sigma rules that were written for other tools (SigmaHQ's) load as they are: a rule with none of the keys that are ours
brings no tests, says ` + "`description`" + ` as its why, and may name fields as they do there. What it asks for and no field here
gives never holds; ` + "`breakwater rules test FOLDER`" + ` names such rules, and which of them can never fire.
`

type page struct{ strings.Builder }

func (p *page) text(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) rule(r *detect.Rule) {
	p.text("## %s\n\n`%s`, %s, %s, on %s.\n\n%s\n**What to do.** %s", r.Title, r.ID, r.Severity, strings.Join(r.Attack, " "),
		title(r.Source()), r.Why, r.Fix)
	if len(r.Quiet) > 0 {
		p.text("It stays quiet on:\n")
		for _, q := range r.Quiet {
			p.text("- %s", q)
		}
		p.text("")
	}
}

func (p *page) field(f event.Field) {
	p.text("| `%s` | %s | `%s` |", f.Name, strings.ReplaceAll(f.Sentence, "|", "\\|"), strings.ReplaceAll(f.Example, "|", "\\|"))
}

// aliases are the names of fields that rules of others may use.
func (p *page) aliases(l detect.Log) {
	if len(l.Aliases) == 0 {
		return
	}
	p.text("\nRules that were written for other tools may say as well:\n\n| field | is |\n|---|---|")
	for _, name := range slices.Sorted(maps.Keys(l.Aliases)) {
		p.text("| `%s` | `%s` |", name, l.Aliases[name])
	}
	p.text("")
}

// logsource is a source as a rule writes it.
func logsource(s event.Source) string {
	out := "product: " + s.Product
	if s.Service != "" {
		out += ", service: " + s.Service
	}
	if s.Category != "" {
		out += ", category: " + s.Category
	}
	return out
}

// title is a source in words.
func title(s event.Source) string {
	return strings.Join(strings.Fields(s.Product+" "+s.Service+" "+s.Category), " ")
}
