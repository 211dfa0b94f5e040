package registry

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// pattern says whether a filter stands for several repositories.
func pattern(filter string) bool { return strings.ContainsAny(filter, "*?[") }

// apart is what filters ask for and what they leave out, which is written with a ! before it.
func apart(filters []string) (in, out []string) {
	for _, f := range filters {
		if not, is := strings.CutPrefix(f, "!"); is {
			out = append(out, not)
		} else {
			in = append(in, f)
		}
	}
	return in, out
}

// wanted says whether a name fits one of the filters, all do if there is none, and none of those that leave out. A pattern's *
// stays within one part of the name, but at its end it takes everything below.
func wanted(filters []string, name string) bool {
	fits := func(f string) bool {
		if below, ok := strings.CutSuffix(f, "/*"); ok && !pattern(below) {
			return strings.HasPrefix(name, below+"/")
		}
		fits, _ := path.Match(f, name)
		return fits || f == "*"
	}
	in, out := apart(filters)
	return (len(in) == 0 || slices.ContainsFunc(in, fits)) && !slices.ContainsFunc(out, fits)
}

// newest is the first n tags by what people take for newest: latest, then
// versions from the highest, then the rest. A registry tells no dates.
func newest(tags []string, n int) []string {
	if len(tags) <= n {
		return tags
	}
	sorted := slices.Clone(tags)
	slices.SortFunc(sorted, func(a, b string) int {
		return cmp.Or(cmp.Compare(tagRank(a), tagRank(b)), compareVersions(b, a), cmp.Compare(a, b))
	})
	return sorted[:n]
}

// tagRank is 0 for latest, 1 for what looks like a version, 2 for the rest.
func tagRank(tag string) int {
	switch bare := strings.TrimPrefix(tag, "v"); {
	case tag == "latest":
		return 0
	case bare != "" && digit(bare[0]):
		return 1
	}
	return 2
}

func digit(b byte) bool { return b >= '0' && b <= '9' }

// compareVersions compares runs of digits as numbers, so that 1.10 follows 1.9.
func compareVersions(a, b string) int {
	a, b = strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v")
	for a != "" && b != "" {
		x, y := run(a), run(b)
		a, b = a[len(x):], b[len(y):]
		if digit(x[0]) && digit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Compare(len(x), len(y)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

// run is the digits, or what is none, that s begins with.
func run(s string) string {
	i := 1
	for i < len(s) && digit(s[i]) == digit(s[0]) {
		i++
	}
	return s[:i]
}
