package analyse

import (
	"slices"
	"testing"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
)

// left are the ids of the paths that are left once fixes are done.
func left(t *testing.T, f *collect.Facts, rules *Rules, images []*assess.Assessment, assume string, fixes ...Fix) (out []string) {
	t.Helper()
	for _, fix := range fixes {
		f = rbac.Revoke(f, fix.Revokes()...)
	}
	view, _ := analysed(t, f, rules, images)
	paths, _, err := Without(t.Context(), view, rules, fixes, assume)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
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
			before, _, err := Without(t.Context(), view, rules, nil, assume)
			if err != nil {
				t.Fatal(err)
			}
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
