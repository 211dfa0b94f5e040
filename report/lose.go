package report

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/scope"
)

// Losable is a workload or identity from which an attacker who has it comes on.
type Losable struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
	Cluster   string `json:"cluster"`
	// Targets is how many it leads to, Worst the one that gains most.
	Targets      int64  `json:"targets"`
	Worst        string `json:"worst"`
	ClusterAdmin bool   `json:"clusterAdmin"`
	// Story is the way to the worst of them, EndedBy the fixes any one of which ends it.
	Story   []string `json:"story,omitempty"`
	EndedBy []string `json:"endedBy,omitempty"`
}

// Key is its namespace and name.
func (l Losable) Key() collect.Key { return collect.Key{Namespace: l.Namespace, Name: l.Name} }

// Help is the fix that ends most of the ways from what would be worst to lose.
type Help struct {
	Fix  analyse.Fix `json:"fix"`
	On   string      `json:"on"` // what is changed, in words
	Ends int         `json:"ends"`
	Of   int         `json:"of"`
}

// mostToLose is how many are named.
const mostToLose = 5

// worstToLose lists what leads to most, and counts all that lead to anything. Who
// sees only part of a cluster is told nothing of it: targets lie in all of it.
func worstToLose(w *scope.World) (worst []Losable, all int) {
	for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "ServiceAccount", "User", "Group"} {
		for n := range w.View.Nodes(kind) {
			if l := losable(n); l.Targets > 0 && !partOfAnother(n) && w.Whole(l.Cluster) {
				worst = append(worst, l)
			}
		}
	}
	slices.SortFunc(worst, func(a, b Losable) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(b.Targets, a.Targets), strings.Compare(a.Kind+a.ID, b.Kind+b.ID))
	})
	return worst[:min(len(worst), mostToLose)], len(worst)
}

// assumedBy are the words that assume a thing of a kind.
var assumedBy = map[string]string{"ServiceAccount": "sa", "User": "user", "Group": "group"}

// howLost tells of each the way to the worst that it leads to, which one change ends most
// of these ways, and what could not be judged when they were asked for.
func howLost(ctx context.Context, w *scope.World, worst []Losable) (*Help, []collect.Gap, error) {
	var ways []analyse.Path
	var gaps []collect.Gap
	for i, l := range worst {
		found, unjudged, err := w.Assumed(ctx, cmp.Or(assumedBy[l.Kind], "workload")+":"+l.Key().String())
		if errors.Is(err, analyse.ErrAssumption) {
			continue // a binding may name whom no text can: an account without a name
		}
		if err != nil && !errors.Is(err, scope.ErrNothing) {
			return nil, nil, err
		}
		gaps = append(gaps, unjudged...)
		at := slices.IndexFunc(found, func(f scope.Life) bool {
			from := f.Path.Foothold
			return f.Path.Cluster == l.Cluster && from.Kind == l.Kind && (from.ID == l.ID || slices.Contains(from.Members, l.ID))
		})
		if at < 0 {
			continue
		}
		p := *found[at].Path.Path
		worst[i].Story = p.Story
		for _, f := range p.Fixes {
			if f.Effect == analyse.Breaks {
				worst[i].EndedBy = append(worst[i].EndedBy, f.Title)
			}
		}
		ways = append(ways, p)
	}
	best, found := analyse.Widest(ways)
	if !found {
		return nil, gaps, nil
	}
	return &Help{best.Fix, changed(ways, best), len(best.Ends), len(ways)}, gaps, nil
}

// changed names what a fix is about, as the first path that it ends has it: the pod
// rather than its container, as that is what people edit.
func changed(ways []analyse.Path, f analyse.CutFix) string {
	var name string
	for _, p := range ways {
		if !slices.Contains(f.Ends, p.ID) {
			continue
		}
		for _, t := range p.Nodes {
			about := func(concern string) bool {
				_, id := ref.ParseKindID(concern)
				return id == t.ID || slices.Contains(t.Members, id)
			}
			if !slices.ContainsFunc(f.Fix.Concerns, about) {
				continue
			}
			if t.Workload != "" {
				kind, owner, _ := strings.Cut(t.Workload, "/")
				return kind + " " + t.Namespace + "/" + owner
			}
			name = cmp.Or(name, t.Kind+" "+collect.Key{Namespace: t.Namespace, Name: t.Name}.String())
		}
		break
	}
	return name
}

func rank(l Losable) int {
	if l.ClusterAdmin {
		return 1
	}
	return 0
}

// partOfAnother is a pod that a workload stands for, and whom Kubernetes itself
// allows everything.
func partOfAnother(n graph.Node) bool {
	return n.Kind() == "Pod" && !strings.HasPrefix(n.Text("workload"), "Pod/") || analyse.Administrators(n)
}

func losable(n graph.Node) Losable {
	return Losable{ID: n.ID(), Kind: n.Kind(), Name: n.Text("name"), Namespace: n.Text("namespace"), Cluster: n.Cluster(),
		Targets: n.Value("blastRadius").Int(), Worst: n.Text("worstTarget"), ClusterAdmin: n.Value("reachesClusterAdmin").Bool()}
}
