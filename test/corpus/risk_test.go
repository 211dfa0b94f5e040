package corpus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	known "github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/vuln"
)

// A list in which everything is critical tells nobody where to begin.
const mostCritical = 0.2

// TestRiskSpreadsOverTheSample holds the risk of the sample's paths to what people can rank by.
func TestRiskSpreadsOverTheSample(t *testing.T) {
	e, err := harborshop.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	w := worldOf(t, e)
	var open, assumed []analyse.Path
	for _, c := range w.Ordered() {
		any, _, _, err := c.Assume(t.Context(), "any")
		if err != nil {
			t.Fatal(err)
		}
		open, assumed = append(open, c.Paths...), append(assumed, any...)
	}
	if len(open) == 0 || len(assumed) == 0 {
		t.Fatalf("%d paths, %d from what is assumed: there is nothing to rank", len(open), len(assumed))
	}
	ranked(t, "the sample", open)
	ranked(t, "the sample, a breach assumed", assumed)
}

func worldOf(t *testing.T, e *harborshop.Estate) *live.World {
	t.Helper()
	db, err := vuln.Read(t.Context(), known.FS)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	var facts []*collect.Facts
	for _, c := range e.Clusters {
		f, err := kube.ReadFS(c.Manifests)
		if err != nil {
			t.Fatal(err)
		}
		f.Cluster.Name = c.Name
		facts = append(facts, f)
	}
	options := image.Options{Transport: e.Transport(nil)}

	w, err := live.Once(t.Context(), rules, assess.New(assess.Config{
		Scan: func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			return image.Scan(ctx, ref, options)
		},
		Advisories: func() *vuln.DB { return db }}), facts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestCorpusRiskSpreads is the same of other people's manifests.
func TestCorpusRiskSpreads(t *testing.T) {
	for _, at := range []string{"badpods/manifests", "kubernetes-goat/scenarios", "kubehound-cluster/attacks", "online-boutique"} {
		family, below, _ := strings.Cut(at, "/")
		t.Run(family, func(t *testing.T) {
			from := family + "=" + inside(folder(t, family), below)
			for _, how := range [][]string{nil, {"--assume", "any"}} {
				var answer struct{ Paths []analyse.Path }
				args := append([]string{"paths", "--data", t.TempDir(), "--from", from, "-o", "json"}, how...)
				if err := json.Unmarshal(breakwater(t, args...), &answer); err != nil {
					t.Fatal(err)
				}
				ranked(t, strings.Join(append([]string{family}, how...), " "), answer.Paths)
			}
		})
	}
}

// ranked prints how the risk of paths spreads, and fails where too many are critical, where taking over the cluster
// is no worse than a container by the same entry, and where two cannot be told apart by their titles.
func ranked(t *testing.T, name string, paths []analyse.Path) {
	t.Helper()
	var tens [11]int
	critical, titles := 0, map[string]bool{}
	type way struct{ cluster, class, foothold string }
	least, most := map[way]analyse.Path{}, map[way]analyse.Path{}
	for _, p := range paths {
		tens[p.RiskScore/10]++
		if p.Risk == "critical" {
			critical++
		}
		if titles[p.Cluster+p.Title] {
			t.Errorf("%s: two paths are titled %q", name, p.Title)
		}
		titles[p.Cluster+p.Title] = true
		at := way{p.Cluster, p.EntryClass, p.Foothold.ID}
		switch was, there := least[at]; {
		case p.Target.Kind == "Cluster" && (!there || p.RiskScore < was.RiskScore):
			least[at] = p
		case p.Target.Kind == "Container" && p.RiskScore >= most[at].RiskScore:
			most[at] = p
		}
	}
	t.Logf("%s: %d paths, %d critical", name, len(paths), critical)
	for i, n := range tens {
		if n > 0 {
			t.Logf("  %3d–%-3d %4d %s", 10*i, 10*i+9, n, strings.Repeat("▇", min(n, 60)))
		}
	}
	if float64(critical) > mostCritical*float64(len(paths)) {
		t.Errorf("%s: %d of %d are critical, want at most %.0f %%", name, critical, len(paths), 100*mostCritical)
	}
	for at, p := range least {
		if c, there := most[at]; there && c.RiskScore >= p.RiskScore {
			t.Errorf("%s: %q is %d, and %q is %d", name, p.Title, p.RiskScore, c.Title, c.RiskScore)
		}
	}
	fmt.Printf(`{"risk":%q,"paths":%d,"critical":%d,"by_ten":%s}`+"\n", name, len(paths), critical,
		strings.ReplaceAll(fmt.Sprint(tens), " ", ","))
}
