package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// packagePool is how many packages images draw theirs from: 30 each, of which 20
// have a vulnerability.
const packagePool = 30_000

// everyThird is an advisory for two of three packages.
type everyThird struct{}

func (everyThird) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	var n int
	if _, err := fmt.Sscanf(p.Name, "package-%d", &n); err != nil || n%3 == 0 {
		return nil, nil
	}
	severity := []vuln.Severity{vuln.Low, vuln.High, vuln.Critical}[n/3%3]
	return []vuln.Match{
		{Package: p, ID: fmt.Sprintf("CVE-2026-%d", n/3), Severity: severity, FixedVersion: "2", Summary: "a vulnerability"},
	}, nil
}

func (everyThird) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

func assessmentOf(g *rand.Rand, n int) *assess.Assessment {
	c := assess.Contents{ID: imageID(n), Platform: "linux/amd64", Distribution: "Debian 12"}
	seen := map[int]bool{}
	for len(seen) < 30 {
		p := int(packagePool * g.Float64() * g.Float64()) // some are everywhere
		if seen[p] {
			continue
		}
		seen[p] = true
		name := fmt.Sprintf("package-%d", p)
		c.Components = append(c.Components, assess.Component{PURL: "pkg:deb/debian/" + name + "@1?distro=debian-12",
			Layer: fmt.Sprintf("sha256:%064d", len(seen)/10), Package: vuln.Package{Ecosystem: "Debian:12", Name: name, Version: "1"}})
	}
	return c.Assess(everyThird{})
}

func putStored(s *graph.Shared, g *rand.Rand, n int) {
	place := assess.Place{Registry: "registry.example", Repository: fmt.Sprintf("team/app-%d", n/10), Tags: []string{fmt.Sprint(n)}}
	segment.PutStored(s, imageID(n), []assess.Place{place}, true)
	segment.PutAssessment(s, assessmentOf(g, n))
}

// measuredChange is what one change and the version after it cost.
type measuredChange struct{ p50, max, mean, cpu time.Duration }

func (m measuredChange) String() string {
	µs := func(d time.Duration) time.Duration { return d.Round(time.Microsecond) }
	return fmt.Sprintf("p50 %s, max %s, mean %s, CPU %s", µs(m.p50), µs(m.max), µs(m.mean), µs(m.cpu))
}

func measureChanges(s *graph.Shared, n int, change func(i int)) (m measuredChange) {
	took := make([]time.Duration, n)
	runtime.GC()
	began, cpu := time.Now(), cpuTime()
	for i := range n {
		one := time.Now()
		change(i)
		s.Freeze()
		took[i] = time.Since(one)
	}
	m.mean, m.cpu = time.Since(began)/time.Duration(n), (cpuTime()-cpu)/time.Duration(n)
	slices.Sort(took)
	m.p50, m.max = took[n/2], took[n-1]
	return m
}

// TestMeasureAssessment says what the assessment of one image costs in a small
// and in a large estate, against a shared segment that is copied whole.
func TestMeasureAssessment(t *testing.T) {
	measured(t)
	var before measuredChange
	for _, images := range []int{5_000, 100_000} {
		g, s := rand.New(rand.NewPCG(3, 4)), graph.NewShared(schema.Vocabulary())
		empty, began := heap(), time.Now()
		for n := range images {
			putStored(s, g, n)
			if n%200 == 199 { // as they are recalled after a start
				s.Freeze()
			}
		}
		took := time.Since(began)
		v := graph.NewView(schema.Vocabulary(), s.Freeze())
		bytes := heap() - empty
		nodes, edges, _ := size(v)
		t.Logf("%d images: %d nodes, %d edges, put in %s; heap %d MiB with what the writer holds: %.1f bytes a node or edge, %d an image",
			images, nodes, edges, took.Round(time.Millisecond), bytes>>20, float64(bytes)/float64(nodes+edges), int(bytes)/images)
		more := make([]*assess.Assessment, 1000)
		for i := range more {
			more[i] = assessmentOf(g, g.IntN(images)) // what was read again is different now
		}
		one := measureChanges(s, len(more), func(i int) { segment.PutAssessment(s, more[i]) })
		mark := measureChanges(s, 1000, func(i int) { s.Put("Image", imageID(i*(images/1000)), graph.B("running", true)) })
		t.Logf("  an assessment: %s", one)
		t.Logf("  a mark (running): %s", mark)
		t.Logf("  critical vulnerabilities by images, in tiers: %s; compacted: %s", countImages(t, s.Freeze()), countImages(t, s.Compact()))
		if images == 5_000 {
			before = one
			whole := graph.NewShared(schema.Vocabulary())
			for n := range images {
				putStored(whole, g, n)
			}
			began, cpu := time.Now(), cpuTime()
			whole.Freeze()
			t.Logf("  alternative, everything copied for each change: %s, CPU %s",
				time.Since(began).Round(time.Millisecond), (cpuTime() - cpu).Round(time.Millisecond))
			continue
		}
		t.Logf("an assessment among 100,000 images costs %.2f times that among 5,000 by p50, %.2f by CPU (wanted: ≤ 2)",
			float64(one.p50)/float64(before.p50), float64(one.cpu)/float64(before.cpu))
	}
}

func countImages(t *testing.T, shared *graph.Segment) string {
	t.Helper()
	q, err := query.Parse(`MATCH (v:Vulnerability) WHERE v.severity >= 'Critical' MATCH (v)<-[:HAS_VULNERABILITY]-(i:Image)
RETURN v, count(DISTINCT i) AS images ORDER BY images DESC`)
	if err != nil {
		t.Fatal(err)
	}
	v, took := graph.NewView(schema.Vocabulary(), shared), make([]time.Duration, 11)
	tiers := 0
	for e := range schema.Vocabulary().Edges() {
		tiers += len(shared.Rels(e))
	}
	for i := range took {
		began := time.Now()
		if _, err := query.Run(context.Background(), v, graph.Everything, q, query.Options{Limit: 100}); err != nil {
			t.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return fmt.Sprintf("%s of %d tiers", took[len(took)/2].Round(10*time.Microsecond), tiers)
}
