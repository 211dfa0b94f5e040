package report

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/segment"
)

// State is a picture and the facts that it was made of.
type State struct {
	World *scope.World
	Facts []*collect.Facts
}

// Difference is the document of what a change makes of attack paths, and of what
// the workloads use.
type Difference struct {
	analyse.Difference
	// Lost are ways of traffic that worked before and no longer do, between things that
	// are there before and after: the first of RoutesLost.
	Lost       []Lost `json:"lost"`
	RoutesLost int    `json:"routesLost"`
	// PermissionsLost are what identities might do before and may not after: the first of PermissionsGone.
	PermissionsLost []PermissionLost `json:"permissionsLost"`
	PermissionsGone int              `json:"permissionsGone"`
	// NotKnown is what else may be lost, of which nothing can be said from here.
	NotKnown []string `json:"notKnown"`
	// Gaps is what could not be seen after the change.
	Gaps []collect.Gap `json:"gaps"`
}

// Lost is traffic from one workload, or from "internet", to another that a service
// carries. Before and After are its ports; none are left if After is empty.
type Lost struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// PermissionLost is what an identity may no longer do. Uncertain says why it may be allowed still.
type PermissionLost struct {
	Cluster    string `json:"cluster"`
	Identity   string `json:"identity"`
	Permission string `json:"permission"`
	Uncertain  string `json:"uncertain,omitempty"`
}

func permissionLost(cluster string, l analyse.Loss) PermissionLost {
	out := PermissionLost{Cluster: cluster, Identity: l.Subject.String(), Permission: l.Request.String()}
	if l.Unread {
		out.Uncertain = "a role that is bound to it could not be read"
	}
	return out
}

// maxLost is how many lost routes, and how many lost permissions, are told.
const maxLost = 200

// order puts what is lost in order and bounds what of it is told.
func (d *Difference) order() {
	slices.SortFunc(d.Lost, func(a, b Lost) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From)) })
	slices.SortFunc(d.PermissionsLost, func(a, b PermissionLost) int {
		return cmp.Or(cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Permission, b.Permission))
	})
	slices.Sort(d.NotKnown)
	d.NotKnown = slices.Compact(d.NotKnown) // a fix of several clusters is unknown in each alike
	d.Lost, d.PermissionsLost = d.Lost[:min(len(d.Lost), maxLost)], d.PermissionsLost[:min(len(d.PermissionsLost), maxLost)]
}

// Differ compares two states.
func Differ(before, after State) Difference {
	gaps := after.World.Gaps()
	out := differing(analyse.Compare(Open(before.World).Paths, Open(after.World).Paths, analyse.Hold(after.World.View, gaps)), gaps)
	is := map[string]*collect.Facts{}
	for _, f := range after.Facts {
		is[f.Cluster.Name] = f
	}
	for _, f := range before.Facts {
		if now := is[f.Cluster.Name]; now != nil {
			out.lose(f, now)
		}
	}
	out.order()
	return out
}

// Between compares two watched clusters, as far as they are seen.
func Between(c *scope.Comparison) Difference {
	out := differing(c.Difference, c.Gaps)
	if c.Base == nil {
		out.NotKnown = append(out.NotKnown, "what traffic and which permissions would be lost: that is told to who sees all of both clusters")
	} else {
		out.lose(c.Base, c.Head)
	}
	out.order()
	return out
}

func differing(d analyse.Difference, gaps []collect.Gap) Difference {
	return Difference{Difference: d, Lost: []Lost{}, PermissionsLost: []PermissionLost{}, NotKnown: []string{},
		Gaps: append([]collect.Gap{}, gaps...)}
}

// lose tells what the workloads of one cluster use before and may not after.
func (d *Difference) lose(before, after *collect.Facts) {
	routes, doubts := lost(before, after)
	d.Lost, d.NotKnown = append(d.Lost, routes...), append(d.NotKnown, doubts...)
	permissions := analyse.Lost(before, after)
	for _, l := range permissions {
		d.PermissionsLost = append(d.PermissionsLost, permissionLost(before.Cluster.Name, l))
	}
	d.RoutesLost, d.PermissionsGone = d.RoutesLost+len(routes), d.PermissionsGone+len(permissions)
}

// internet is where what is exposed is reached from.
const internet = "internet"

// lost are the routes of one cluster that are narrower than before, and what of the
// traffic from the internet is not known any more.
func lost(before, after *collect.Facts) (out []Lost, doubts []string) {
	served, there := servedBy(before), servedBy(after)
	had, was := routes(before)
	now, is := routes(after)
	for to, doubt := range is {
		if _, exposed := was[to]; exposed && doubt != "" && doubt != was[to] {
			doubts = append(doubts, "whether the internet still reaches "+to+": "+doubt)
		}
	}
	for pair, ports := range had {
		from, to := pair[0], pair[1]
		_, fromStays := there[from]
		_, toStays := there[to]
		if !served[to] || !toStays || from != internet && !fromStays {
			continue
		}
		if left := now[pair]; narrower(left, ports) {
			out = append(out, Lost{from, to, ports, append([]string{}, left...)})
		}
	}
	return out, doubts
}

// routes are the ports that traffic may use, by where it comes from and goes to, and of
// what the internet reaches what might prevent it.
func routes(f *collect.Facts) (out map[[2]string][]string, exposed map[string]string) {
	out, exposed = map[[2]string][]string{}, map[string]string{}
	seen := Exposed(f)
	for _, c := range seen.Connections {
		pair := [2]string{c.From, c.To}
		out[pair] = append(out[pair], c.Ports...)
	}
	for _, e := range seen.Exposures {
		out[[2]string{internet, e.Entity}], exposed[e.Entity] = e.Ports, e.Uncertain
	}
	return out, exposed
}

// narrower says that some port of before is not in after.
func narrower(after, before []string) bool {
	if slices.Contains(after, "all") {
		return false
	}
	return slices.ContainsFunc(before, func(port string) bool { return !slices.Contains(after, port) })
}

// servedBy tells of each workload, by its stable id, whether a service leads to it.
func servedBy(f *collect.Facts) map[string]bool {
	owner, out := segment.Owners(f), map[string]bool{}
	for _, p := range f.Pods {
		id := owner(p).In(f.Cluster.Name).ID()
		out[id] = out[id] || p.Labels != nil && selected(f, p)
	}
	return out
}

func selected(f *collect.Facts, p *collect.Pod) bool {
	for k, s := range f.Services {
		if k.Namespace == p.Namespace && len(s.Spec.Selector) > 0 &&
			labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(p.Labels.Map)) {
			return true
		}
	}
	return false
}
