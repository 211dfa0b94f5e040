package vuln

import (
	"cmp"
	"strings"
)

// evr is a version of rpm: epoch, version and release. Without a release it is before any release.
type evr struct {
	epoch, version, release string
	released                bool
}

var rpmScheme = &scheme[evr]{read: readEVR, order: compareEVR}

// readEVR takes "1:2.3-4.el9" apart, at the first colon after digits and at the last dash.
func readEVR(text string) evr {
	out := evr{epoch: "0"}
	if n := digits(text); n < len(text) && text[n] == ':' {
		out.epoch, text = cmp.Or(text[:n], "0"), text[n+1:]
	}
	out.version = text
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		out.version, out.release, out.released = text[:i], text[i+1:], true
	}
	return out
}

func compareEVR(a, b evr) int {
	if order := cmp.Or(compareNumbers(a.epoch, b.epoch), compareRPM(a.version, b.version)); order != 0 {
		return order
	}
	switch {
	case a.released && b.released:
		return compareRPM(a.release, b.release)
	case a.released:
		return 1
	case b.released:
		return -1
	}
	return 0
}

// compareRPM orders two parts: runs of digits and runs of letters by turns, what is between them counts for nothing. A tilde
// is before the end, a caret after it and before anything else.
func compareRPM(a, b string) int {
	for {
		a, b = fromRPMRun(a), fromRPMRun(b)
		switch {
		case starts(a, '~') && starts(b, '~'), starts(a, '^') && starts(b, '^'):
			a, b = a[1:], b[1:]
			continue
		case starts(a, '~'):
			return -1
		case starts(b, '~'):
			return 1
		case starts(a, '^') && b != "" || starts(b, '^') && a == "":
			return -1
		case starts(b, '^') || starts(a, '^'):
			return 1
		case a == "" || b == "":
			return len(a) - len(b)
		}
		n, m := digits(a), digits(b)
		switch {
		case n > 0 && m > 0:
			if order := compareNumbers(a[:n], b[:m]); order != 0 {
				return order
			}
		case n > 0:
			return 1 // a number is later than a word
		case m > 0:
			return -1
		default:
			n, m = prefix(a, isLetter), prefix(b, isLetter)
			if order := strings.Compare(a[:n], b[:m]); order != 0 {
				return order
			}
		}
		a, b = a[n:], b[m:]
	}
}

func starts(s string, c byte) bool { return s != "" && s[0] == c }

// fromRPMRun leaves out what only separates.
func fromRPMRun(s string) string {
	return s[prefix(s, func(c byte) bool { return !isLetter(c) && (c < '0' || c > '9') && c != '~' && c != '^' }):]
}
