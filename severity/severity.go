// Package severity is the one scale of how bad something is: a vulnerability, a
// rule, an alert, a path. It orders the words, in any case, and knows nothing of
// what they are said about.
package severity

import (
	"fmt"
	"slices"
	"strings"
)

// Severity is a word of the scale, as the graph writes it.
type Severity string

// The severities, lowest first. Unknown says that nobody rated it.
const (
	Unknown  Severity = "Unknown"
	None     Severity = "None"
	Low      Severity = "Low"
	Medium   Severity = "Medium"
	High     Severity = "High"
	Critical Severity = "Critical"
)

// Scale is every word, lowest first.
var Scale = []string{string(Unknown), string(None), string(Low), string(Medium), string(High), string(Critical)}

// Rated are the words that a rule, an alert or a path's risk can have, lowest
// first and as those write them.
var Rated = []string{"low", "medium", "high", "critical"}

// Parse reads a word in any case.
func Parse(word string) (Severity, bool) {
	if at := Rank(word); at >= 0 {
		return Severity(Scale[at]), true
	}
	return Unknown, false
}

// Rank orders words, in any case; what is no word of the scale is below all.
func Rank[Word ~string](w Word) int {
	return slices.IndexFunc(Scale, func(s string) bool { return strings.EqualFold(s, string(w)) })
}

// Compare orders two words, the lower first.
func Compare[Word ~string](a, b Word) int { return Rank(a) - Rank(b) }

// IsRated says that a rule can have the word, written just so.
func IsRated(word string) bool { return slices.Contains(Rated, word) }

// AtLeast are the rated words from one upwards.
func AtLeast(least string) ([]string, error) {
	at := slices.IndexFunc(Rated, func(s string) bool { return strings.EqualFold(s, least) })
	if at < 0 {
		return nil, fmt.Errorf("severity %q: want one of %s", least, strings.Join(Rated, ", "))
	}
	return Rated[at:], nil
}
