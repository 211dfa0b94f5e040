package bench

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// TestMeasureAffected says how long one answer to "am I affected by this CVE" takes in an estate of 5,000 images with 200 packages and
// 60 findings each, of which a quarter has it and 6 pods run each image, beside going through what every image has.
func TestMeasureAffected(t *testing.T) {
	measured(t)
	const images, pods = 5_000, 6
	v := schema.Vocabulary()
	shared, cluster := graph.NewShared(v), graph.NewBuilder(v, "c")
	for n := range images {
		id := imageID(n)
		shared.Put("Image", id, graph.S("name", fmt.Sprintf("registry.example/team/app-%d:1", n)))
		place := fmt.Sprintf("registry.example/team/app-%d", n)
		shared.Put("Repository", place, graph.S("registry", "registry.example"))
		shared.SetEdges("STORED_IN", "Image", id, "Repository", []graph.Target{{Kind: "Repository", ID: place}})
		segment.PutAssessment(shared, assessed(n, id))
		for p := range pods {
			name := fmt.Sprintf("app-%d-%d", n, p)
			pod := cluster.Node("Pod", "team/Pod/"+name, graph.S("name", name), graph.S("namespace", "team"), graph.S("phase", "Running"),
				graph.S("workload", fmt.Sprintf("Deployment/app-%d", n)), graph.B("exposed", p == 0))
			c := cluster.Node("Container", "team/Pod/"+name+"/c", graph.S("namespace", "team"))
			cluster.Edge("RUNS", pod, c)
			cluster.Edge("USES_IMAGE", c, cluster.Ref("Image", id))
		}
	}
	frozen := shared.Freeze()
	seg, dangling := cluster.Build(frozen)
	if len(dangling) > 0 {
		t.Fatal(len(dangling), "edges lead nowhere")
	}
	w := scope.Of(&live.World{View: graph.NewView(v, frozen, seg), Clusters: map[string]*live.Cluster{"c": {Name: "c", Segment: seg}}},
		graph.Everything)
	began := time.Now()
	advice := report.Recommended(w)
	t.Logf("%d images, %d pods: what is recommended, once for each picture: %s", images, images*pods, time.Since(began).Round(time.Millisecond))
	for _, id := range []string{"CVE-2099-0", "cve-2099-0", "GHSA-0", "CVE-2099-999999"} {
		for _, when := range []string{"first", "again"} {
			began := time.Now()
			a, err := report.AffectedBy(w, id, report.Besides{Advice: &advice})
			took := time.Since(began)
			if err != nil {
				t.Fatal(err)
			}
			document, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("  %s, %s: %s in %d images, %d workloads, %d pods: %s, %d kB", id, when, a.Verdict, a.Images, len(a.Where), a.Pods,
				took.Round(100*time.Microsecond), len(document)>>10)
		}
	}
	began = time.Now()
	found := 0
	for image := range w.View.Nodes("Image") {
		for e := range image.Out("HAS_VULNERABILITY") {
			if e.To.ID() == "CVE-2099-0" {
				found++
			}
		}
	}
	t.Logf("  going through what every image has: %s, %d findings", time.Since(began).Round(100*time.Microsecond), found)
}

func assessed(n int, id string) *assess.Assessment {
	a := &assess.Assessment{Contents: assess.Contents{ID: id, Distribution: "Debian GNU/Linux 12"}, Scanned: true, State: assess.Done}
	for p := range 200 {
		name := fmt.Sprintf("package-%d", (n*7+p)%2000)
		if p == 0 && n%4 == 0 {
			name = "flawed"
		}
		version := fmt.Sprintf("1.%d", n%5)
		a.Components = append(a.Components, assess.Component{PURL: "pkg:deb/debian/" + name + "@" + version,
			Package: vuln.Package{Ecosystem: "Debian:12", Name: name, Version: version, Source: name}})
	}
	for f, c := range a.Components[:60] {
		cve := fmt.Sprintf("CVE-2099-%d", 1+(n*7+f)%2000)
		if c.Name == "flawed" {
			cve = "CVE-2099-0"
		}
		a.Findings = append(a.Findings, assess.Finding{PURL: c.PURL, Match: vuln.Match{ID: cve, Aliases: []string{"GHSA" + cve[8:]},
			Package: c.Package, FixedVersion: "2.0", Severity: vuln.High, Summary: "A flaw"}})
	}
	return a
}
