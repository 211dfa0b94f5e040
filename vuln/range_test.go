package vuln

import (
	"slices"
	"strings"
	"testing"
)

func introducedIn(v string) event   { return event{Introduced: v} }
func fixedIn(v string) event        { return event{Fixed: v} }
func lastAffectedIn(v string) event { return event{LastAffected: v} }

// TestARangeSaysTheSameInAnyOrder: OSV asks for no order of events; an affected version is in one part of them, and its fix is
// the end of that part.
func TestARangeSaysTheSameInAnyOrder(t *testing.T) {
	branches := []event{introducedIn("1.0"), fixedIn("2.0"), introducedIn("3.0"), fixedIn("4.0")}
	for _, c := range []struct {
		name, version string
		events        []event
		want          verdict
	}{
		{"in the first part", "1.5", branches, verdict{affected: true, fixed: "2.0", why: ">= 1.0, < 2.0"}},
		{"in the second part", "3.5", branches, verdict{affected: true, fixed: "4.0", why: ">= 3.0, < 4.0"}},
		{"between them", "2.5", branches, verdict{}},
		{"before them", "0.5", branches, verdict{}},
		{"introduced again where it was fixed", "2.0", []event{introducedIn("1.0"), fixedIn("2.0"), introducedIn("2.0")},
			verdict{affected: true, why: ">= 2.0"}},
		{"before the last affected", "1.5", []event{introducedIn("1.0"), lastAffectedIn("2.0"), lastAffectedIn("3.0")},
			verdict{affected: true, why: ">= 1.0, <= 2.0"}},
		{"from the beginning to the last affected", "1.5", []event{introducedIn("0"), lastAffectedIn("2.0")},
			verdict{affected: true, why: "<= 2.0"}},
		{"after a part that ended with its last", "3.5", []event{introducedIn("1.0"), lastAffectedIn("2.0"), introducedIn("3.0")},
			verdict{affected: true, why: ">= 3.0"}},
		{"one version alone", "2.0", []event{introducedIn("2.0"), lastAffectedIn("2.0")}, verdict{affected: true, why: ">= 2.0, <= 2.0"}},
		{"beyond one version alone", "2.1", []event{introducedIn("2.0"), lastAffectedIn("2.0")}, verdict{}},
	} {
		v, err := parseVersion("Debian", c.version)
		if err != nil {
			t.Fatal(err)
		}
		backwards := slices.Clone(c.events)
		slices.Reverse(backwards)
		rotated := append(slices.Clone(c.events[1:]), c.events[0])
		for _, events := range [][]event{c.events, backwards, rotated} {
			if got := (&entry{Ranges: [][]event{events}}).judge("Debian", c.version, v); got != c.want {
				t.Errorf("%s: %v: got %+v, want %+v", c.name, events, got, c.want)
			}
		}
	}
}

func TestTheFixIsTheLowestThatIsHigher(t *testing.T) {
	endless := "1." + strings.Repeat("1", longestVersion)
	for _, c := range []struct {
		name, version string
		events        []event
		want          string
	}{
		{"a pre-release of the first version", "0.0.0-alpha.1", []event{fixedIn("1.0.0"), introducedIn("0")}, "1.0.0"},
		{"one that is too long to be read", "1.0.0", []event{introducedIn("0"), fixedIn("2.0.0"), fixedIn(endless)}, "2.0.0"},
		{"written twice", "1.0.0", []event{introducedIn("0"), fixedIn("2.0.0"), fixedIn("v2.0.0")}, "2.0.0"},
		{"the lowest comes last", "1.0.0", []event{introducedIn("0"), fixedIn("3.0.0"), fixedIn("2.0.0")}, "2.0.0"},
	} {
		v, err := parseVersion("npm", c.version)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&entry{Ranges: [][]event{c.events}}).judge("npm", c.version, v); !got.affected || got.fixed != c.want {
			t.Errorf("%s: got %+v, want it fixed in %s", c.name, got, c.want)
		}
	}
}

func TestWhatAVersionIsInIsToldInALine(t *testing.T) {
	long := "1." + strings.Repeat("1", 300)
	for _, c := range []struct {
		version string
		events  []event
		begins  string
	}{
		{"1.0", []event{introducedIn("0"), fixedIn(long)}, "< 1.111"},
		{long, []event{introducedIn(long)}, ">= 1.111"},
		{long, []event{introducedIn(long), fixedIn("2.0")}, ">= 1.111"},
	} {
		v, err := parseVersion("npm", c.version)
		if err != nil {
			t.Fatal(err)
		}
		why := interval("npm", v, c.events)
		if kept, cut := strings.CutSuffix(why, "…"); !cut || len(kept) != 256 || !strings.HasPrefix(why, c.begins) {
			t.Errorf("got %d characters: %s", len(why), why)
		}
	}
}
