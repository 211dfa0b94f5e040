package bench

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// phases are what becomes of a cluster's objects, with the CPU time of each.
type phases struct {
	pods, objects              int
	read, judged, built, found time.Duration
	clock                      time.Duration // of all of it
	nodes, edges, paths        int
	view                       *graph.View
	gaps                       []collect.Gap
}

func (p phases) total() time.Duration { return p.read + p.judged + p.built + p.found }

func (p phases) String() string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%6d ms", d.Milliseconds()) }
	return fmt.Sprintf("%6d pods, %6d objects: read %s, judges %s, graph %s, techniques and paths %s: %s, by the clock %s; "+
		"%d nodes, %d edges, %d paths", p.pods, p.objects, ms(p.read), ms(p.judged), ms(p.built), ms(p.found), ms(p.total()), ms(p.clock),
		p.nodes, p.edges, p.paths)
}

// exploitable is an advisory that lets an attacker run code.
type exploitable struct{}

func (exploitable) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	return []vuln.Match{{Package: p, ID: "CVE-2026-1", Severity: vuln.Critical, RCE: true, FixedVersion: "2"}}, nil
}

func (exploitable) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

// imagesOf is what was read of each image that a cluster uses: every fifth can be exploited.
func imagesOf(f *collect.Facts) map[string]*assess.Assessment {
	out := map[string]*assess.Assessment{}
	for _, u := range segment.Images(f) {
		c := assess.Contents{ID: u.ID, Platform: "linux/amd64", Distribution: "Debian 12"}
		if len(out)%5 == 0 {
			c.Components = []assess.Component{{PURL: "pkg:deb/debian/p@1", Package: vuln.Package{Ecosystem: "Debian:12", Name: "p", Version: "1"}}}
		}
		out[u.ID] = c.Assess(exploitable{})
	}
	return out
}

func measurePhases(t *testing.T, dir string, rules *analyse.Rules) (p phases) {
	t.Helper()
	began, at := time.Now(), cpuTime()
	lap := func() (d time.Duration) {
		now := cpuTime()
		d, at = now-at, now
		return d
	}
	f, err := kube.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "bench"
	p.read, p.pods = lap(), len(f.Pods)
	for _, kind := range collect.Kinds {
		p.objects += f.Len(kind)
	}
	images := imagesOf(f)
	lap()
	j := segment.Judge(f, rules.Powers)
	p.judged = lap()
	made := segment.Cluster(f, j)
	shared := graph.NewShared(schema.Vocabulary())
	for _, a := range images {
		segment.PutAssessment(shared, a)
	}
	made.PutShared(shared)
	frozen := shared.Freeze()
	seg, gaps := made.Build(frozen)
	p.built = lap()
	seg, paths, more, err := analyse.Cluster(t.Context(), graph.NewView(schema.Vocabulary(), frozen, seg), seg, rules, gaps...)
	if err != nil {
		t.Fatal(err)
	}
	p.found, p.paths, p.gaps, p.clock = lap(), len(paths), append(gaps, more...), time.Since(began)
	p.view = graph.NewView(schema.Vocabulary(), frozen, seg)
	p.nodes, p.edges, _ = size(p.view)
	runtime.KeepAlive(f)
	return p
}

func builtInRules(t *testing.T) *analyse.Rules {
	t.Helper()
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// TestMeasureGrowth says how what a cluster costs grows with its pods.
func TestMeasureGrowth(t *testing.T) {
	measured(t)
	rules := builtInRules(t)
	var before phases
	for _, pods := range sizes(1000, 3000, 10_000, 30_000) {
		p := measurePhases(t, clusterOf(pods).files(t), rules)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%s; %d MiB from the operating system so far", p, m.Sys>>20)
		if before.pods > 0 {
			t.Logf("  %.2f times the pods: %.2f times the CPU time, %.2f times that of techniques and paths",
				float64(p.pods)/float64(before.pods), float64(p.total())/float64(before.total()), float64(p.found)/float64(before.found))
		}
		before = p
	}
	kinds := map[string]int{}
	for _, g := range before.gaps {
		kinds[g.Source+": "+strings.SplitN(g.What, " ", 2)[0]]++
	}
	t.Logf("gaps: %v", kinds)
}

// sizes are those to be measured, up to PODS.
func sizes(all ...int) []int {
	most := podsWanted(all[len(all)-1])
	return slices.DeleteFunc(all, func(n int) bool { return n > max(most, all[0]) })
}
