package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/severity"
)

// queryEstate is clusters of 1,000 pods with one or two containers each, an
// image for every ten pods, 30,000 vulnerabilities and about 180 of them (skewed: a few are everywhere) in
// each image.
func queryEstate(pods int) *graph.View {
	g := rand.New(rand.NewPCG(1, 2))
	voc := schema.Vocabulary()
	shared := graph.NewShared(voc)
	images, cves := max(10, pods/10), min(30_000, max(3000, pods/3))
	for n := range cves {
		shared.Put("Vulnerability", fmt.Sprintf("CVE-%d-%d", 2015+n%10, 1000+n),
			graph.S("severity", severity.Scale[1+g.IntN(5)]), graph.B("kev", g.IntN(100) == 0))
	}
	for n := range images {
		shared.Put("Image", imageID(n), graph.S("name", fmt.Sprintf("registry.example/team/app-%d:1.0", n)),
			graph.S("severity", severity.Scale[2+g.IntN(4)]), graph.B("scanned", n%50 != 0))
	}
	for n := range images {
		var found []graph.Target
		for range g.IntN(min(360, cves)) {
			c := int(float64(cves) * g.Float64() * g.Float64())
			found = append(found, graph.Target{Kind: "Vulnerability", ID: fmt.Sprintf("CVE-%d-%d", 2015+c%10, 1000+c)})
		}
		shared.SetEdges("HAS_VULNERABILITY", "Image", imageID(n), "Vulnerability", found)
	}
	frozen := shared.Freeze()
	var clusters []*graph.Segment
	for c := 0; c*1000 < pods; c++ {
		clusters = append(clusters, queryCluster(g, voc, frozen, c, min(1000, pods-c*1000), images))
	}
	return graph.NewView(voc, frozen, clusters...)
}

func imageID(n int) string { return fmt.Sprintf("sha256:%064x", n) }

func queryCluster(g *rand.Rand, voc *graph.Vocabulary, shared *graph.Segment, c, pods, images int) *graph.Segment {
	b := graph.NewBuilder(voc, fmt.Sprintf("cluster-%04d", c))
	for n := range pods {
		id := fmt.Sprintf("ns-%d/Pod/app-%d", n%20, n)
		pod := b.Node(
			"Pod",
			id,
			graph.S("name", fmt.Sprintf("app-%d", n)),
			graph.S("namespace", fmt.Sprintf("ns-%d", n%20)),
			graph.B("exposed", g.IntN(10) == 0),
		)
		for i := range 1 + g.IntN(2) {
			cont := b.Node("Container", fmt.Sprintf("%s/c%d", id, i), graph.B("privileged", g.IntN(50) == 0))
			b.Edge("RUNS", pod, cont)
			b.Edge("USES_IMAGE", cont, b.Ref("Image", imageID((c*97+g.IntN(200))%images)))
		}
	}
	seg, _ := b.Build(shared)
	return seg
}

// The number of pods is PODS, so that `make bench` measures a million and the
// ordinary test stays quick. Latency is recorded, not judged, here.
func TestQueriesAgreeWithPlainLoopsAndTheirTimesAreRecorded(t *testing.T) {
	pods, runs := 4000, 5
	if n, err := strconv.Atoi(os.Getenv("PODS")); err == nil {
		pods, runs = n, 60
	}
	begin := time.Now()
	v := queryEstate(pods)
	t.Logf("%d pods made in %s", pods, time.Since(begin).Round(time.Millisecond))
	results, err := MeasureQueries(context.Background(), v, runs)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		t.Log(r)
		if r.Total == 0 && pods >= 4000 {
			t.Errorf("%s finds nothing, so it measures nothing", r.Name)
		}
	}
}
