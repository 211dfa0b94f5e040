package analyse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// advice is what is recommended for a graph as a rule's test writes it, one line
// each.
func advice(t *testing.T, given string, paths ...Path) string {
	t.Helper()
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, r := range Recommend(v, paths).Recommendations {
		line := fmt.Sprintf("%s %s %s from %s, fixes %s, %d exploited, rce %t, %d unfixed, images %s, pods %s of %s, %d exposed",
			r.ID, r.Severity,
			r.Fixed, strings.Join(r.Installed, " "), strings.Join(r.Vulnerabilities, " "), r.Exploited, r.RCE, r.Unfixed,
			strings.Join(r.Images, " "), strings.Join(r.Pods, " "), strings.Join(r.Workloads, " "), r.Exposed)
		for _, p := range r.Paths {
			line += fmt.Sprintf(", %s %s", p.Effect, p.ID)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestAnUpdateCountsWhatItFixesAndWhereItRuns(t *testing.T) {
	const (
		image    = "Image i running=true scanned=true\nImage i -HAS_PACKAGE-> Package p name=lib source=src version=1 ecosystem=deb\n"
		affected = "Package p -AFFECTED_BY{severity=High fixed=2}-> Vulnerability CVE-1\n"
		pod      = "Pod a namespace=s workload=Deployment/a exposed=true phase=Running -RUNS-> Container a/c -USES_IMAGE-> Image i\n"
	)
	plain := "running/deb/src High 2 from 1, fixes CVE-1, 0 exploited, rce false, 0 unfixed, images i, pods c/a of c/s/Deployment/a, 1 exposed"
	tests := []struct{ name, given, want string }{
		{"one pod", image + affected + pod, plain},
		{"two containers of a pod", image + affected + pod + "Pod a -RUNS-> Container a/d -USES_IMAGE-> Image i\n", plain},
		{"two pods of a workload", image + affected + pod +
			"Pod b namespace=s workload=Deployment/a exposed=false -RUNS-> Container b/c -USES_IMAGE-> Image i\n",
			strings.Replace(plain, "c/a of", "c/a c/b of", 1)},
		{"pods that have ended", image + affected + pod + "Pod b phase=Succeeded -RUNS-> Container b/c -USES_IMAGE-> Image i\n" +
			"Pod d phase=Failed -RUNS-> Container d/c -USES_IMAGE-> Image i\n", plain},
		{"an image that does not run", image + affected + pod + "Image j running=false\nImage j -HAS_PACKAGE-> Package p\n", plain},
		{"a package without a source is its own", strings.Replace(image, " source=src", "", 1) + affected + pod,
			strings.Replace(plain, "deb/src", "deb/lib", 1)},
		{"the package's rating comes before the vulnerability's", image + affected + pod + "Vulnerability CVE-1 severity=Low\n", plain},
		{"the vulnerability's, where the package has none",
			image + "Package p -AFFECTED_BY{fixed=2}-> Vulnerability CVE-1 severity=High\n" + pod, plain},
		{"a rating that nobody gave", image + "Package p -AFFECTED_BY{fixed=2}-> Vulnerability CVE-1\n" + pod,
			strings.Replace(plain, "High", "Unknown", 1)},
		{"the worse of two packages of a source", image + affected + pod +
			"Image i -HAS_PACKAGE-> Package q name=libq source=src version=0 ecosystem=deb\n" +
			"Package q -AFFECTED_BY{severity=Low fixed=3}-> Vulnerability CVE-1\n",
			strings.NewReplacer("High 2 from 1", "High 3 from 0 1").Replace(plain)},
		{"the worse rating and the later version come first", image + affected + pod +
			"Image i -HAS_PACKAGE-> Package a name=liba source=src version=1 ecosystem=deb\n" +
			"Package a -AFFECTED_BY{severity=Low fixed=3}-> Vulnerability CVE-1\n" +
			"Package a -AFFECTED_BY{severity=Low fixed=1.5}-> Vulnerability CVE-2\n",
			strings.NewReplacer("High 2", "High 3", "CVE-1", "CVE-1 CVE-2").Replace(plain)},
		{"exploited first, then the most severe, then by name", image + affected + pod +
			"Package p -AFFECTED_BY{severity=Critical fixed=1.5}-> Vulnerability CVE-2\n" +
			"Package p -AFFECTED_BY{severity=High fixed=2}-> Vulnerability CVE-0\n" +
			"Package p -AFFECTED_BY{severity=Low fixed=2}-> Vulnerability CVE-3 kev=true rce=true\nPackage p -AFFECTED_BY-> Vulnerability CVE-4\n",
			strings.NewReplacer("High 2", "Critical 2", "CVE-1", "CVE-3 CVE-2 CVE-0 CVE-1", "0 exploited", "1 exploited", "false", "true",
				"0 unfixed", "1 unfixed").Replace(plain)},
		{"a vulnerability fixed for one package of the source only", image + affected + pod +
			"Image i -HAS_PACKAGE-> Package q name=libq source=src version=1 ecosystem=deb\n" +
			"Package q -AFFECTED_BY{fixed=2}-> Vulnerability CVE-5\n" +
			"Package q -AFFECTED_BY-> Vulnerability CVE-1\n", strings.NewReplacer("CVE-1", "CVE-1 CVE-5").Replace(plain)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := advice(t, test.given); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAnUpdateIsHeldAgainstTheVulnerabilitiesThatOpenAPath(t *testing.T) {
	const given = "Image i running=true scanned=true\nImage i -HAS_PACKAGE-> Package p name=lib source=src version=1 ecosystem=deb\n" +
		"Package p -AFFECTED_BY{severity=High fixed=2}-> Vulnerability CVE-1\n"
	one := Vulnerability{ID: "CVE-1", Package: "lib", Installed: "1", Fixed: "2", Image: "i"}
	but := func(change func(*Vulnerability)) Vulnerability {
		v := one
		change(&v)
		return v
	}
	tests := []struct {
		name  string
		opens []Vulnerability
		total int
		want  string // what is said of the path
	}{
		{"it fixes all that opens it", []Vulnerability{one}, 1, "breaks"},
		{"more open it than are named", []Vulnerability{one}, 2, "lowers"},
		{"another opens it too", []Vulnerability{one, but(func(v *Vulnerability) { v.ID = "CVE-2" })}, 2, "lowers"},
		{"it is in another image", []Vulnerability{but(func(v *Vulnerability) { v.Image = "j" })}, 1, ""},
		{"no fix is known there", []Vulnerability{but(func(v *Vulnerability) { v.Fixed = "" })}, 1, ""},
		{"another version is installed", []Vulnerability{but(func(v *Vulnerability) { v.Installed = "0" })}, 1, ""},
		{"another vulnerability", []Vulnerability{but(func(v *Vulnerability) { v.ID = "CVE-9" })}, 1, ""},
		{"another package", []Vulnerability{but(func(v *Vulnerability) { v.Package = "other" })}, 1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := advice(t, given, Path{ID: "path", Vulnerabilities: test.opens, VulnerabilitiesTotal: test.total})
			_, said, _ := strings.Cut(got, " exposed")
			want := ""
			if test.want != "" {
				want = ", " + test.want + " path"
			}
			if said != want {
				t.Errorf("said %q, want %q", said, want)
			}
		})
	}
}

func TestPathsOfAnUpdateStandWithThoseThatItBreaksFirst(t *testing.T) {
	const given = "Image i running=true scanned=true\nImage i -HAS_PACKAGE-> Package p name=lib version=1 ecosystem=deb\n" +
		"Package p -AFFECTED_BY{severity=High fixed=2}-> Vulnerability CVE-1\n"
	opens := []Vulnerability{{ID: "CVE-1", Package: "lib", Installed: "1", Fixed: "2", Image: "i"}}
	path := func(cluster, id string, score, total int) Path {
		return Path{Cluster: cluster, ID: id, RiskScore: score, Vulnerabilities: opens, VulnerabilitiesTotal: total}
	}
	got := advice(t, given, path("a", "lowered", 90, 2), path("b", "low", 10, 1), path("b", "second", 50, 1), path("b", "first", 50, 1),
		path("a", "zero", 50, 1))
	_, said, _ := strings.Cut(got, " exposed, ")
	if want := "breaks zero, breaks first, breaks second, breaks low, lowers lowered"; said != want {
		t.Errorf("paths %q, want %q", said, want)
	}
}

func TestAnUpdateSaysWhatToDoInWords(t *testing.T) {
	for _, test := range []struct {
		name string
		r    Recommendation
		want string
	}{
		{"nothing runs it", Recommendation{Package: "p", Fixed: "2", Installed: []string{"1"}, Images: []string{"i"}},
			"Build 1 image again with p 2 or newer in place of 1, and push what you built."},
		{"many versions, some without a fix", Recommendation{Package: "p", Fixed: "9", Installed: []string{"1", "2", "3", "4", "5"},
			Images: []string{"i", "j"}, Workloads: []string{"w"}, Unfixed: 2},
			"Build 2 images again with p 9 or newer in place of 1, 2, 3, 4 and 1 more, and push what you built. Then roll out 1 workload." +
				" For 2 more vulnerabilities of the same packages no fix has been published yet."},
	} {
		if got := test.r.words(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestImagesAreAffectedCleanOrUnknown(t *testing.T) {
	v, err := parseGiven(`
Image i listed=true scanned=true -HAS_PACKAGE-> Package p
Image i -HAS_PACKAGE-> Package q
Image j listed=true scanned=true -HAS_PACKAGE-> Package q
Image k listed=true -HAS_PACKAGE-> Package p
Image m listed=true scanned=true partly=true -HAS_PACKAGE-> Package q
Image n listed=true scanned=true partly=true -HAS_PACKAGE-> Package p
Image l running=true scanned=true -HAS_PACKAGE-> Package r
Package p -AFFECTED_BY-> Vulnerability CVE-1
Package p -AFFECTED_BY{fixed=2}-> Vulnerability CVE-2
Package r -AFFECTED_BY{fixed=2}-> Vulnerability CVE-3
`)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(Recommend(v, nil).Demands, func(d Demand) bool { return d.About == InRegistry })
	d := Recommend(v, nil).Demands[i]
	d.Title, d.Why = "", ""
	want := Demand{About: InRegistry, Images: 5, Affected: 2, Clean: 1, Unknown: 2, Vulnerabilities: 2, Unfixed: 1, Updates: 1}
	if d != want {
		t.Errorf("%+v, want %+v", d, want)
	}
}

// TestEachLineOfVersionsIsAnUpdateOfItsOwn, and what does not count in an image is none of it there.
func TestEachLineOfVersionsIsAnUpdateOfItsOwn(t *testing.T) {
	const given = `
Image i running=true listed=true scanned=true -HAS_PACKAGE-> Package p name=lib version=1.0.0 ecosystem=npm
Image j listed=true scanned=true -HAS_PACKAGE-> Package q name=lib version=2.0.0 ecosystem=npm
Image k running=true scanned=true -HAS_PACKAGE-> Package q
Image k -NOT_AFFECTED_BY{package=lib installed=2.0.0}-> Vulnerability CVE-2
Package p -AFFECTED_BY{severity=High fixed=1.9.0}-> Vulnerability CVE-1
Package q -AFFECTED_BY{severity=High fixed=2.10.0}-> Vulnerability CVE-2
Package q -AFFECTED_BY{severity=Low fixed=2.3.0}-> Vulnerability CVE-1
`
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	got := Recommend(v, nil)
	var lines []string
	for _, r := range got.Updates {
		lines = append(lines, fmt.Sprintf("%s to %s from %v, fixes %v, in %v, %d run, %d listed, for %v", r.ID, r.Fixed, r.Installed,
			r.Vulnerabilities, r.Images, r.RunningImages, r.RegistryImages, r.Abouts()))
	}
	slices.Sort(lines)
	want := []string{"images/npm/lib to 2.10.0 from [2.0.0], fixes [CVE-2 CVE-1], in [j], 0 run, 1 listed, for [registry]",
		"images/npm/lib@1.9.0 to 1.9.0 from [1.0.0], fixes [CVE-1], in [i], 1 run, 1 listed, for [running registry]",
		"images/npm/lib@2.3.0 to 2.3.0 from [2.0.0], fixes [CVE-1], in [k], 1 run, 0 listed, for [running]"}
	if !slices.Equal(lines, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(lines, "\n     "), strings.Join(want, "\n     "))
	}
	for image, to := range map[string]string{"i": "map[lib 1.0.0:1.9.0]", "j": "map[lib 2.0.0:2.10.0]", "k": "map[lib 2.0.0:2.3.0]"} {
		n, _ := v.Node("Image", image)
		if got := fmt.Sprint(updatesOf(n)); got != to {
			t.Errorf("the fix of a path through %s names %s, want %s", image, got, to)
		}
	}
}
