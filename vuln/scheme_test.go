package vuln

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/osv-scalibr/semantic"
)

// TestVersionsOfStrangersCompareToo: what the tables of testdata/versions do not have, as the same tools say it, and what is no
// version at all, which has its place all the same.
func TestVersionsOfStrangersCompareToo(t *testing.T) {
	for ecosystem, lines := range map[string][]string{
		"Alpine": {
			// what is no version comes before the one that it begins as
			"abc < 0", "1ab < 1a", "1a.2 < 1a", "1a2 < 1a", "1-r0_p1 < 1-r0", "1_ < 1", "1_foo < 1", "1! < 1", "1. < 1", "1-rc < 1",
			"1~ab~cd < 1~ab", "1-r0~ab < 1-r0", "1-r0-r1 < 1-r0",
			// two such compare as text, but not from a dash on
			"1-x = 1-y", "1-rc1 = 1-rc2", "1!a < 1!b", "1.2foo < 1.2fzz", "abc < abd",
			// letters and commits, to the end of their alphabets
			"1.2y < 1.2z", "1.2a < 1.2b", "1 < 1z",
			"1~12-r10 > 1~12-r9", "1~10-r10 > 1~10-r9", "1~19-r10 > 1~19-r9", "1~a-r10 > 1~a-r9", "1~f-r10 > 1~f-r9", "1~09ag < 1~09a",
			"1~b0 > 1~a1",
			// a revision may be empty, and then is 0
			"1-r = 1-r0", "1-r-x > 1", "1-r1a > 1-r0", "1-r1 > 1-r",
		},
		"Red Hat": {"1 < 1-1", "1 < 1-~1", "1- > 1", "1- < 1-1", "1a~rc1 < 1a", "1A > 1", "1A < 1B", "1Z < 1a", "1 = 1", "a1 < b1"},
		"Packagist": {
			// a branch is beyond all of its versions
			"2.x-dev = 2.x.x-dev", "2.1.x-dev < 2.2.x-dev", "2.x-dev > 2.100.0", "2.x-dev < 3.0-alpha1", "2.*-dev > 2.9", "2.X-dev = 2.x-dev",
			// dates have stages too
			"2023-01-05 > 2023-01-alpha1", "2023-01.05 < 2023-01-patch1", "2023-01-05 > 2023-01.04",
		},
		"RubyGems": {"0.a = 0.0.a", "0.a < 0.1", "0.a < 0", "1.0.a = 1.a"},
		"Maven": {
			// as Maven's documents have it; its program parts the first two pairs
			"1-ga-1 = 1-1", "1-final-1 = 1-1", "1-ga-2 > 1-1", "1-sp-1 < 1-1",
			"1+1 < 1.1", "1+build < 2", "1- = 1", "1. = 1", "1.a. < 1.a",
		},
		// what the tests of NuGet.Versioning, which nuget and dotnet compare with, say of their own (VersionComparerTests, NuGetVersionTest);
		// the rest as "NuGet package versioning" of its documents has it: four numbers, zeros at their end and case do not count
		"NuGet": {"1.0.0 = 1.0.0", "1.0.0-BETA = 1.0.0-beta", "1.0.0-BETA+AA = 1.0.0-beta+aa", "1.0.0-BETA.X.y.5.77.0+AA = 1.0.0-beta.x.y.5.77.0+aa",
			"0.0.0 < 1.0.0", "1.0.0 < 1.1.0", "1.0.0 < 1.0.1", "1.999.9999 < 2.1.1", "1.0.0-BETA < 1.0.0-beta2", "1.0.0-beta+AA < 1.0.0+aa",
			"1.0.0-BETA < 1.0.0-beta.1+AA", "1.0.0-BETA.X.y.5.77.0+AA < 1.0.0-beta.x.y.5.79.0+aa",
			"1.0.0-BETA.X.y.5.79.0+AA < 1.0.0-beta.x.y.5.790.0+abc", "1.0 < 1.0.1", "1.23 < 1.231", "1.4.5.6 < 1.45.6", "1.4.5.6 < 1.4.5.60",
			"1.01 < 1.10", "1.01-alpha < 1.10-beta", "1.01.0-RC-1 < 1.10.0-rc-2", "1.01-RC-1 < 1.01", "1.01 < 1.2-preview", "1.0 = 1.0.0.0",
			"1.23.01 = 1.23.1", "1.45.6 = 1.45.6.0", "1.45.6-Alpha = 1.45.6-Alpha", "1.6.2-BeTa = 1.6.02-beta", "4.3.0 = 4.3", "1.022 = 1.22.0.0",
			"1.022-Beta = 1.22.0.0-beta", "1.3.42.10133-PreRelease < 1.3.42.10133", "1.0.0009.01-1.1+A = 1.0.9.1-1.1", "1.0-1.1 < 1.0-1.2",
			"1.0.1-rc.2 < 1.0.1-rc.10", "1.0.1-rc < 1.0.1-zzz", "1.0.1-alpha10 < 1.0.1-alpha2", "1.0.1-aaa < 1.0.1", "1.0.1-2 < 1.0.1-a"},
		"npm": {"1..2 < 1.0.0", "1.0.0-1 < 1.0.0-a", "1.0.0-a.1 < 1.0.0-a.b"},
	} {
		for _, line := range lines {
			fields := strings.Fields(line)
			want := map[string]int{"<": -1, "=": 0, ">": 1}[fields[1]]
			there, err := Compare(ecosystem, fields[0], fields[2])
			back, backErr := Compare(ecosystem, fields[2], fields[0])
			if there != want || back != -want || err != nil || backErr != nil {
				t.Errorf("%s: %s: got %d (%v), the other way %d (%v)", ecosystem, line, there, err, back, backErr)
			}
		}
	}
	if n, err := Compare("Packagist", "", "0"); n != -1 || err != nil {
		t.Errorf("PHP has nothing before 0: got %d, %v", n, err)
	}
}

func TestOnlyVersionsOfOneEcosystemCompare(t *testing.T) {
	parse := func(family string) semantic.Version {
		v, err := parseVersion(family, "1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ one, other string }{{"npm", "Go"}, {"Go", "NuGet"}, {"npm", "Maven"}, {"Maven", "Debian"}} {
		one, other := parse(c.one), parse(c.other)
		if n, err := one.Compare(other); n != 0 || !errors.Is(err, semantic.ErrNotSameEcosystem) {
			t.Errorf("%s against %s is %d, %v", c.one, c.other, n, err)
		}
		if n := order(one, other); n != 0 {
			t.Errorf("%s against %s counts as %d: what does not compare decides nothing", c.one, c.other, n)
		}
	}
	if n, err := parse("npm").Compare(parse("Hex")); n != 0 || err != nil {
		t.Errorf("two that have one order: %d, %v", n, err)
	}
	if n := orderText(parse("Debian"), "a:b"); n != 0 {
		t.Errorf("against what is no version it is %d", n)
	}
}

func TestAVersionIsBounded(t *testing.T) {
	longest := "1." + strings.Repeat("0", longestVersion-2)
	for _, family := range []string{"npm", "Debian"} {
		if n, err := Compare(family, longest, "2"); n >= 0 || err != nil {
			t.Errorf("%s: the longest against 2 is %d, %v", family, n, err)
		}
		for _, pair := range [][2]string{{longest + "0", "2"}, {"2", longest + "0"}} {
			if n, err := Compare(family, pair[0], pair[1]); n != 0 || err == nil || !strings.Contains(err.Error(), "at most 1024") {
				t.Errorf("%s: one that is longer: %d, %v", family, n, err)
			}
		}
	}
}

func TestAReleaseIsKeptToItsLastDay(t *testing.T) {
	p := Package{Ecosystem: "Debian:7", Name: "a", Version: "1"}
	for at, want := range map[string]bool{"2018-05-31T23:59:59Z": false, "2018-06-01T00:00:01Z": true, "2026-01-01T00:00:00Z": true} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, ended := EndOfLife(p, now); ended != want {
			t.Errorf("at %s it has ended: %v", at, ended)
		}
	}
	if _, ended := EndOfLife(Package{Ecosystem: "Debian:99", Name: "a", Version: "1"}, time.Now()); ended {
		t.Error("a release of which nobody said when it ends has ended")
	}
}
