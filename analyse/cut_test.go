package analyse

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// needing is a path that each of the fixes ends, and one that only lowers its risk.
func needing(id, fixes string) Path {
	p := Path{ID: id, Cluster: "c", Fixes: []Fix{{Title: "patch everything", Effect: Lowers}}}
	for _, f := range strings.Fields(fixes) {
		p.Fixes = append(p.Fixes, Fix{Title: f, Effect: Breaks})
	}
	return p
}

func TestTheFewestFixesThatEndAllPaths(t *testing.T) {
	for _, test := range []struct {
		name    string
		paths   []Path
		want    string
		atLeast int
	}{
		{"nothing to end", nil, "", 0},
		{"one fix ends both", []Path{needing("1", "a b"), needing("2", "b c")}, "b ends 1 2", 1},
		{"most first", []Path{needing("1", "a"), needing("2", "b"), needing("3", "b")}, "b ends 2 3, a ends 1", 2},
		{"of the worse path where they end as many", []Path{needing("1", "a"), needing("2", "b")}, "a ends 1, b ends 2", 2},
		{"what no fix ends is left", []Path{needing("1", ""), needing("2", "a")}, "a ends 2, left 1", 1},
	} {
		got := MinimumCut(test.paths)
		var words []string
		for _, f := range got.Fixes {
			words = append(words, f.Fix.Title+" ends "+strings.Join(f.Ends, " "))
		}
		for _, id := range got.Left {
			words = append(words, "left "+id)
		}
		if s := strings.Join(words, ", "); s != test.want || got.AtLeast != test.atLeast {
			t.Errorf("%s: %s, at least %d; want %s, %d", test.name, s, got.AtLeast, test.want, test.atLeast)
		}
	}
}

func TestTheSameFixInTwoClustersIsTwo(t *testing.T) {
	a, b := needing("1", "a"), needing("1", "a")
	b.Cluster = "d"
	if got := MinimumCut([]Path{a, b}); len(got.Fixes) != 2 || got.AtLeast != 2 {
		t.Errorf("%+v", got)
	}
}

// TestACutEndsEveryPathAndIsNotFarFromTheLeast compares with trying every set of fixes.
func TestACutEndsEveryPathAndIsNotFarFromTheLeast(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var paths []Path
		sets := []int{}
		for i := range 1 + r.IntN(7) {
			set := 1 + r.IntN(63) // of six fixes
			fixes := ""
			for f := range 6 {
				if set&(1<<f) != 0 {
					fixes += fmt.Sprintf(" f%d", f)
				}
			}
			paths, sets = append(paths, needing(fmt.Sprint(i), fixes)), append(sets, set)
		}
		least := 6
		for chosen := range 64 {
			all, n := true, 0
			for _, set := range sets {
				all = all && set&chosen != 0
			}
			for f := range 6 {
				n += chosen >> f & 1
			}
			if all {
				least = min(least, n)
			}
		}
		got, ends := MinimumCut(paths), 0
		for _, f := range got.Fixes {
			ends += len(f.Ends)
		}
		if ends != len(paths) || got.AtLeast > least || len(got.Fixes) < least || len(got.Fixes) > 2*least {
			t.Fatalf("%d fixes, at least %d, end %d of %d paths; the least is %d", len(got.Fixes), got.AtLeast, ends, len(paths), least)
		}
	}
}
