package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
)

// places gathers where the vulnerability is: in images, in pods that run them, in nodes, and what fixes it there.
func (a *Affected) places(w *scope.World, n graph.Node, b Besides) {
	counts := map[graph.Node]int{} // findings that count, by image
	repairs := repairs{by: map[repairKey]*repairing{}, packages: packagesWith(n), advice: b.Advice, id: n.ID()}
	for e := range n.In("HAS_VULNERABILITY") {
		counted := b.Accepted == nil || b.Accepted(e).Counts()
		more := 0
		if counted {
			more = 1
		}
		counts[e.From] += more // 0 where people accepted all of them
		repairs.add(w, e, counted)
		if rated := e.Value("severity").Str(); severity.Compare(rated, a.Severity) > 0 {
			a.Severity = rated
		}
	}
	a.Fixes = repairs.list()
	a.Images = len(counts)
	registries, places, running := map[string]bool{}, map[ref.Ref]*placing{}, map[graph.Node]bool{}
	for image, n := range counts {
		if n == 0 {
			a.Accepted++
		}
		for stored := range image.Out("STORED_IN") {
			if host := stored.To.Text("registry"); host != "" {
				registries[host] = true
			}
		}
		for _, p := range w.Pods(image.ID()) {
			if finished(p) {
				continue
			}
			running[image] = true
			at := ref.Ref{Cluster: p.Cluster(), Namespace: p.Text("namespace")}.WithKindName(p.Text("workload"))
			if places[at] == nil {
				places[at] = &placing{pods: map[graph.Node]bool{}, images: map[string]bool{}}
			}
			places[at].pods[p], places[at].images[cmp.Or(image.Text("name"), image.ID())] = true, true
			places[at].counts += n
		}
	}
	a.Registries, a.Running = slices.Sorted(maps.Keys(registries)), len(running)
	if a.Registries == nil {
		a.Registries = []string{}
	}
	nodes := map[graph.Node]bool{}
	for e := range n.In("NODE_HAS_VULNERABILITY") {
		nodes[e.From] = true
	}
	a.Nodes = len(nodes)
	paths := a.paths(w, n.ID())
	for at, p := range places {
		a.Where = append(a.Where, p.place(at, paths[at]))
	}
	slices.SortFunc(a.Where, func(x, y Place) int {
		return cmp.Or(compareBools(x.Accepted, y.Accepted), cmp.Compare(y.Paths, x.Paths), cmp.Compare(y.Exposed, x.Exposed),
			cmp.Compare(y.Unclear, x.Unclear), cmp.Compare(y.Pods, x.Pods), cmp.Compare(x.ID, y.ID))
	})
	for _, p := range a.Where {
		a.Pods, a.Exposed, a.Unclear = a.Pods+p.Pods, a.Exposed+p.Exposed, a.Unclear+p.Unclear
	}
}

// compareBools puts false first.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// placing is a place in the making.
type placing struct {
	pods   map[graph.Node]bool
	images map[string]bool
	counts int
}

func (p *placing) place(at ref.Ref, paths int) Place {
	out := Place{Cluster: at.Cluster, Namespace: at.Namespace, Workload: at.KindName(), ID: at.ID(), Pods: len(p.pods),
		Paths: paths, Images: slices.Sorted(maps.Keys(p.images)), Accepted: p.counts == 0}
	for pod := range p.pods {
		switch v := pod.Value("exposed"); {
		case v.IsNull():
			out.Unclear++
		case v.Bool():
			out.Exposed++
		}
	}
	return out
}

// paths notes the attack paths that the vulnerability opens, and counts them for each workload that they lead through.
func (a *Affected) paths(w *scope.World, id string) map[ref.Ref]int {
	through := map[ref.Ref]int{}
	for _, l := range w.Open() {
		if !slices.ContainsFunc(l.Vulnerabilities, func(v analyse.Vulnerability) bool { return v.ID == id }) {
			continue
		}
		a.Paths = append(a.Paths, AffectedPath{Cluster: l.Cluster, ID: l.ID, Title: l.Title, Risk: l.Risk})
		seen := map[ref.Ref]bool{}
		for _, t := range l.Nodes {
			at := ref.Ref{Cluster: l.Cluster, Namespace: t.Namespace}.WithKindName(t.Workload)
			if t.Workload != "" && !seen[at] {
				seen[at] = true
				through[at]++
			}
		}
	}
	return through
}

// finished says that a pod has run to its end.
func finished(pod graph.Node) bool {
	phase := pod.Text("phase")
	return phase == "Succeeded" || phase == "Failed"
}
