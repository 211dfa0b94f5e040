package vuln

import (
	"cmp"
	"strings"
)

// apkKind is a kind of part of apk's versions, in the order in which they may follow one another.
type apkKind int

const (
	apkFirst apkKind = iota
	apkNumber
	apkLetter
	apkSuffix
	apkSuffixNumber
	apkCommit
	apkRevision
	apkEnd
	apkInvalid
)

// apkPart is one part of a version: "1" and "2" and "rc" and "3" and "4" of "1.2_rc3-r4".
type apkPart struct {
	kind apkKind
	text string
}

// apkSuffixes are the words after an underscore, in their order; the empty one is where there is none.
var apkSuffixes = []string{"alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"}

func apkSuffixRank(word string) int {
	for i, each := range apkSuffixes {
		if each == word {
			return i
		}
	}
	return -1
}

var apkScheme = &scheme[[]apkPart]{read: readAPK, order: compareAPK}

// readAPK reads digits{.digits}{letter}{_suffix{digits}}{~commit}{-rdigits}; what does not fit ends it as invalid.
func readAPK(text string) []apkPart {
	n := digits(text)
	if n == 0 {
		return []apkPart{{kind: apkInvalid}}
	}
	out := []apkPart{{apkFirst, text[:n]}}
	for text = text[n:]; text != ""; {
		part, length := nextAPK(out[len(out)-1].kind, text)
		if length == 0 {
			return append(out, apkPart{kind: apkInvalid})
		}
		out, text = append(out, part), text[length:]
	}
	return append(out, apkPart{kind: apkEnd})
}

// nextAPK is the part that a rest begins with, and how long it is; nothing if none may follow.
func nextAPK(after apkKind, rest string) (apkPart, int) {
	lower := func(c byte) bool { return 'a' <= c && c <= 'z' }
	switch c := rest[0]; {
	case lower(c) && after <= apkNumber:
		return apkPart{apkLetter, rest[:1]}, 1
	case c == '.' && after <= apkNumber:
		n := digits(rest[1:])
		return apkPart{apkNumber, rest[1 : 1+n]}, counted(1, n)
	case '0' <= c && c <= '9' && after == apkSuffix:
		n := digits(rest)
		return apkPart{apkSuffixNumber, rest[:n]}, n
	case c == '_' && after <= apkSuffixNumber:
		word := rest[1 : 1+prefix(rest[1:], lower)]
		if word == "" || apkSuffixRank(word) < 0 {
			return apkPart{}, 0
		}
		return apkPart{apkSuffix, word}, 1 + len(word)
	case c == '~' && after < apkCommit:
		n := prefix(rest[1:], func(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' })
		return apkPart{apkCommit, rest[1 : 1+n]}, counted(1, n)
	case strings.HasPrefix(rest, "-r") && after < apkRevision:
		n := digits(rest[2:])
		return apkPart{apkRevision, rest[2 : 2+n]}, counted(2, n)
	}
	return apkPart{}, 0
}

// counted is the length of a mark and what it needs behind it, nothing where that is not there.
func counted(mark, n int) int {
	if n == 0 {
		return 0
	}
	return mark + n
}

// compareAPK orders part by part. Where the kinds part, a suffix of what came before a release is earlier, and otherwise the
// version is later that has the kind which may come first: it goes on.
func compareAPK(a, b []apkPart) int {
	i := 0
	for a[i].kind == b[i].kind && a[i].kind < apkEnd {
		if order := a[i].order(b[i]); order != 0 {
			return order
		}
		i++
	}
	switch {
	case a[i].kind == b[i].kind:
		return 0
	case a[i].early():
		return -1
	case b[i].early():
		return 1
	}
	return cmp.Compare(b[i].kind, a[i].kind)
}

// early says that the part marks what came before a release.
func (p apkPart) early() bool {
	return p.kind == apkSuffix && apkSuffixRank(p.text) < apkSuffixRank("")
}

func (p apkPart) order(q apkPart) int {
	switch p.kind {
	case apkSuffix:
		return cmp.Compare(apkSuffixRank(p.text), apkSuffixRank(q.text))
	case apkLetter, apkCommit:
		return strings.Compare(p.text, q.text)
	case apkNumber:
		if p.text[0] == '0' || q.text[0] == '0' { // then it counts as a fraction
			return strings.Compare(p.text, q.text)
		}
	}
	return compareNumbers(p.text, q.text)
}
