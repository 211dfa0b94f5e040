package enrichment

import (
	"slices"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/severity"
)

// Bounds of what an alert is told of one entity.
const (
	maxPaths   = 5
	maxReaches = 8
)

// About implements detect.Context with the picture of now.
func (c *Context) About(cluster string, e event.Entity) (detect.About, bool) {
	return About(c.world(), cluster, e)
}

// About is what a picture knows of a thing that an event names.
func About(w *live.World, cluster string, e event.Entity) (detect.About, bool) {
	c := w.Clusters[cluster]
	if c == nil || e.ID == "" {
		return detect.About{}, false
	}
	if _, known := schema.KindNamed(e.Kind); !known {
		return detect.About{}, false
	}
	n, there := w.View.Node(e.Kind, e.ID)
	if !there {
		return detect.About{}, false
	}
	a := detect.About{ID: n.ID(), Kind: n.Kind(), Name: query.Name(n), Reaches: reaches(n), Unknown: unknown(c)}
	if v := exposed(n); v != nil {
		a.Exposed = v
	}
	for i := range c.Paths {
		if p := &c.Paths[i]; p.Has(n.ID()) {
			a.Paths = append(a.Paths, detect.Path{ID: p.ID, Title: p.Title, Risk: p.Risk})
		}
	}
	slices.SortStableFunc(a.Paths, func(x, y detect.Path) int { return severity.Compare(y.Risk, x.Risk) })
	a.Paths = a.Paths[:min(len(a.Paths), maxPaths)]
	return a, true
}

// exposed is the insight, nil where it is not known or no word for such a kind.
func exposed(n graph.Node) *bool {
	v := n.Value("exposed")
	if v.IsNull() {
		return nil
	}
	return new(v.Bool())
}

// reaches says what an attacker gains from here, by the derived edges of the
// thing and of what runs in it.
func reaches(n graph.Node) (out []string) {
	if n.Value("clusterAdmin").Bool() {
		out = append(out, "may do everything in the cluster")
	}
	say := func(from graph.Node) {
		for e := range from.Out("") {
			kind, _ := schema.EdgeNamed(e.Kind())
			said := kind.Verb + " " + e.To.Kind() + " " + query.Name(e.To)
			if kind.Derived && kind.Name != "CAN_EXPLOIT" && !slices.Contains(out, said) && len(out) < maxReaches {
				out = append(out, said)
			}
		}
	}
	say(n)
	for e := range n.Out("RUNS") {
		say(e.To)
	}
	return out
}

// unknown is what could not be read that exposure and paths depend on.
func unknown(c *live.Cluster) (out []string) {
	if c.State != live.Current {
		out = append(out, "the cluster is shown as of "+c.AsOf.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	for _, g := range c.Gaps {
		if g.Source == "api" && len(out) < maxReaches {
			out = append(out, g.What+" cannot be read")
		}
	}
	return out
}
