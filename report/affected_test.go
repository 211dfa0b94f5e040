package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/vuln"
)

// estate is images with what was found in them, and the pods that run some.
type estate struct {
	shared *graph.Shared
	shop   *graph.Builder
	open   []live.Path
}

func newEstate() *estate {
	v := schema.Vocabulary()
	return &estate{shared: graph.NewShared(v), shop: graph.NewBuilder(v, "shop")}
}

// image adds one that was read as is said, with findings ("CVE-1 openssl 1.0 1.1") and others that do not count.
func (e *estate) image(name, completeness string, found, dismissed []string) {
	id := "sha256:" + name
	e.shared.Put("Image", id, graph.S("name", "r.example/"+name+":1"), graph.B("scanned", !strings.HasPrefix(completeness, "unread")),
		graph.B("partly", strings.HasPrefix(completeness, "partial")), graph.S("completeness", completeness))
	e.shared.Put("Repository", "r.example/"+name, graph.S("registry", "r.example"))
	e.shared.SetEdges("STORED_IN", "Image", id, "Repository", []graph.Target{{Kind: "Repository", ID: "r.example/" + name}})
	var vulnerable, not, packages []graph.Target
	for _, f := range found {
		part := append(strings.Split(f, " "), "", "")
		e.shared.Put("Vulnerability", part[0], graph.S("title", "A flaw"), graph.S("severity", "High"), graph.L("aliases",
			[]string{"GHSA-aaaa-bbbb-cccc"}), graph.B("kev", true))
		purl := "pkg:deb/" + part[1] + "@" + part[2]
		e.shared.Put("Package", purl, graph.S("name", part[1]), graph.S("version", part[2]), graph.S("ecosystem", "Debian:12"),
			graph.S("source", "src-"+part[1]))
		packages = append(packages, graph.Target{Kind: "Package", ID: purl})
		vulnerable = append(vulnerable, graph.Target{Kind: "Vulnerability", ID: part[0], Props: []graph.Prop{
			graph.S("package", part[1]+" "+part[2]), graph.S("installed", part[2]), graph.S("fixed", part[3]), graph.S("severity", "High"),
			graph.S("status", part[4])}})
		e.shared.SetEdges("AFFECTED_BY", "Package", purl, "Vulnerability", []graph.Target{{Kind: "Vulnerability", ID: part[0],
			Props: []graph.Prop{graph.S("fixed", part[3])}}})
	}
	for _, d := range dismissed {
		part := strings.SplitN(d, " ", 4)
		e.shared.Put("Vulnerability", part[0], graph.S("severity", "High"))
		not = append(not, graph.Target{Kind: "Vulnerability", ID: part[0], Props: []graph.Prop{graph.S("package", part[1]+" "+part[2]),
			graph.S("installed", part[2]), graph.S("reason", part[3])}})
	}
	e.shared.SetEdges("HAS_PACKAGE", "Image", id, "Package", packages)
	e.shared.SetEdges("HAS_VULNERABILITY", "Image", id, "Vulnerability", vulnerable)
	e.shared.SetEdges("NOT_AFFECTED_BY", "Image", id, "Vulnerability", not)
}

// pod runs an image in a workload; exposed is "yes", "no" or unknown.
func (e *estate) pod(name, workload, phase, exposed, image string) {
	props := []graph.Prop{graph.S("name", name), graph.S("namespace", "cart"), graph.S("workload", workload), graph.S("phase", phase)}
	if exposed != "" {
		props = append(props, graph.B("exposed", exposed == "yes"))
	}
	p := e.shop.Node("Pod", "cart/Pod/"+name, props...)
	c := e.shop.Node("Container", "cart/Pod/"+name+"/c", graph.S("namespace", "cart"))
	e.shop.Edge("RUNS", p, c)
	e.shop.Edge("USES_IMAGE", c, e.shop.Ref("Image", "sha256:"+image))
}

func (e *estate) path(id, vulnerability, workload string) {
	p := &analyse.Path{ID: id, Cluster: "shop", Title: "The way in", Risk: "high", Vulnerabilities: []analyse.Vulnerability{{ID: vulnerability}},
		Nodes: []analyse.Thing{{Kind: "Pod", Namespace: "cart", Workload: workload}, {Kind: "Container", Namespace: "cart", Workload: workload}}}
	e.open = append(e.open, live.Path{Path: p, Status: store.Active})
}

func (e *estate) world(t *testing.T) *scope.World {
	t.Helper()
	frozen := e.shared.Freeze()
	segment, dangling := e.shop.Build(frozen)
	if len(dangling) > 0 {
		t.Fatal(dangling)
	}
	return scope.Of(&live.World{View: graph.NewView(schema.Vocabulary(), frozen, segment),
		Clusters: map[string]*live.Cluster{"shop": {Name: "shop", Open: e.open, Segment: segment}}}, graph.Everything)
}

func known(id string) (vuln.Match, bool, error) {
	if id == "CVE-9" || id == "CVE-1" {
		return vuln.Match{ID: id, Summary: "A flaw", Severity: "High"}, true, nil
	}
	return vuln.Match{}, false, nil
}

func ask(t *testing.T, w *scope.World, id string, accepted func(graph.Edge) *exception.Applied) *Affected {
	t.Helper()
	a, err := AffectedBy(w, id, Besides{Known: known, Accepted: accepted, Advice: new(Recommended(w))})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAnswerSaysWhereAVulnerabilityIsWhatReachesItAndWhatFixesIt(t *testing.T) {
	e := newEstate()
	e.image("web", "complete", []string{"CVE-1 openssl 1.0 1.1", "CVE-1 libssl 1.0 1.1"}, nil)
	e.image("job", "complete", []string{"CVE-1 openssl 1.0 1.1"}, nil)
	e.image("old", "partial: advisories for Debian 9", []string{"CVE-1 openssl 0.9  end-of-life"}, nil)
	e.image("tool", "unread: 404", nil, nil)
	e.image("vex", "complete", nil, []string{"CVE-1 openssl 2.0 alice says that it is not affected"})
	e.pod("web-1", "Deployment/web", "Running", "yes", "web")
	e.pod("web-2", "Deployment/web", "Running", "no", "web")
	e.pod("own", "Pod/own", "Running", "", "old")
	e.pod("job-1", "Job/job", "Succeeded", "no", "job")
	e.path("p", "CVE-1", "Deployment/web")
	e.path("q", "CVE-2", "Deployment/web")
	w := e.world(t)
	for _, id := range []string{"CVE-1", "cve-1", "ghsa-AAAA-bbbb-cccc", " CVE-1 "} {
		a := ask(t, w, id, nil)
		got := fmt.Sprint(a.ID, a.Verdict, a.Images, a.Running, a.Pods, a.Exposed, a.Unclear, len(a.Paths), a.Registries, *a.KEV, a.InUse == nil)
		if want := "CVE-1affected3 2 3 1 1 1 [r.example] true true"; got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
	a := ask(t, w, "CVE-1", nil)
	const sentence = "Found in 3 of 4 images that were assessed. 2 of these images run, in 3 pods of 2 workloads; the internet reaches 1, " +
		"for 1 that is not known. It opens 1 attack path. There is a fix for 2 of 3 packages and versions that have it. 1 package that " +
		"advisories speak of is not affected, each with its reason. What else may have it: 1 image could not be read, 1 image was read in part."
	if a.Sentence != sentence {
		t.Error(a.Sentence)
	}
	where := fmt.Sprint(a.Where)
	if where != "[{shop cart Deployment/web shop/cart/Deployment/web 2 1 0 1 [r.example/web:1] false} "+
		"{shop cart Pod/own shop/cart/Pod/own 1 0 1 0 [r.example/old:1] false}]" {
		t.Error(where)
	}
	var fixes []string
	for _, f := range a.Fixes {
		fixes = append(fixes, fmt.Sprintf("%s %v %s %s to %s or %s, %s, %d in %d", f.Package, f.Packages, f.Ecosystem, f.Installed, f.Fixed,
			f.Target, f.Status, f.Images, f.Pods))
	}
	if got := strings.Join(fixes, "; "); got != "src-openssl [openssl] Debian:12 1.0 to 1.1 or 1.1, , 2 in 2; "+
		"src-libssl [libssl] Debian:12 1.0 to 1.1 or 1.1, , 1 in 2; src-openssl [openssl] Debian:12 0.9 to  or , end-of-life, 1 in 1" {
		t.Error(got)
	}
	if got := fmt.Sprint(a.NotAffected); got != "[{openssl 2.0 alice says that it is not affected 1 [r.example/vex:1]}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(a.LookedAt); got != "{1 5 3 1 1 0 0 0 0 [{404 1} {advisories for Debian 9 1}]}" {
		t.Error(got)
	}
}

func TestNotAffectedIsSaidOnlyOfWhatWasLookedFor(t *testing.T) {
	clean := newEstate()
	clean.image("web", "complete", nil, []string{"CVE-1 openssl 2.0 nothing of it is in the program"})
	partly := newEstate()
	partly.image("web", "complete", nil, nil)
	partly.image("old", "unread: 404", nil, nil)
	empty := newEstate()
	for _, c := range []struct {
		e       *estate
		id      string
		verdict Verdict
		says    string
	}{
		{clean, "CVE-1", IsNotAffected, "Not found in 1 image and 0 nodes that were assessed. 1 package that advisories speak of is not affected"},
		{clean, "CVE-9", IsNotAffected, "Not found in 1 image"},
		{clean, "CVE-8", IsUnknown, "no advisory that was imported names CVE-8"},
		{partly, "CVE-9", NotFound, "What else may have it: 1 image could not be read."},
		{empty, "CVE-9", IsUnknown, "no image and no node was seen"},
	} {
		if a := ask(t, c.e.world(t), c.id, nil); a.Verdict != c.verdict || !strings.Contains(a.Sentence, c.says) {
			t.Errorf("%s: %s, %s; want %s, %s", c.id, a.Verdict, a.Sentence, c.verdict, c.says)
		}
	}
}

func TestWhatPeopleAcceptedIsShownAndCounted(t *testing.T) {
	e := newEstate()
	e.image("web", "complete", []string{"CVE-1 openssl 1.0 1.1"}, nil)
	e.image("shop", "complete", []string{"CVE-1 openssl 1.0 1.1"}, nil)
	e.pod("web-1", "Deployment/web", "Running", "no", "web")
	e.pod("shop-1", "Deployment/shop", "Running", "no", "shop")
	w := e.world(t)
	in := func(names ...string) func(graph.Edge) *exception.Applied {
		return func(f graph.Edge) *exception.Applied {
			for _, n := range names {
				if f.From.ID() == "sha256:"+n {
					return &exception.Applied{Reason: "not reached", Expired: n == "ended"}
				}
			}
			return nil
		}
	}
	a := ask(t, w, "CVE-1", in("web"))
	if a.Verdict != IsAffected || a.Accepted != 1 || a.Images != 2 || len(a.Where) != 2 || a.Where[0].Accepted || !a.Where[1].Accepted ||
		a.Fixes[0].Accepted != 1 || !strings.Contains(a.Sentence, "in 1 of them accepted by people") {
		t.Errorf("%+v", a)
	}
	if a = ask(t, w, "CVE-1", in("web", "shop")); a.Verdict != IsAccepted || len(a.Where) != 2 {
		t.Errorf("%+v", a)
	}
}
