package analyse

import (
	"slices"
	"strings"
	"testing"
)

// pathsOf analyses a file of testdata with other images, and manifests changed as
// a Replacer does.
func pathsOf(t *testing.T, file, images string, changes ...string) []Path {
	t.Helper()
	e, _ := readEstate(t, "testdata/"+file)
	changed := strings.NewReplacer(changes...).Replace(e.manifests)
	if len(changes) > 0 && changed == e.manifests {
		t.Fatalf("nothing of %q is in %s", changes, file)
	}
	e.manifests, e.images = changed, images
	_, paths := analysed(t, e.facts(t), builtIn(t), e.scanned())
	if len(paths) == 0 {
		t.Fatal("no path")
	}
	return paths
}

func TestAnUpdateBreaksThePathOnlyIfItEndsEveryVulnerabilityThatOpensIt(t *testing.T) {
	const first, second = cart + " CVE-2022-3602 High rce fixed\n", cart + " CVE-2022-3786 High rce fixed\n"
	tests := []struct{ name, images, effect, text string }{
		{"all have a fix", first + second, Breaks, "Build the image again with openssl from 1.0 to 2.0, then roll out the workload."},
		{"one has none", first + cart + " CVE-2022-3786 High rce\n", Lowers,
			"No fix has been published yet for 1 vulnerability of those that open the path."},
		{"none has one", cart + " CVE-2022-3786 High rce\n", Lowers,
			"No fix has been published yet for 1 vulnerability of those that open the path."},
		{"each is fixed in another version, the last also in one that opens nothing", cart + " CVE-1 High rce fixed=2.15.0\n" + cart +
			" CVE-2 High rce fixed=2.9.0\n" + cart + " CVE-3 Medium fixed=2.17.0\n" + cart + " CVE-4 High rce fixed=2.16.0\n", Breaks,
			"Build the image again with openssl from 1.0 to 2.17.0, then roll out the workload."},
		{"one without a fix that does not open the path", first + cart + " CVE-2020-1 Low\n", Breaks, "Build the image again"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, p := range pathsOf(t, "direct.txt", test.images) {
				i := slices.IndexFunc(p.Fixes, func(f Fix) bool { return f.Kind == fixImage })
				if i < 0 || p.Fixes[i].Effect != test.effect || !strings.Contains(p.Fixes[i].Text, test.text) {
					t.Errorf("%s: fixes are %+v, want one that %s: %s", p.Title, p.Fixes, test.effect, test.text)
				}
			}
		})
	}
}

func TestListedAddressesLowerTheRisk(t *testing.T) {
	const images = cart + " CVE-2022-3786 High rce\n"
	factors := func(p Path) (names []string, sum int) {
		for _, f := range p.RiskFactors {
			names, sum = append(names, f.Name), sum+f.Points
		}
		return names, sum
	}
	open := pathsOf(t, "direct.txt", images)
	narrow := pathsOf(t, "direct.txt", images, "type: LoadBalancer", "type: LoadBalancer\n  loadBalancerSourceRanges: [198.51.100.0/24]")
	if len(open) != len(narrow) {
		t.Fatalf("%d paths from anywhere, %d from listed addresses", len(open), len(narrow))
	}
	for _, p := range open {
		i := slices.IndexFunc(narrow, func(n Path) bool { return n.ID == p.ID })
		if i < 0 {
			t.Fatalf("%s is not there from listed addresses", p.Title)
		}
		names, sum := factors(p)
		listed, less := factors(narrow[i])
		if slices.Contains(names, "listed addresses only") || !slices.Contains(listed, "listed addresses only") || less >= sum {
			t.Errorf("%s: %d by %v, from listed addresses %d by %v", p.Title, sum, names, less, listed)
		}
	}
}

func TestPathsBeyondTheBoundAreAGap(t *testing.T) {
	e, _ := readEstate(t, "testdata/direct.txt")
	v, paths := analysed(t, e.facts(t), builtIn(t), e.scanned())
	for _, test := range []struct{ most, gaps int }{{len(paths) + 1, 0}, {1, 1}} {
		s := searchOn(t, v, builtIn(t))
		s.most = test.most
		found, err := s.run(t.Context())
		if err != nil || len(s.gaps) != test.gaps {
			t.Errorf("at most %d: %d paths of %d, gaps %v, error %v", test.most, len(found), len(paths), s.gaps, err)
		}
	}
}
