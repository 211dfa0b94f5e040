package bench

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
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

// What an Explorer query and a question of reach may take, at a million pods.
const (
	soon    = 50 * time.Millisecond
	reached = 500 * time.Millisecond
)

// step is every edge that an attack path walks, as the Explorer writes "can reach".
var step = func() string {
	var names []string
	for _, e := range schema.Edges() {
		if e.Step || e.Derived {
			names = append(names, e.Name)
		}
	}
	return strings.Join(names, "|")
}()

// questions are asked of an estate whose techniques all ran: six of the Explorer,
// about facts, insights and derived edges, and two that ask what can be reached.
var questions = []struct {
	name   string
	within time.Duration
	text   string
}{
	{"images with a CVE, and pods running them", soon, `
MATCH (i:Image)
MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889'
MATCH (i)<-[:USES_IMAGE]-(c:Container)
MATCH (c)<-[:RUNS]-(p:Pod)
RETURN i, v, c, p`},
	{"exposed pods with severe images", soon, `
MATCH (p:Pod) WHERE p.exposed
MATCH (p)-[:RUNS]->(c:Container)
MATCH (c)-[:USES_IMAGE]->(i:Image) WHERE i.severity >= 'High'
RETURN p, c, i`},
	{"pods whose account may read secrets", soon, `
MATCH (p:Pod)
MATCH (p)-[:RUNS_AS]->(a:ServiceAccount)
MATCH (a)-[:HOLDS]->(m:Permission) WHERE m.power = 'read-secrets' OR m.power = 'everything'
RETURN p, a, m`},
	{"workloads, worst to lose first", soon, `
MATCH (w:Deployment|StatefulSet|DaemonSet|Job|CronJob) WHERE w.blastRadius > 0
RETURN w, w.worstTarget, w.blastRadius ORDER BY w.blastRadius DESC`},
	{"containers that take over a node", soon, `
MATCH (c:Container)
MATCH (c)-[:CAN_TAKE_OVER]->(n:Node)
RETURN c, n`},
	{"namespaces by who may exec there", soon, `
MATCH (n:Namespace)
MATCH (n)<-[:COVERS]-(m:Permission) WHERE m.power = 'exec-pods' AND m.scope <> 'names'
MATCH (m)<-[:HOLDS]-(a)
RETURN n, count(DISTINCT a) AS identities ORDER BY identities DESC`},
	{"containers that can reach their cluster", reached, `
MATCH (c:Container) WHERE EXISTS { (c)-[:` + step + `*1..16]->(k:Cluster) }
RETURN c`},
	{"nodes that the internet can reach", reached, `
MATCH (n:Node) WHERE EXISTS { (n)<-[:` + step + `*1..16]-(i:Internet) }
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
			Severity: []vuln.Severity{vuln.Low, vuln.Medium, vuln.Medium, vuln.High, vuln.Critical}[n%5], RCE: n%1000 == 4})
	}
	return out, nil
}

// member is one of the estate's clusters: of the same make as the others, with images of its own, but for
// those of operators and agents, which all have from the same vendors.
func member(f *collect.Facts, n int) *collect.Facts {
	own := f.Clone()
	own.Cluster.Name = fmt.Sprintf("cluster-%04d", n)
	rename := func(image string) string {
		return strings.Replace(image, "registry.example/team-", fmt.Sprintf("registry.example/cluster-%04d/team-", n), 1)
	}
	shapes, images := map[*collect.PodShape]*collect.PodShape{}, map[*collect.Images]*collect.Images{}
	for k, p := range f.Pods {
		pod := *p
		if shapes[p.Shape] == nil {
			s := *p.Shape
			s.Containers = slices.Clone(s.Containers)
			for i := range s.Containers {
				s.Containers[i].Image = rename(s.Containers[i].Image)
			}
			shapes[p.Shape] = &s
		}
		if p.Images != nil && images[p.Images] == nil {
			list := &collect.Images{}
			for _, id := range p.Images.IDs {
				list.IDs = append(list.IDs, rename(id))
			}
			images[p.Images] = list
		}
		pod.Shape, pod.Images = shapes[p.Shape], images[p.Images]
		own.Pods[k] = &pod
	}
	return own
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
	clusters := make([]*graph.Segment, (pods+len(f.Pods)-1)/len(f.Pods))
	shared, read := graph.NewShared(voc), map[string]bool{}
	for i := range clusters {
		for _, u := range segment.Images(member(f, i)) {
			if read[u.ID] {
				continue
			}
			read[u.ID] = true
			c := assess.Contents{ID: u.ID, Platform: "linux/amd64", Distribution: "Debian 12", Components: []assess.Component{
				{PURL: "pkg:deb/debian/p@1", Package: vuln.Package{Ecosystem: "Debian:12", Name: u.ID, Version: "1"}}}}
			segment.PutAssessment(shared, c.Assess(severalAdvisories{}))
		}
	}
	var drawing sync.Mutex
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range clusters {
		g.Go(func() error {
			own := member(f, i)
			made := segment.Cluster(own, segment.Judge(own, rules.Powers))
			drawing.Lock()
			made.PutShared(shared)
			now := shared.Freeze()
			drawing.Unlock()
			seg, gaps := made.Build(now)
			seg, _, _, err := analyse.Cluster(t.Context(), graph.NewView(voc, now, seg), seg, rules, gaps...)
			clusters[i] = seg
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return graph.NewView(voc, shared.Freeze(), clusters...)
}

// TestMeasureAnalysedEstate asks an estate with all derived edges.
func TestMeasureAnalysedEstate(t *testing.T) {
	measured(t)
	pods := podsWanted(1_000_000)
	before, begin, cpu := heap(), time.Now(), cpuTime()
	v := analysedEstate(t, pods)
	took, cost := time.Since(begin), cpuTime()-cpu
	bytes := heap() - before
	_, edges, adjacency := size(v)
	w := weigh(v)
	t.Logf("%d clusters with derived edges: %d nodes, %d edges, of which techniques made %d; read, judged, analysed in %s (CPU %s)",
		len(v.Clusters()), w.nodes.count, w.edges.count, w.derived.count, took.Round(time.Millisecond), cost.Round(time.Millisecond))
	t.Logf("heap %d MiB: %.1f bytes a node with its properties; %.1f bytes an edge in both directions with its properties, "+
		"of which %.1f adjacency; %.1f bytes an edge that a technique made", bytes>>20, w.nodes.each(), w.edges.each(),
		float64(adjacency)/float64(edges), w.derived.each())
	runtime.GC()
	for _, c := range questions {
		timed(t, v, c.name, c.text, c.within)
	}
	runtime.KeepAlive(v)
}

// timed runs a query as the Explorer does: a page of rows, the exact total, the gaps.
func timed(t *testing.T, v *graph.View, name, text string, within time.Duration) {
	t.Helper()
	q, err := query.Parse(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	const runs = 60
	var took []time.Duration
	var total int64
	cpu := cpuTime()
	for range runs {
		begin := time.Now()
		res, err := query.Run(t.Context(), v, graph.Everything, q, query.Options{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		took, total = append(took, time.Since(begin)), res.Total
	}
	cpu = (cpuTime() - cpu) / runs
	slices.Sort(took)
	p95, verdict := took[runs*95/100], "within"
	if p95 > within {
		verdict = "beyond"
	}
	t.Logf("%-46s %9d rows  p50 %8s  p95 %8s  max %8s  cpu %8s  p95 %s %s", name, total, took[runs/2].Round(10*time.Microsecond),
		p95.Round(10*time.Microsecond), took[runs-1].Round(10*time.Microsecond), cpu.Round(10*time.Microsecond), verdict, within)
}
