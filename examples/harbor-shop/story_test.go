package harborshop_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/vuln"
)

// world is the estate as Breakwater shows it, images read from the registry.
func world(t *testing.T, e *harborshop.Estate) *live.World {
	t.Helper()
	var facts []*collect.Facts
	for _, c := range e.Clusters {
		f, err := kube.ReadFS(c.Manifests)
		if err != nil {
			t.Fatal(err)
		}
		f.Cluster.Name = c.Name
		facts = append(facts, f)
	}
	return worldOf(t, e, facts...)
}

func worldOf(t *testing.T, e *harborshop.Estate, facts ...*collect.Facts) *live.World {
	t.Helper()
	db, err := vuln.Read(t.Context(), advisories.FS)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := analyse.Load("")
	if err != nil {
		t.Fatal(err)
	}
	options := image.Options{Transport: e.Transport(nil)}
	w, err := live.Once(t.Context(), rules, assess.New(assess.Config{
		Scan: func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			return image.Scan(ctx, ref, options)
		},
		Advisories: func() *vuln.DB { return db },
	}), facts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ask runs a query and gives its rows, once each and sorted.
func ask(t *testing.T, w *live.World, text string) (rows []string) {
	t.Helper()
	q, problems := query.Compile(query.Schema(), text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	found, err := query.Run(t.Context(), w.View, graph.Everything, q, query.Options{Limit: query.AllRows})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Rows {
		var cells []string
		for _, c := range r {
			cells = append(cells, strings.TrimPrefix(c.String(), harborshop.Host+"/"))
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	slices.Sort(rows)
	return slices.Compact(rows)
}

func TestTheHuntFindsTheImagesAndThePodsThatRunThem(t *testing.T) {
	w := world(t, open(t))
	tests := []struct {
		digits string
		want   []string
	}{
		{
			"3889",
			[]string{
				"shop/chart-plotter:0.8.0 CVE-2022-3889 harbor-prod Deployment/chart-plotter",
				"shop/receipts:1.9.0 CVE-2022-3889 harbor-prod Deployment/receipts",
			},
		},
		{
			"3602",
			[]string{
				"shop/sail-preview:0.8.2 CVE-2022-3602 harbor-prod Deployment/sail-preview",
				"shop/web:1.4.2 CVE-2022-3602 harbor-prod Deployment/web",
			},
		},
		{
			"44228",
			[]string{"shop/cart:2.1.0 CVE-2021-44228 harbor-dev Deployment/cart", "shop/cart:2.1.0 CVE-2021-44228 harbor-prod Deployment/cart"},
		},
		{"1234567", nil},
	}
	for _, c := range tests {
		t.Run(c.digits, func(t *testing.T) {
			got := ask(t, w, fmt.Sprintf("MATCH (i:Image) MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '%s' "+
				"MATCH (i)<-[:USES_IMAGE]-(c:Container) MATCH (c)<-[:RUNS]-(p:Pod) RETURN i.name, v.id, p.cluster, p.workload", c.digits))
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// pathsOf is every path of each cluster: its type, and where the attacker gets in.
var pathsOf = map[string][]string{
	"harbor-prod": {
		"cluster-admin: ci Deployment/build-agent",
		"cluster-admin: edge DaemonSet/proxy",              // over the cluster's network, by the build agent
		"cluster-admin: kube-system DaemonSet/calico-node", // possible: its node shows the tokens of other pods
		"cluster-admin: shop Deployment/cart",              // the others by the build agent, too
		"cluster-admin: shop Deployment/catalogue",
		"cluster-admin: shop Deployment/receipts",
		"cluster-admin: shop Deployment/sail-preview",
		"cluster-admin: shop Deployment/web",
		"exposed-vulnerable-pod: ci Deployment/build-agent",
		"exposed-vulnerable-pod: shop Deployment/cart",
		"exposed-vulnerable-pod: shop Deployment/catalogue",
		"exposed-vulnerable-pod: shop Deployment/receipts",
		"exposed-vulnerable-pod: shop Deployment/sail-preview",
		"exposed-vulnerable-pod: shop Deployment/web",
		"host-network-pod: edge DaemonSet/proxy",
		"node-takeover: ci Deployment/build-agent", // an administrator runs a privileged pod
		"node-takeover: edge DaemonSet/proxy",
		"node-takeover: kube-system DaemonSet/calico-node", // possible: nobody has looked into its image
		"node-takeover: shop Deployment/cart",
		"node-takeover: shop Deployment/catalogue",
		"node-takeover: shop Deployment/receipts",
		"node-takeover: shop Deployment/sail-preview", // itself
		"node-takeover: shop Deployment/web",
		"other-containers: shop Deployment/cart",
		"other-containers: shop Deployment/web",
	},
	"harbor-dev": {
		"cluster-admin: ingress-nginx Deployment/ingress-nginx-controller", // possible
		"cluster-admin: shop Deployment/cart",
		"cluster-admin: shop Deployment/web", // possible, over the cluster's network, by the jump host
		"exposed-vulnerable-pod: shop Deployment/cart",
		"node-takeover: ingress-nginx Deployment/ingress-nginx-controller",
		"node-takeover: shop Deployment/cart",
		"node-takeover: shop Deployment/web",
	},
}

func told(paths []analyse.Path) []string {
	out := map[string]bool{}
	for _, p := range paths {
		out[p.Type+": "+p.Namespace+" "+p.Foothold.Workload] = true
	}
	return slices.Sorted(maps.Keys(out))
}

func TestEveryKindOfPathIsThereAndOnlyWhereTheReadmeSays(t *testing.T) {
	w := world(t, open(t))
	for name, want := range pathsOf {
		t.Run(name, func(t *testing.T) {
			if got := told(w.Clusters[name].Paths); !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestTheWebShopsPathLeadsThroughIngressAndService(t *testing.T) {
	w := world(t, open(t))
	paths := w.Clusters["harbor-prod"].Paths
	i := slices.IndexFunc(paths, func(p analyse.Path) bool {
		return p.Type == "exposed-vulnerable-pod" && p.Foothold.Workload == "Deployment/web"
	})
	if i < 0 {
		t.Fatal("there is no such path")
	}
	p := paths[i]
	kinds := map[string]string{}
	for _, n := range p.Nodes {
		kinds[n.ID] = n.Kind
	}
	route := kinds[p.Steps[0].From]
	for _, s := range p.Steps {
		route += " " + kinds[s.To]
	}
	if !strings.Contains(route, "Ingress") || !strings.HasSuffix(route, "Service Pod Container") {
		t.Errorf("route %s", route)
	}
	if want := "Internet exposed Kubernetes pod is running a container with high severity vulnerabilities: " +
		"web of Deployment web in shop"; p.Title != want {
		t.Errorf("title %q, want %q", p.Title, want)
	}
	var found []string
	for _, v := range p.Vulnerabilities {
		found = append(found, v.ID)
	}
	slices.Sort(found)
	// CVE-2022-3786 only crashes the process.
	if !slices.Contains(found, "CVE-2022-3602") || slices.Contains(found, "CVE-2022-3786") || len(p.Foothold.Images) != 1 ||
		len(p.Fixes) < 2 {
		t.Errorf("vulnerabilities %v, images %v, %d fixes", found, p.Foothold.Images, len(p.Fixes))
	}
}

func TestWhatNobodyCouldReadIsUnknownNotClean(t *testing.T) {
	w := world(t, open(t))
	got := ask(t, w, "MATCH (i:Image) WHERE i.scanned = false RETURN i.name, i.scan, i.severe, i.vulnerabilities")
	want := []string{"shop/knot-of-the-day:0.1.0 failed  ", "shop/tide-tables:2011.7 unsupported  "}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range []string{"knot-of-the-day", "tide-tables"} {
		id := ask(t, w, "MATCH (i:Image) WHERE i.name CONTAINS '"+name+"' RETURN i.id")
		if len(id) != 1 ||
			!slices.ContainsFunc(
				w.Clusters["harbor-prod"].Gaps,
				func(g collect.Gap) bool { return strings.HasPrefix(g.What, "image "+harborshop.Host+"/shop/"+name) },
			) {
			t.Errorf("no gap says that %s (%v) was not read", name, id)
		}
	}
}

func TestTheCleanTeamsAreClean(t *testing.T) {
	w := world(t, open(t))
	for _, p := range w.Clusters["harbor-prod"].Paths {
		for _, n := range p.Nodes {
			if n.Namespace == "payments" || n.Namespace == "loyalty" {
				t.Errorf("path %q passes %s", p.Title, n.ID)
			}
		}
	}
	got := ask(t, w, "MATCH (p:Pod)-[:RUNS]->(c:Container) WHERE p.namespace = 'payments' MATCH (c)-[:USES_IMAGE]->(i:Image) "+
		"RETURN p.workload, p.exposed, p.tokenMounted, i.scanned, i.severe, i.vulnerabilities")
	// The sample's advisories are too few to say that nothing severe is in an image.
	want := []string{"Deployment/checkout false false true  0", "StatefulSet/ledger false false true  0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
