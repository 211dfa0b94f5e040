package detect

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/event"
)

// others is a rule in the form of SigmaHQ's, for a log that its writer names
// otherwise, as he does a field.
const others = `title: Something happens
id: 3f2b8a52-0c1d-4c53-9a5e-1f9f2f5d7a11
related:
    - id: 0c9b3bda-41a6-4442-9345-356ae86343dc
      type: similar
status: experimental
description: A thing was made.
references:
    - https://example.org/things
author: nobody
date: 2026-01-01
tags:
    - attack.initial-access
    - attack.t1609
    - cve.2021-44228
logsource:
    category: application
    product: test
    service: log
detection:
    selection:
        verb: 'create'
        nick: '*'
    condition: selection
falsepositives:
    - Unknown
level: informational
`

func loadOthers(text string) (*Rules, error) {
	log := logs[0]
	log.Fields = append(slices.Clone(log.Fields), event.Field{Name: "code", Number: true})
	log.Forms = []event.Source{{Product: "test", Service: "log", Category: "application"}}
	log.Aliases = map[string]string{"nick": "name"}
	log.Says = []string{"{name} was made.", "Its size is {size}."}
	return Load([]Log{log}, fstest.MapFS{"detect/test/a.yaml": {Data: []byte(text)}})
}

func TestARuleOfOthersLoadsAndFires(t *testing.T) {
	r, err := loadOthers(others)
	if err != nil {
		t.Fatal(err)
	}
	one := r.All()[0].(*Rule)
	if h := one.Header(); h.Severity != "low" || h.Why != "A thing was made." || !strings.Contains(h.Fix, "https://example.org/things") ||
		!slices.Equal(h.Attack, []string{"T1609"}) || len(one.Foreign().Missing) > 0 || one.Foreign().Never {
		t.Errorf("%+v %+v", h, one.Foreign())
	}
	alerts := New(r, nil, Options{}).Feed([]event.Event{
		{ID: "1", Source: source, Fields: event.Fields{"verb": {"create"}, "name": {"x"}}},
		{ID: "2", Source: source, Fields: event.Fields{"verb": {"create"}}}})
	if len(alerts) != 1 || !slices.Equal(alerts[0].Evidence, []string{"x was made."}) {
		t.Errorf("%+v", alerts)
	}
	if ours, err := load(good); err != nil || ours.All()[0].(*Rule).Foreign() != nil {
		t.Errorf("a rule of ours is taken for one of others: %v", err)
	}
}

func TestWhatOfARuleOfOthersCanNeverHoldIsSaid(t *testing.T) {
	const missing = `test log has no field "port"`
	tests := []struct {
		name, selection, condition, missing string
		never                               bool
	}{
		{"a field that is not there", "port: 1", "selection", missing, true},
		{"one of two ways asks for it", "port: 1", "selection or other", missing, false},
		{"both ways ask for it", "port: 1", "(selection and other) or selection", missing, true},
		{"it is what must not be", "port: 1", "other and not selection", missing, false},
		{"that it is absent is wanted", "port: null", "selection and other", missing, false},
		{"that it does not exist is wanted", "port|exists: false", "selection and other", missing, false},
		{"text of a number", "code: ALLOW", "selection", "code is a number, never allow", true},
		{"text of a number, or no number", "code: [ALLOW, null]", "selection", "", false},
		{"text of a number, or a number", "code: [ALLOW, 403]", "selection", "", false},
		{"the beginning of a number", "code|startswith: 4", "selection", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := strings.Replace(others, "        verb: 'create'\n        nick: '*'\n    condition: selection",
				"        "+test.selection+"\n    other: {verb: get}\n    condition: "+test.condition, 1)
			if !strings.Contains(test.condition, "other") {
				text = strings.Replace(text, "    other: {verb: get}\n", "", 1)
			}
			r, err := loadOthers(text)
			if err != nil {
				t.Fatal(err)
			}
			if f := r.All()[0].(*Rule).Foreign(); strings.Join(f.Missing, "") != test.missing || f.Never != test.never {
				t.Errorf("%+v, want %q, never %v", f, test.missing, test.never)
			}
		})
	}
}

func TestARuleWithOneOfOurKeysIsHeldToAllOfThem(t *testing.T) {
	for _, key := range []string{"why: x", "fix: x", "evidence: [x]", "per: [name]", "tests: [{name: a, event: a.json, fires: true}]"} {
		if _, err := loadOthers(others + key + "\n"); err == nil {
			t.Errorf("%s: the rest may be missing", key)
		}
	}
}
