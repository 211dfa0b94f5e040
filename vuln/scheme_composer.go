package vuln

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// composer is a version of Packagist as Composer writes it before it compares: four numbers, and what they are a stage of.
type composer []string

var composerScheme = &scheme[composer]{read: readComposer, order: compareComposer}

const composerStage = `[._-]?(?:(stable|beta|b|rc|alpha|a|patch|pl|p)((?:[.-]?\d+)*)?)?([.-]?dev)?$`

var (
	composerNumbers = regexp.MustCompile(`(?i)^v?(\d{1,5})(\.\d+)?(\.\d+)?(\.\d+)?` + composerStage)
	composerDate    = regexp.MustCompile(`(?i)^v?(\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2})` + composerStage)
	composerBranch  = regexp.MustCompile(`(?i)^v?(\d+)(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?(\.(?:\d+|[x*]))?[.-]?dev$`)
	composerBuild   = regexp.MustCompile(`^([^,\s+]+)\+\S+$`)
	notDigits       = regexp.MustCompile(`\D`)
	phpSeparators   = regexp.MustCompile(`[^0-9A-Za-z#]+`)
	phpJoints       = regexp.MustCompile(`(\d)([^\d.])|([^\d.])(\d)`)
)

func readComposer(text string) composer {
	if m := composerBuild.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if m := composerNumbers.FindStringSubmatch(text); m != nil {
		numbers := m[1]
		for _, part := range m[2:5] {
			numbers += cmp.Or(part, ".0")
		}
		return phpParts(numbers + stageOf(m[5:]))
	}
	if m := composerDate.FindStringSubmatch(text); m != nil {
		return phpParts(notDigits.ReplaceAllString(m[1], ".") + stageOf(m[2:]))
	}
	if m := composerBranch.FindStringSubmatch(text); m != nil {
		numbers := m[1]
		for _, part := range m[2:] {
			if part == "" || strings.ContainsAny(part, "xX*") {
				part = ".9999999"
			}
			numbers += part
		}
		return phpParts(numbers + "-dev")
	}
	return phpParts(strings.TrimLeft(text, "vV")) // Composer takes it for no version; PHP compares anything
}

// stageOf is a stage, its number and whether it is a development version.
func stageOf(m []string) string {
	out := ""
	switch stage := strings.ToLower(m[0]); stage {
	case "":
	case "stable":
		return ""
	default:
		out = "-" + cmp.Or(map[string]string{"a": "alpha", "b": "beta", "p": "patch", "pl": "patch", "rc": "RC"}[stage], stage) +
			strings.TrimLeft(m[1], ".-")
	}
	if m[2] != "" {
		out += "-dev"
	}
	return out
}

// phpParts takes a version apart as PHP's version_compare does: at separators and where digits and others meet.
func phpParts(text string) composer {
	text = phpSeparators.ReplaceAllString(text, ".")
	for range 2 { // a joint hides the next one
		text = phpJoints.ReplaceAllString(text, "$1$3.$2$4")
	}
	return strings.Split(text, ".")
}

// phpStages are the beginnings of words that have a place, in their order; # is a number.
var phpStages = [][]string{{"dev"}, {"alpha", "a"}, {"beta", "b"}, {"RC", "rc"}, {"#"}, {"pl", "p"}}

func phpStage(word string) int {
	return slices.IndexFunc(phpStages, func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(word, name) })
	})
}

// compareComposer orders part by part; where one goes on, a number makes it later, and of a word its stage decides.
func compareComposer(a, b composer) int {
	for i := range min(len(a), len(b)) {
		if order := comparePHP(a[i], b[i]); order != 0 {
			return order
		}
	}
	switch {
	case len(a) > len(b):
		return furtherPHP(a[len(b)])
	case len(b) > len(a):
		return -furtherPHP(b[len(a)])
	}
	return 0
}

func furtherPHP(part string) int {
	if isNumber(part) {
		return 1
	}
	return comparePHP(part, "#")
}

func comparePHP(a, b string) int {
	if isNumber(a) && isNumber(b) {
		return compareNumbers(a, b)
	}
	stage := func(part string) int {
		if isNumber(part) {
			part = "#"
		}
		return phpStage(part)
	}
	return cmp.Compare(stage(a), stage(b))
}
