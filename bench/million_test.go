package bench

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// perCluster is how many pods a cluster of the analysed estate has.
const perCluster = 3000

// questions are asked of an estate whose techniques all ran: six of the Explorer,
// about facts, insights and derived edges, and two that ask what can be reached.
var questions = []struct {
	name, text string
}{
	{name: "images with a CVE, and pods running them", text: `
MATCH (i:Image)
MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889'
MATCH (i)<-[:USES_IMAGE]-(c:Container)
MATCH (c)<-[:RUNS]-(p:Pod)
RETURN i, v, c, p`},
	{name: "exposed pods with severe images", text: `
MATCH (p:Pod) WHERE p.exposed
MATCH (p)-[:RUNS]->(c:Container)
MATCH (c)-[:USES_IMAGE]->(i:Image) WHERE i.severity >= 'High'
RETURN p, c, i`},
	{name: "pods whose account may read secrets", text: `
MATCH (p:Pod)
MATCH (p)-[:RUNS_AS]->(a:ServiceAccount)
MATCH (a)-[:HOLDS]->(m:Permission) WHERE m.power = 'read-secrets' OR m.power = 'everything'
RETURN p, a, m`},
	{name: "workloads, worst to lose first", text: `
MATCH (w:Deployment|StatefulSet|DaemonSet|Job|CronJob) WHERE w.blastRadius > 0
RETURN w, w.worstTarget, w.blastRadius ORDER BY w.blastRadius DESC`},
	{name: "containers that take over a node", text: `
MATCH (c:Container)
MATCH (c)-[:CAN_TAKE_OVER]->(n:Node)
RETURN c, n`},
	{name: "namespaces by who may exec there", text: `
MATCH (n:Namespace)
MATCH (n)<-[:COVERS]-(m:Permission) WHERE m.power = 'exec-pods' AND m.scope <> 'names'
MATCH (m)<-[:HOLDS]-(a)
RETURN n, count(DISTINCT a) AS identities ORDER BY identities DESC`},
	{name: "containers from which the cluster is reached", text: `
MATCH (c:Container) WHERE EXISTS { (c)-[:CAN_ACT_AS|HOLDS|CAN_TAKE_OVER|CAN_EXECUTE_IN*1..12]->(k:Cluster) }
RETURN c`},
	{name: "nodes that exposed pods reach", text: `
MATCH (n:Node) WHERE EXISTS { (n)<-[:RUNS|CAN_ACT_AS|HOLDS|CAN_TAKE_OVER|CAN_EXECUTE_IN*1..12]-(p:Pod) WHERE p.exposed }
RETURN n`},
}

// severalAdvisories let an attacker run code by some CVEs, other ones in each image.
type severalAdvisories struct{}

func (severalAdvisories) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

func (severalAdvisories) Examine(p vuln.Package) (out []vuln.Match, _ []collect.Gap) {
	of := fnv.New64a()
	of.Write([]byte(p.Name))
	g := rand.New(rand.NewPCG(1, of.Sum64()))
	const cves = 30_000
	for range g.IntN(360) {
		n := int(cves * g.Float64() * g.Float64())
		out = append(out, vuln.Match{Package: p, ID: fmt.Sprintf("CVE-%d-%d", 2015+n%10, 1000+n), FixedVersion: "2",
			Severity: []vuln.Severity{vuln.Low, vuln.Medium, vuln.Medium, vuln.High, vuln.Critical}[n%5], RCE: n%50 == 0})
	}
	return out, nil
}

// analysedEstate is clusters of 3,000 pods each, read, judged and analysed as the
// product does it, as many as it takes to have so many pods.
func analysedEstate(t *testing.T, pods int) *graph.View {
	t.Helper()
	rules, voc := builtInRules(t), schema.Vocabulary()
	f, err := kube.Read(clusterOf(min(pods, perCluster)).files(t))
	if err != nil {
		t.Fatal(err)
	}
	shared := graph.NewShared(voc)
	for _, u := range segment.Images(f) {
		c := assess.Contents{ID: u.ID, Platform: "linux/amd64", Distribution: "Debian 12", Components: []assess.Component{
			{PURL: "pkg:deb/debian/p@1", Package: vuln.Package{Ecosystem: "Debian:12", Name: u.ID, Version: "1"}}}}
		segment.PutAssessment(shared, c.Assess(severalAdvisories{}))
	}
	frozen := shared.Freeze()
	clusters := make([]*graph.Segment, (pods+len(f.Pods)-1)/len(f.Pods))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range clusters {
		g.Go(func() error {
			own := *f
			own.Cluster.Name = fmt.Sprintf("cluster-%04d", i)
			seg, gaps := segment.Cluster(&own, segment.Judge(&own, rules.Powers)).Build(frozen)
			seg, _, _, err := analyse.Cluster(t.Context(), graph.NewView(voc, frozen, seg), seg, rules, gaps...)
			clusters[i] = seg
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return graph.NewView(voc, frozen, clusters...)
}

// TestMeasureAnalysedEstate asks an estate with all derived edges.
func TestMeasureAnalysedEstate(t *testing.T) {
	measured(t)
	pods := podsWanted(1_000_000)
	before, begin, cpu := heap(), time.Now(), cpuTime()
	v := analysedEstate(t, pods)
	took, cost := time.Since(begin), cpuTime()-cpu
	bytes := heap() - before
	nodes, edges, adjacency := size(v)
	t.Logf("%d clusters with derived edges: %d nodes, %d edges; read, judged, analysed in %s (CPU %s)", len(v.Clusters()), nodes, edges,
		took.Round(time.Millisecond), cost.Round(time.Millisecond))
	t.Logf("heap %d MiB: %.1f bytes a node or edge with payload; adjacency alone %.1f bytes an edge, both directions", bytes>>20,
		float64(bytes)/float64(nodes+edges), float64(adjacency)/float64(edges))
	for _, c := range questions {
		timed(t, v, c.name, c.text)
	}
	runtime.KeepAlive(v)
}

// timed runs a query as the Explorer does: a page of rows, the exact total, the gaps.
func timed(t *testing.T, v *graph.View, name, text string) {
	t.Helper()
	q, err := query.Parse(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	const runs = 60
	var took []time.Duration
	var total int64
	for range runs {
		begin := time.Now()
		res, err := query.Run(t.Context(), v, graph.Everything, q, query.Options{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		took, total = append(took, time.Since(begin)), res.Total
	}
	slices.Sort(took)
	t.Logf("%-46s %9d rows  p50 %8s  p95 %8s  max %8s", name, total, took[runs/2].Round(10*time.Microsecond),
		took[runs*95/100].Round(10*time.Microsecond), took[runs-1].Round(10*time.Microsecond))
}
