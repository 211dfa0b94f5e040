package analyse

import (
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
)

// left are the ids of the paths that are left once fixes are done.
func left(t *testing.T, f *collect.Facts, rules *Rules, images []*assess.Assessment, assume string, fixes ...Fix) (out []string) {
	t.Helper()
	f, _ = Revoke(f, fixes)
	view, _ := analysed(t, f, rules, images)
	rest, err := NewBreach(view, rules).Without(t.Context(), fixes, assume)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range rest.Paths {
		out = append(out, p.ID)
	}
	return out
}

func TestAFixThatBreaksAPathEndsItAndOpensNone(t *testing.T) {
	rules, kinds := builtIn(t), map[string]int{}
	for seed := range uint64(seeds / 3) {
		f, images := random(seed, plainNames)
		for _, assume := range []string{"", "any"} {
			view, _ := analysed(t, f, rules, images)
			rest, err := NewBreach(view, rules).Without(t.Context(), nil, assume)
			if err != nil {
				t.Fatal(err)
			}
			before := rest.Paths
			for _, fix := range Fixes(before) {
				if fix.Effect != Breaks || !fix.Shown() {
					continue
				}
				kinds[fix.Kind]++
				after := left(t, f, rules, images, assume, fix)
				for _, p := range before {
					broken := slices.ContainsFunc(p.Fixes, func(f Fix) bool { return f.ID == fix.ID && f.Effect == Breaks })
					if broken && slices.Contains(after, p.ID) {
						t.Errorf("seed %d, assume %q: %s leaves %s", seed, assume, fix.Title, p.Title)
					}
				}
				for _, id := range after {
					if !slices.ContainsFunc(before, func(b Path) bool { return b.ID == id }) {
						t.Errorf("seed %d, assume %q: %s opens %s", seed, assume, fix.Title, id)
					}
				}
			}
		}
	}
	for _, kind := range []string{fixExposure, fixRule, fixGrant} {
		if kinds[kind] == 0 {
			t.Errorf("no fix of kind %s was tried: %v", kind, kinds)
		}
	}
}
