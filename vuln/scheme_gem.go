package vuln

import (
	"slices"
	"strings"
)

// gem is a version of RubyGems: numbers and words by turns.
type gem []string

var gemScheme = &scheme[gem]{read: readGem, order: compareGem}

// readGem takes a version apart; a dash is the beginning of a pre-release. Zeros at the end of the numbers, and at the end of
// all, say nothing.
func readGem(text string) gem {
	text = strings.ReplaceAll(text, "-", ".pre.")
	var all gem
	for text != "" {
		n := digits(text)
		if n == 0 {
			n = prefix(text, isLetter)
		}
		if n > 0 {
			all = append(all, text[:n])
		}
		text = text[max(n, 1):]
	}
	words := slices.IndexFunc(all, func(s string) bool { return !isNumber(s) })
	if words < 0 {
		return withoutZeros(all)
	}
	return append(withoutZeros(slices.Clone(all[:words])), withoutZeros(all[words:])...)
}

func withoutZeros(g gem) gem {
	for len(g) > 0 && strings.Trim(g[len(g)-1], "0") == "" {
		g = g[:len(g)-1]
	}
	return g
}

// compareGem orders part by part: what is missing is 0, and a word is earlier than any number.
func compareGem(a, b gem) int {
	for i := range max(len(a), len(b)) {
		x, y := "0", "0"
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		order := strings.Compare(x, y)
		switch one, other := isNumber(x), isNumber(y); {
		case one && other:
			order = compareNumbers(x, y)
		case one:
			return 1
		case other:
			return -1
		}
		if order != 0 {
			return order
		}
	}
	return 0
}
