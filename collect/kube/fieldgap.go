package kube

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// fieldGaps are fields that a type does not have: newer than we know, or misspelt,
// which an API server passes over too. Each is told once, however often it stands.
type fieldGaps struct {
	fields map[string]*fieldGap
	more   int // of other fields than the first
}

type fieldGap struct {
	first string
	count int
}

const maxFieldGaps = 100

var index = regexp.MustCompile(`\[\d+\]`)

// add notes what strict decoding of an object of a kind complained about.
func (g *fieldGaps) add(where, kind string, strict []error) {
	for _, err := range strict {
		path, ok := strings.CutPrefix(err.Error(), "unknown field ")
		if !ok || strings.HasPrefix(path, `"status`) { // what is said of an object is not what it asks for
			continue
		}
		field := kind + " " + index.ReplaceAllString(strings.Trim(path, `"`), "[]")
		if len(field) > 256 {
			field = strings.ToValidUTF8(field[:256], "") + "…"
		}
		switch known := g.fields[field]; {
		case known != nil:
			known.count++
		case len(g.fields) >= maxFieldGaps:
			g.more++
		default:
			if g.fields == nil {
				g.fields = map[string]*fieldGap{}
			}
			g.fields[field] = &fieldGap{where, 1}
		}
	}
}

func (g *fieldGaps) tell(f *collect.Facts) {
	for _, field := range slices.Sorted(maps.Keys(g.fields)) {
		gap := g.fields[field]
		why := "unknown field, in " + gap.first
		if gap.count > 1 {
			why += fmt.Sprintf(" and %d more", gap.count-1)
		}
		f.Apply(fieldChange(field, why))
	}
	if g.more > 0 {
		f.Apply(fieldChange("more fields", fmt.Sprintf("%d more unknown fields", g.more)))
	}
}

func fieldChange(what, why string) collect.Change {
	return collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Source: "file", What: what, Why: why, Since: time.Now(),
		Consequence: "It is misspelt, or newer than what is known here; without it the object counts as an API server of known fields takes it."}}
}
