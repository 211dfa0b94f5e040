package analyse

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// byVersion knows what affects a package by its name and version.
type byVersion map[string][]vuln.Match

func (k byVersion) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	found := slices.Clone(k[p.Name+" "+p.Version])
	for i := range found {
		found[i].Package = p
	}
	return found, nil
}

func (byVersion) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

// inventory says what is in an image: "libssl3/openssl 3.0.1" each.
func inventory(id string, db byVersion, packages ...string) *assess.Assessment {
	c := assess.Contents{ID: id}
	for _, p := range packages {
		what, version, _ := strings.Cut(p, " ")
		name, source, _ := strings.Cut(what, "/")
		c.Components = append(c.Components, assess.Component{PURL: "pkg:deb/debian/" + name + "@" + version,
			Package: vuln.Package{Ecosystem: "Debian:12", Name: name, Version: version, Source: source}})
	}
	return c.Assess(db)
}

// advised is the advice over the cluster of a file of testdata, with images of the
// test's own; flags name images "running" and "listed".
func advised(t *testing.T, images []*assess.Assessment, flags map[string][]string) Advice {
	t.Helper()
	e, _ := readEstate(t, "testdata/direct.txt")
	rules := builtIn(t)
	_, paths := analysed(t, e.facts(t), rules, images)
	f := e.facts(t)
	made := segment.Cluster(f, segment.Judge(f, rules.Powers))
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	for _, a := range images {
		segment.PutAssessment(shared, a)
	}
	for id, names := range flags {
		for _, name := range names {
			shared.Put("Image", id, graph.B(name, true))
		}
	}
	frozen := shared.Freeze()
	seg, _ := made.Build(frozen)
	return Recommend(graph.NewView(schema.Vocabulary(), frozen, seg), paths)
}

const (
	cart = "registry.test/shop/cart:1.2"
	bit  = "docker.io/fluent/fluent-bit:3.1"
	old  = "registry.test/shop/old:1"
)

var (
	remote   = vuln.Match{ID: "CVE-2022-3602", Severity: vuln.High, FixedVersion: "3.0.7", RCE: true, KEV: &vuln.KEV{Listed: true}}
	later    = vuln.Match{ID: "CVE-2022-3786", Severity: vuln.High, FixedVersion: "3.0.8", Unclear: "nobody says"}
	unmended = vuln.Match{ID: "CVE-2011-0001", Severity: vuln.Low}
	elswhere = vuln.Match{ID: "CVE-2020-0002", Severity: vuln.Critical, FixedVersion: "9", RCE: true}
	estateDB = byVersion{"libssl3 3.0.1": {remote, later, unmended}, "openssl 3.0.1": {remote, later, unmended},
		"libssl3 3.0.2": {later}, "zlib1g 1": {elswhere}, "libc6 1": {unmended}}
)

func TestAnUpdateSaysWhatItFixesWhereAndWhichPathsItBreaks(t *testing.T) {
	got := advised(t, []*assess.Assessment{
		inventory(cart, estateDB, "libssl3/openssl 3.0.1", "openssl/openssl 3.0.1", "libc6/glibc 1"),
		inventory(bit, estateDB, "libssl3/openssl 3.0.2"),
	}, map[string][]string{cart: {"running"}, bit: {"running"}})
	if len(got.Recommendations) != 1 {
		t.Fatalf("%d recommendations, want one: openssl's: %+v", len(got.Recommendations), got.Recommendations)
	}
	r := got.Recommendations[0]
	if r.ID != "running/Debian:12/openssl" || r.Title != "Update openssl to 3.0.8 (Debian:12)" || r.Severity != "High" ||
		r.Exploited != 1 || !r.RCE || r.Unfixed != 1 {
		t.Errorf("%+v", r)
	}
	for what, pair := range map[string][2][]string{
		"packages":        {r.Packages, {"libssl3", "openssl"}},
		"installed":       {r.Installed, {"3.0.1", "3.0.2"}},
		"vulnerabilities": {r.Vulnerabilities, {"CVE-2022-3602", "CVE-2022-3786"}},
		"images":          {r.Images, {bit, cart}},
		"workloads":       {r.Workloads, {"c/shop/Deployment/cart"}},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s %v, want %v", what, pair[0], pair[1])
		}
	}
	if len(r.Pods) != 1 || r.Exposed != 1 {
		t.Errorf("pods %v, %d exposed", r.Pods, r.Exposed)
	}
	if len(r.Paths) == 0 || r.Paths[0].Effect != Breaks {
		t.Errorf("paths %+v, want one that it breaks", r.Paths)
	}
	if !strings.Contains(r.Text, "Build 2 images again with openssl 3.0.8") || !strings.Contains(r.Text, "roll out 1 workload") ||
		!strings.Contains(r.Text, "1 more vulnerability") {
		t.Error(r.Text)
	}
	want := Demand{About: Running, Images: 2, Affected: 2, Vulnerabilities: 3, Unfixed: 1, Updates: 1}
	d := got.Demands[0]
	if d.Title, d.Why = "", ""; d != want {
		t.Errorf("demand %+v, want %+v", d, want)
	}
}

func TestAnUpdateThatLeavesAnotherWayInOnlyLowersTheRisk(t *testing.T) {
	got := advised(t, []*assess.Assessment{inventory(cart, estateDB, "libssl3/openssl 3.0.1", "zlib1g/zlib 1")},
		map[string][]string{cart: {"running"}})
	if len(got.Recommendations) != 2 {
		t.Fatalf("%+v", got.Recommendations)
	}
	for _, r := range got.Recommendations {
		if len(r.Paths) == 0 || r.Paths[0].Effect != Lowers {
			t.Errorf("%s: paths %+v", r.Title, r.Paths)
		}
	}
}

func TestImagesOfARegistryAreADemandOfTheirOwn(t *testing.T) {
	got := advised(t, []*assess.Assessment{
		inventory(cart, estateDB, "libssl3/openssl 3.0.1"),
		inventory(old, estateDB, "zlib1g/zlib 1"),
		inventory("clean", estateDB, "tzdata/tzdata 1"),
		assess.NotScanned("secretive", "failed", "403"),
	}, map[string][]string{cart: {"running", "listed"}, old: {"listed"}, "clean": {"listed"}, "secretive": {"listed"}})
	ids := map[string]Recommendation{}
	for _, r := range got.Recommendations {
		ids[r.ID] = r
	}
	if len(ids) != 3 || ids["registry/Debian:12/zlib"].Images[0] != old || len(ids["registry/Debian:12/zlib"].Pods) != 0 {
		t.Errorf("%v", slices.Collect(maps.Keys(ids)))
	}
	if r := ids["registry/Debian:12/openssl"]; len(r.Pods) != 1 {
		t.Errorf("an image that runs and lies in a registry: pods %v", r.Pods)
	}
	d := got.Demands[1]
	if d.About != InRegistry || d.Images != 4 || d.Affected != 2 || d.Clean != 1 || d.Unknown != 1 {
		t.Errorf("%+v", d)
	}
	var once []string
	for _, u := range got.Updates {
		once = append(once, fmt.Sprint(u.Package, " ", len(u.Images), " ", u.Abouts()))
	}
	if want := []string{"openssl 1 [running registry]", "zlib 1 [registry]"}; !slices.Equal(once, want) {
		t.Errorf("of both demands together: %q, want each update once: %q", once, want)
	}
	for about, want := range map[About]int{Running: 1, InRegistry: 2} {
		if only := got.Only(about); len(only.Updates) != want || len(only.Demands) != 1 || only.Demands[0].Updates != want {
			t.Errorf("about %s: %d updates, the demand says %d; want %d", about, len(only.Updates), only.Demands[0].Updates, want)
		}
	}
	if got.Recommendations[0].Package != "openssl" {
		t.Errorf("first is %s: what opens a path comes before what nothing runs", got.Recommendations[0].Title)
	}
}

func TestWithoutAFixThereIsNothingToRecommend(t *testing.T) {
	got := advised(t, []*assess.Assessment{inventory(cart, estateDB, "libc6/glibc 1")}, map[string][]string{cart: {"running"}})
	if len(got.Recommendations) != 0 || got.Demands[0].Unfixed != 1 || got.Demands[0].Affected != 1 {
		t.Errorf("%+v", got)
	}
}

// Every finding with a fix is in exactly one recommendation of its demand, with
// its image, and none is invented: held against plain loops over random estates.
func TestEveryFixableFindingIsInOneRecommendation(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		db := byVersion{}
		for p := range 8 {
			for v := range 3 {
				key := fmt.Sprintf("p%d %d", p, v)
				for range r.IntN(4) {
					m := vuln.Match{ID: fmt.Sprintf("CVE-%d", r.IntN(12)), Severity: vuln.High, RCE: true}
					if r.IntN(3) > 0 {
						m.FixedVersion = fmt.Sprint(3 + r.IntN(5))
					}
					if !slices.ContainsFunc(db[key], func(o vuln.Match) bool { return o.ID == m.ID }) {
						db[key] = append(db[key], m)
					}
				}
			}
		}
		var images []*assess.Assessment
		flags, want := map[string][]string{}, map[string]bool{}
		for i := range 6 {
			id := fmt.Sprint("image", i)
			var packages []string
			for p := range 8 {
				if r.IntN(2) > 0 {
					packages = append(packages, fmt.Sprintf("p%d/s%d %d", p, p/2, r.IntN(3)))
				}
			}
			a := inventory(id, db, packages...)
			images = append(images, a)
			if r.IntN(2) > 0 {
				flags[id] = []string{"listed"}
				for _, f := range a.Findings {
					if f.FixedVersion != "" {
						want[f.Package.Source+" "+f.ID+" "+id] = true
					}
				}
			}
		}
		got := map[string]bool{}
		for _, rec := range advised(t, images, flags).Recommendations {
			for _, v := range rec.Vulnerabilities {
				for _, i := range rec.Images {
					got[rec.Package+" "+v+" "+i] = true
				}
			}
		}
		for f := range want {
			if !got[f] {
				t.Errorf("seed %d: no recommendation for %s", seed, f)
			}
		}
		namedOnce(t, seed, advised(t, images, flags), images)
	}
}

// namedOnce holds what is recommended for an image to what the fixes of its attack paths name.
func namedOnce(t *testing.T, seed uint64, advice Advice, images []*assess.Assessment) {
	t.Helper()
	shared := graph.NewShared(schema.Vocabulary())
	for _, a := range images {
		segment.PutAssessment(shared, a)
	}
	v := graph.NewView(schema.Vocabulary(), shared.Freeze())
	for _, u := range advice.Updates {
		for _, id := range u.Images {
			n, _ := v.Node("Image", id)
			named := updatesOf(n)
			for e := range n.Out("HAS_PACKAGE") {
				if e.To.Text("source") == u.Package && named[nameVersion(e.To)] != u.Fixed {
					t.Errorf("seed %d: %s is recommended for %s, and the fix of a path names %s", seed, u.Title, id, named[nameVersion(e.To)])
				}
			}
		}
	}
}

// BenchmarkRecommend: 5,000 images of 150 packages out of 4,000, a third of which
// have three vulnerabilities each, against walking the same findings image by image.
func BenchmarkRecommend(b *testing.B) {
	shared := graph.NewShared(schema.Vocabulary())
	r := rand.New(rand.NewPCG(1, 2))
	db := byVersion{}
	for p := range 4000 {
		for v := range 3 * (p % 3 / 2) {
			db[fmt.Sprintf("p%d 1", p)] = append(db[fmt.Sprintf("p%d 1", p)], vuln.Match{ID: fmt.Sprintf("CVE-%d-%d", p, v),
				Severity: vuln.High, RCE: true, FixedVersion: "2"})
		}
	}
	findings := 0
	for i := range 5000 {
		var packages []string
		for range 150 {
			p := r.IntN(4000)
			packages = append(packages, fmt.Sprintf("p%d/s%d 1", p, p/2))
		}
		a := inventory(fmt.Sprint("image", i), db, packages...)
		segment.PutAssessment(shared, a)
		shared.Put("Image", a.ID, graph.B("listed", true))
		findings += len(a.Findings)
	}
	v := graph.NewView(schema.Vocabulary(), shared.Freeze())
	b.Run("by update", func(b *testing.B) {
		for b.Loop() {
			if got := Recommend(v, nil); len(got.Recommendations) == 0 {
				b.Fatal("nothing")
			}
		}
		b.ReportMetric(float64(findings), "findings")
	})
	b.Run("walking every finding", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for i := range v.Nodes("Image") {
				for e := range i.Out("HAS_VULNERABILITY") {
					n += len(e.Value("fixed").Str())
				}
			}
			if n == 0 {
				b.Fatal("nothing")
			}
		}
	})
}

// One package with three fixes: the path's fix, the package's own word and the
// recommendation all name the last of them, whatever opens the path.
func TestAFixAndTheRecommendationNameOneVersion(t *testing.T) {
	log4j := func(id, fixed string, rce bool) vuln.Match {
		return vuln.Match{ID: id, Severity: vuln.Critical, FixedVersion: fixed, RCE: rce}
	}
	db := byVersion{"liblog4j2-java 2.13.3": {log4j("CVE-2021-44228", "2.15.0", true), log4j("CVE-2021-45046", "2.16.0", true),
		log4j("CVE-2021-45105", "2.17.0", false)}}
	images := []*assess.Assessment{inventory(cart, db, "liblog4j2-java/apache-log4j2 2.13.3")}
	got := advised(t, images, map[string][]string{cart: {"running"}})
	if len(got.Recommendations) != 1 || got.Recommendations[0].Fixed != "2.17.0" {
		t.Fatalf("recommended is %+v, want one update, to 2.17.0", got.Recommendations)
	}
	r := got.Recommendations[0]
	if !strings.Contains(r.Title, "apache-log4j2 to 2.17.0 ") || !strings.Contains(r.Text, "apache-log4j2 2.17.0 ") {
		t.Errorf("%s: %s, want 2.17.0 in both", r.Title, r.Text)
	}
	e, _ := readEstate(t, "testdata/direct.txt")
	_, paths := analysed(t, e.facts(t), builtIn(t), images)
	if len(paths) == 0 {
		t.Fatal("no path")
	}
	for _, p := range paths {
		i := slices.IndexFunc(p.Fixes, func(f Fix) bool { return f.Kind == fixImage })
		if i < 0 || !strings.Contains(p.Fixes[i].Text, "from 2.13.3 to 2.17.0,") || strings.Contains(p.Fixes[i].Text, "2.15.0") ||
			strings.Contains(p.Fixes[i].Text, "2.16.0") {
			t.Errorf("%s: fixes are %+v, want one from 2.13.3 to 2.17.0 alone", p.Title, p.Fixes)
		}
	}
}
