package vuln

import (
	"maps"
	"slices"
	"testing"
)

// allFamilies are the ecosystems whose versions we compare.
func allFamilies() []string {
	others := []string{"Bitnami", "Bioconductor", "ConanCenter", "CRAN", "crates.io", "Go", "Hackage", "Hex", "Julia", "Maven", "npm",
		"Packagist", "Pub", "RubyGems", "SwiftURL", "GHC"}
	return slices.Sorted(slices.Values(append(others, slices.Collect(maps.Keys(families))...)))
}

func TestEveryFamilyCompares(t *testing.T) {
	for _, name := range allFamilies() {
		order, err := Compare(name, "1.2.3", "1.10.0")
		if err != nil || order >= 0 {
			t.Errorf("%s: 1.2.3 against 1.10.0 is %d, %v", name, order, err)
		}
	}
}

func TestReleasesAreRead(t *testing.T) {
	tests := []struct {
		ecosystem string
		want      release
	}{
		{"Debian:12.4", release{Family: "Debian", Number: "12"}},
		{"Ubuntu:22.04:LTS", release{Family: "Ubuntu", Number: "22.04"}},
		{"Ubuntu:24.10", release{Family: "Ubuntu", Number: "24.10"}},
		{"Ubuntu:Pro:18.04:LTS", release{Family: "Ubuntu", Number: "18.04", Channel: "Pro"}},
		{"Ubuntu:Pro:FIPS-updates:20.04:LTS", release{Family: "Ubuntu", Number: "20.04", Channel: "FIPS-updates"}},
		{"Alpine:v3.18", release{Family: "Alpine", Number: "3.18"}},
		{"Alpine:3.18.4", release{Family: "Alpine", Number: "3.18"}},
		{"Alpine:v3.21.0_alpha20240807", release{Family: "Alpine", Number: "edge"}},
		{"Alpine:edge", release{Family: "Alpine", Number: "edge"}},
		{"Wolfi", release{Family: "Wolfi"}},
		{"Red Hat:enterprise_linux:9::baseos", release{Family: "Red Hat", Number: "9"}},
		{"redhat:8.6", release{Family: "Red Hat", Number: "8"}},
		{"Red Hat:rhel_eus:9.0::appstream", release{Family: "Red Hat", Number: "rhel_eus:9.0"}},
		{"Rocky Linux:8", release{Family: "Rocky Linux", Number: "8"}},
		{"AlmaLinux:9.3", release{Family: "AlmaLinux", Number: "9"}},
		{"SUSE:Linux Enterprise Server 15 SP4", release{Family: "SUSE", Number: "15.4"}},
		{"SUSE:15.4", release{Family: "SUSE", Number: "15.4"}},
		{"SUSE:Linux Enterprise 15-SP3", release{Family: "SUSE", Number: "15.3"}},
		{"openSUSE:Leap 15.5", release{Family: "openSUSE", Number: "15.5"}},
		{"openSUSE:Tumbleweed", release{Family: "openSUSE", Number: "tumbleweed"}},
		{"npm", release{Family: "npm"}},
		{"", release{}},
	}
	for _, test := range tests {
		if got := parseEcosystem(test.ecosystem); got != test.want {
			t.Errorf("%q is %+v, want %+v", test.ecosystem, got, test.want)
		}
	}
}

func TestAToolchainOfGoIsAVersion(t *testing.T) {
	for _, c := range []struct{ a, b string }{{"go1.16.8", "1.16.9"}, {"go1.21rc2", "1.21.0"}, {"1.21.0-0", "go1.21rc1"}, {"go1.9.7",
		"go1.10"}} {
		if order, err := Compare("Go", c.a, c.b); err != nil || order >= 0 {
			t.Errorf("%s against %s is %d, %v", c.a, c.b, order, err)
		}
	}
}

// FuzzCompare compares anything: versions come out of images that strangers built.
func FuzzCompare(f *testing.F) {
	for _, seed := range [][2]string{{"1:2.3-4+deb12u1", "1.2"}, {"3.1.4-r0", "3.1.4_git20230101-r1"}, {"1.0.0-alpha.1+x", "v1"},
		{"1!2.0.post1.dev3", "2.0c1"}, {"", "~"}, {"^", "1.1.1k-5.el8_5"}} {
		f.Add(seed[0], seed[1])
	}
	names := allFamilies()
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a)+len(b) > 300 {
			return
		}
		for _, name := range names {
			there, err := Compare(name, a, b)
			back, backErr := Compare(name, b, a)
			if (err == nil) != (backErr == nil) || err == nil && (there > 0) && (back > 0) {
				t.Fatalf("%s: %q against %q is %d (%v), the other way %d (%v)", name, a, b, there, err, back, backErr)
			}
		}
	})
}

func TestARangeIsReadByItsEvents(t *testing.T) {
	in, fix, last, limit := func(v string) event { return event{Introduced: v} }, func(v string) event { return event{Fixed: v} },
		func(v string) event { return event{LastAffected: v} }, func(v string) event { return event{Limit: v} }
	for _, c := range []struct {
		name, version string
		events        []event
		want          verdict
	}{
		{"no events", "1.0", nil, verdict{}},
		{"before the introduction", "0.9", []event{in("1.0")}, verdict{}},
		{"at the introduction", "1.0", []event{in("1.0")}, verdict{affected: true, why: ">= 1.0"}},
		{"from the beginning", "0.0", []event{in("0"), fix("2.0")}, verdict{affected: true, fixed: "2.0", why: "< 2.0"}},
		{"at the fix", "2.0", []event{in("0"), fix("2.0")}, verdict{}},
		{"at the last affected", "2.0", []event{in("0"), last("2.0")}, verdict{affected: true, why: "<= 2.0"}},
		{"beyond it", "2.1", []event{in("0"), last("2.0")}, verdict{}},
		{"below the limit", "1.9", []event{in("0"), limit("2.0")}, verdict{affected: true, why: "every version"}},
		{"at the limit", "2.0", []event{in("0"), limit("2.0")}, verdict{}},
		{"below one limit of two", "2.5", []event{in("0"), limit("2.0"), limit("3.0")}, verdict{affected: true, why: "every version"}},
		{"below the first limit of two", "1.5", []event{in("0"), limit("2.0"), limit("1.0")}, verdict{affected: true, why: "every version"}},
		{"no limit", "9.0", []event{in("0"), limit("*")}, verdict{affected: true, why: "every version"}},
		{"a limit alone", "1.0", []event{limit("2.0")}, verdict{}},
		{"an introduction that is no version", "1.0", []event{in("a:b")}, verdict{unread: 1}},
		{"beside one that is", "1.0", []event{in("a:b"), in("0"), fix("c:d")}, verdict{affected: true, unread: 2, why: "every version"}},
		{"affected, fixed, and again", "2.5", []event{in("0"), fix("1.0"), in("2.0"), fix("3.0"), fix("4.0")},
			verdict{affected: true, fixed: "3.0", why: ">= 2.0, < 3.0"}},
		{"fixes in the other order", "2.5", []event{fix("4.0"), fix("3.0"), in("2.0")}, verdict{affected: true, fixed: "3.0",
			why: ">= 2.0, < 3.0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := parseVersion("Debian", c.version)
			if err != nil {
				t.Fatal(err)
			}
			if got := (&entry{Ranges: [][]event{c.events}}).judge("Debian", c.version, v); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	v, _ := parseVersion("Debian", "1.0")
	two := &entry{Ranges: [][]event{{in("0"), fix("3.0")}, {in("0.5"), fix("2.0")}, {in("0")}, {in("x:y")}, {in("x:y")}}}
	if got := two.judge("Debian", "1.0", v); got != (verdict{affected: true, fixed: "2.0", unread: 2, why: "< 3.0"}) {
		t.Errorf("of several ranges: %+v", got)
	}
}

// TestAFixAtZeroMeansThatNoVersionWasAffected: Debian's tracker writes it so.
func TestAFixAtZeroMeansThatNoVersionWasAffected(t *testing.T) {
	zero := []event{{Introduced: "0"}, {Fixed: "0"}}
	later := []event{{Introduced: "0"}, {Fixed: "1:2.0-1"}}
	for _, test := range []struct {
		version string
		ranges  [][]event
		want    bool
	}{
		{"0~git20240101-1", [][]event{zero}, false}, {"1.0", [][]event{zero}, false},
		{"0~git20240101-1", [][]event{{{Fixed: "0"}, {Introduced: "0"}}}, false},
		{"0~git20240101-1", [][]event{later}, true}, {"1:2.0-1+b1", [][]event{later}, false}, {"1.0", [][]event{zero, later}, true},
	} {
		v, err := parseVersion("Debian", test.version)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&entry{Ranges: test.ranges}).judge("Debian", test.version, v); got.affected != test.want {
			t.Errorf("%s in %v: affected is %v", test.version, test.ranges, got.affected)
		}
	}
}
