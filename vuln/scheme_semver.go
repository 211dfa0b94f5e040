package vuln

import (
	"strings"
)

// semver is a semantic version, read as leniently as the ecosystems that have them: any number of numbers.
type semver struct {
	numbers []string
	// before are the identifiers of a pre-release; none is a release.
	before []string
}

var (
	semverScheme = &scheme[semver]{read: readSemver, order: compareSemver}
	// goScheme reads toolchains too, which say "go1.21.3".
	goScheme = &scheme[semver]{read: func(s string) semver { return readSemver(strings.TrimPrefix(s, "go")) }, order: compareSemver}
	// nugetScheme takes no notice of the case.
	nugetScheme = &scheme[semver]{read: func(s string) semver { return readSemver(strings.ToLower(s)) }, order: compareSemver}
)

// readSemver leaves out a leading v and what follows a plus.
func readSemver(text string) semver {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	var out semver
	for n := digits(text); n > 0; n = digits(text) {
		out.numbers, text = append(out.numbers, text[:n]), strings.TrimPrefix(text[n:], ".")
	}
	if text = strings.TrimPrefix(text, "-"); text != "" {
		out.before = strings.Split(text, ".")
	}
	return out
}

func compareSemver(a, b semver) int {
	for i := range max(len(a.numbers), len(b.numbers)) {
		x, y := "0", "0"
		if i < len(a.numbers) {
			x = a.numbers[i]
		}
		if i < len(b.numbers) {
			y = b.numbers[i]
		}
		if order := compareNumbers(x, y); order != 0 {
			return order
		}
	}
	if len(a.before) == 0 || len(b.before) == 0 { // a release is later than what came before it
		return len(b.before) - len(a.before)
	}
	for i := range min(len(a.before), len(b.before)) {
		if order := compareIdentifiers(a.before[i], b.before[i]); order != 0 {
			return order
		}
	}
	return len(a.before) - len(b.before)
}

// compareIdentifiers puts numbers before words.
func compareIdentifiers(a, b string) int {
	switch one, other := isNumber(a), isNumber(b); {
	case one && other:
		return compareNumbers(a, b)
	case one:
		return -1
	case other:
		return 1
	}
	return strings.Compare(a, b)
}
