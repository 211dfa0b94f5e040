package analyse

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/schema"
)

// maxMembers is how many individuals a thing of the drawing names.
const maxMembers = 20

// thing is a group as the drawing shows it.
func (s *search) thing(g group, all members) Thing {
	all = slices.Clone(all).sorted()
	n := all[0]
	t := Thing{ID: g.id, Kind: g.kind, Name: n.Text("name"), Cluster: n.Cluster(), Namespace: n.Text("namespace"), Count: len(all)}
	switch g.kind {
	case "Pod":
		t.Workload = n.Text("workload")
		t.Name = workloadOf(n).Name
	case "Container":
		t.Workload = n.Text("workload")
		t.Images = s.images(all)
	case "Node":
		if len(all) > 1 {
			t.Name = fmt.Sprintf("%d %s nodes", len(all), g.role)
		}
	default:
		several(&t, all)
	}
	if t.Name == "" {
		t.Name = g.id
	}
	for _, m := range all[:min(len(all), maxMembers)] {
		t.Members = append(t.Members, m.ID())
	}
	t.Insights = s.insights(g.kind, all)
	return t
}

// several names what stands for a workload, told by its pods, or for all targets of
// a kind together.
func several(t *Thing, all members) {
	n := all[0]
	switch {
	case n.Kind() == "Pod":
		t.Workload, t.Name = n.Text("workload"), workloadOf(n).Name
	case n.ID() != t.ID:
		where := map[string]bool{}
		for _, m := range all {
			where[m.Text("namespace")] = true
		}
		t.Name = fmt.Sprintf("%d of %s", len(all), plural(len(where), "namespace"))
		if len(where) > 1 {
			t.Namespace = ""
		} else {
			t.Name = fmt.Sprintf("%d of namespace %s", len(all), t.Namespace)
		}
	}
}

// insights are the badges that any of the individuals has.
func (s *search) insights(kind string, all members) (out []string) {
	var any badges
	for _, n := range all {
		any |= s.badgesOf(kind, n)
	}
	for i, name := range insightsOf()[kind] {
		if any&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// badges are the insights that a node has, by their number among those of its kind.
type badges uint64

const badgesKnown badges = 1 << 63

// insightsOf are the properties of each kind that are worth a badge.
var insightsOf = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for _, k := range schema.Kinds() {
		for _, p := range k.Properties {
			if p.Insight {
				out[k.Name] = append(out[k.Name], p.Name)
			}
		}
	}
	return out
})

// badgesOf asks a node for its insights once: many paths tell of it.
func (s *search) badgesOf(kind string, n graph.Node) (has badges) {
	i := s.field.find(n)
	if i >= 0 && n.Kind() != kind { // a pod that stands for its workload
		i = -1
	}
	if i >= 0 && s.badges[i]&badgesKnown != 0 {
		s.reader.Properties(n)
		return s.badges[i]
	}
	for k, name := range insightsOf()[kind] {
		if n.Value(name).Bool() {
			has |= 1 << k
		}
	}
	if i >= 0 {
		s.badges[i] = has | badgesKnown
	}
	return has
}

// images are those that containers use, by id.
func (s *search) images(containers members) (out []Image) {
	for _, n := range imagesOf(containers) {
		registry, repository := n.Text("registry"), n.Text("repository")
		if registry != "" {
			repository = registry + "/" + repository
		}
		out = append(out, Image{ID: n.ID(), Name: cmp.Or(n.Text("name"), n.ID()), Repository: repository, Scanned: n.Value("scanned").Bool(),
			Criticals: n.Value("criticals").Int(), Highs: n.Value("highs").Int(), RCE: n.Value("rce").Bool(),
			Exploited: n.Value("exploited").Bool()})
	}
	return out
}

func imagesOf(containers members) (out members) {
	for _, c := range containers {
		for e := range c.Out("USES_IMAGE") {
			if last := len(out) - 1; last < 0 || out[last] != e.To { // replicas stand beside each other
				out = append(out, e.To)
			}
		}
	}
	return out.sorted()
}

// carriers notes the workloads that bring the traffic.
func (w *writer) carriers() {
	for _, a := range w.foothold.arrivals {
		for _, h := range a.hops {
			for _, e := range h.edges {
				for _, thing := range e.Value("evidence").List() {
					if kind, id := ref.ParseKindID(thing); kindOf(kind).Family == "Workload" {
						w.path.Carriers = merged(w.path.Carriers, []string{id})
					}
				}
			}
		}
	}
	slices.Sort(w.path.Carriers)
}

// frames puts the cluster around everything of it, and namespaces inside.
func (w *writer) frames() {
	cluster := Frame{ID: ref.Ref{Cluster: w.path.Cluster, Kind: "Cluster"}.ID(), Kind: "Cluster", Name: w.path.Cluster, Nodes: []string{}}
	var inside []Frame
	for _, t := range w.path.Nodes {
		if t.Cluster == "" {
			continue
		}
		if t.Namespace == "" {
			cluster.Nodes = append(cluster.Nodes, t.ID)
			continue
		}
		i := slices.IndexFunc(inside, func(f Frame) bool { return f.Name == t.Namespace })
		if i < 0 {
			i = len(inside)
			inside = append(inside, Frame{ID: ref.Ref{Cluster: t.Cluster, Kind: "Namespace", Name: t.Namespace}.ID(), Kind: "Namespace",
				Name: t.Namespace, Parent: cluster.ID})
		}
		inside[i].Nodes = append(inside[i].Nodes, t.ID)
	}
	w.path.Frames = append([]Frame{cluster}, inside...)
}

// onTheWayIn says whether some way to the foothold passes a thing.
func (w *writer) onTheWayIn(id string) bool {
	return id == w.path.Foothold.ID || slices.ContainsFunc(w.foothold.arrivals, func(a arrival) bool {
		return slices.ContainsFunc(a.hops, func(h hop) bool { return h.group.id == id })
	})
}

// owners notes the workloads of the path and what kinds it depends on.
func (w *writer) owners(hops []*hop) {
	var kinds []string
	if w.path.Entry.Kind == "Internet" {
		kinds = append(kinds, "ROUTES_TO")
	}
	for _, t := range w.path.Nodes {
		if !w.onRoute(t.ID) && !w.onTheWayIn(t.ID) {
			continue
		}
		if t.Kind != "Internet" {
			kinds = merged(kinds, []string{t.Kind})
		}
		if t.Workload != "" {
			owner := ref.Ref{Cluster: t.Cluster, Namespace: t.Namespace}.WithKindName(t.Workload)
			w.path.Owners = merged(w.path.Owners, []string{owner.ID()})
		}
	}
	for _, st := range append([]*hop{&w.foothold.entered}, hops...) {
		for _, id := range st.rules {
			kinds = merged(kinds, w.rules.byID[id].depends)
		}
		for _, edge := range st.kinds {
			kinds = merged(kinds, []string{edge})
		}
	}
	w.path.Carriers = slices.DeleteFunc(w.path.Carriers, func(id string) bool { return slices.Contains(w.path.Owners, id) })
	slices.Sort(kinds)
	w.path.DependsOn, w.path.Workloads = kinds, len(w.path.Owners)
}
