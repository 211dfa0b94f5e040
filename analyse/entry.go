package analyse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// foothold is what an attacker has first, and how they come to it.
type foothold struct {
	class string
	group group
	all   members      // its individuals
	walks []graph.Node // where they go on from: its individuals, or the containers of a workload
	entry Thing

	arrivals []arrival // most certain first, then shortest
	entered  hop       // the step into a container
	weakness *weakness // read when first asked for
	doubt    string    // why they may not get in
	// anonymous is who calls the API server without credentials of the cluster.
	anonymous bool
}

// on is the foothold as one of another view of the same segments.
func (f *foothold) on(v *graph.View) *foothold {
	c := *f
	c.weakness = nil // it is read again
	c.all, c.walks, c.entered = f.all.on(v), members(f.walks).on(v), f.entered.on(v)
	c.arrivals = slices.Clone(f.arrivals)
	for i, a := range f.arrivals {
		c.arrivals[i].hops = make([]hop, len(a.hops))
		for h := range a.hops {
			c.arrivals[i].hops[h] = a.hops[h].on(v)
		}
	}
	return &c
}

// footholds are the ways in that the graph tells: one for each class and group.
func (s *search) footholds() []*foothold {
	out := s.exploited()
	out = append(out, s.unjudged(out)...)
	out = append(out, s.suppliers()...)
	out = append(out, s.anonymous()...)
	slices.SortFunc(out, func(a, b *foothold) int {
		return cmp.Or(cmp.Compare(slices.Index(classes, a.class), slices.Index(classes, b.class)), strings.Compare(a.group.id, b.group.id),
			strings.Compare(a.group.kind, b.group.kind))
	})
	return out
}

// classes in the order in which footholds are followed.
var classes = []string{Known, Possible, SupplyChain, Assumed}

// confidences say how sure it is that an attacker gets in.
var confidences = map[string]string{
	Known:       "exposed to the internet, with something that lets an attacker in",
	Possible:    "exposed to the internet; nobody knows whether something lets an attacker in",
	SupplyChain: "an image that runs can be replaced",
	Assumed:     "assumed",
}

var internet = Thing{ID: internetID, Kind: "Internet", Name: "Internet", Count: 1}

// gathering makes one foothold of all individuals of a group.
type gathering struct {
	search *search
	class  string
	at     map[group]*foothold
	out    []*foothold
}

func (s *search) gather(class string) *gathering {
	return &gathering{search: s, class: class, at: map[group]*foothold{}}
}

// enter notes a way into a container: from the pod that is reached, or from what
// brings code into it.
func (g *gathering) enter(e graph.Edge, entry Thing) *foothold {
	told := g.search.groupOf(e.To)
	f := g.at[told]
	if f == nil {
		f = &foothold{class: g.class, group: told, entry: entry, entered: hop{group: told}}
		g.at[told] = f
		g.out = append(g.out, f)
	}
	f.entered.add(e)
	f.all = append(f.all, e.To)
	f.walks = append(f.walks, e.To)
	return f
}

// arriving are the edges by which traffic from the internet gains something at a pod: a
// container, or what it discloses.
var arriving = []string{"CAN_EXPLOIT", "CAN_ACT_AS", "CAN_READ"}

// exploited are what traffic from the internet gains.
func (s *search) exploited() []*foothold {
	g := s.gather(Known)
	for pod := range s.view.Nodes("Pod") {
		ways := map[string][]arrival(nil)
		for _, kind := range arriving {
			for e := range pod.Out(kind) {
				if ways == nil {
					ways = s.routesTo(pod)
				}
				if len(ways) == 0 || s.without.has(e) {
					continue
				}
				f := g.enter(e, internet)
				for way, routes := range ways {
					f.arrive(routes, way)
				}
			}
		}
	}
	return g.out
}

// unjudged are the containers that traffic from the internet arrives at and whose
// image nobody could read, or not all of it: nothing is known to let an attacker
// in, and nobody can say that nothing does.
func (s *search) unjudged(known []*foothold) []*foothold {
	g := s.gather(Possible)
	for pod := range s.view.Nodes("Pod") {
		if !pod.Value("exposed").Bool() || ended(pod) {
			continue
		}
		ways := map[string][]arrival(nil)
		for e := range pod.Out("RUNS") {
			c, why := e.To, ""
			if c.Value("exposed").Bool() && !ended(c) {
				why = unread(c)
			}
			if why == "" || slices.ContainsFunc(known, func(f *foothold) bool { return f.group == s.groupOf(c) }) {
				continue
			}
			if ways == nil {
				ways = s.routesTo(pod)
			}
			if len(ways) == 0 {
				continue
			}
			f := g.enter(e, internet)
			f.doubt = "whether something lets an attacker in: " + why
			for way, routes := range ways {
				f.arrive(routes, way)
			}
		}
	}
	return g.out
}

// unread says why a container's image cannot be judged, or "" if it was.
func unread(c graph.Node) string {
	some := false
	for e := range c.Out("USES_IMAGE") {
		some = true
		switch i := e.To; {
		case !i.Value("scanned").Bool():
			return "image " + cmp.Or(i.Text("name"), i.ID()) + " was not scanned"
		case i.Value("partly").Bool():
			return "image " + cmp.Or(i.Text("name"), i.ID()) + " was read only in part"
		}
	}
	if !some {
		return "its image is not known"
	}
	return ""
}

// suppliers are what may replace the code of containers from outside the cluster:
// repositories and images by what they replace, a registry with all that comes from it.
func (s *search) suppliers() []*foothold {
	g := s.gather(SupplyChain)
	for r := range s.view.Nodes("Registry") {
		for e := range r.Out("CAN_EXECUTE_IN") {
			if !ended(e.To) {
				f := &foothold{class: SupplyChain, group: s.groupOf(r), all: members{r}, walks: []graph.Node{r}}
				f.entry = s.thing(f.group, f.all)
				g.out = append(g.out, f)
				break
			}
		}
	}
	for _, kind := range []string{"Repository", "Image"} {
		for n := range s.view.Nodes(kind) {
			for _, edge := range stepKinds() {
				for e := range n.Out(edge) {
					// Every tag may be moved for all that is known; an entry is one that is.
					if e.To.Kind() == "Container" && e.Value("uncertain").IsNull() && !s.without.has(e) {
						g.enter(e, s.thing(s.groupOf(n), members{n}))
					}
				}
			}
		}
	}
	return g.out
}

// anonymous are the identities of callers who prove nothing, and of all who can
// sign in, as Kubernetes names them.
func (s *search) anonymous() (out []*foothold) {
	const reach = "the API server can be reached from the internet"
	for _, who := range []struct{ kind, name, class, doubt string }{
		{"Group", "system:unauthenticated", Known, "whether " + reach},
		{"User", "system:anonymous", Known, "whether " + reach},
		{"Group", "system:authenticated", Possible, "who can sign in, nor whether " + reach},
	} {
		for n := range s.view.Nodes(who.kind) {
			if n.Text("name") == who.name {
				out = append(out, &foothold{class: who.class, group: s.groupOf(n), all: members{n}, walks: []graph.Node{n}, entry: internet,
					doubt: who.doubt, anonymous: true})
			}
		}
	}
	return out
}

// assumption is what the asker says that an attacker has.
type assumption struct{ kind, namespace, name string }

// assumable are the words that say what an attacker has, with the kinds they mean.
var assumable = map[string][]string{
	"workload": {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod"},
	"pod":      {"Pod"}, "sa": {"ServiceAccount"}, "user": {"User"}, "group": {"Group"}, "node": {"Node"},
	"image": {"Image"}, "repository": {"Repository"},
	thirdParty: {"ServiceAccount"},
}

// thirdParty assumes every service account of software that others publish.
const thirdParty = "third-party"

// parseAssumption reads "workload:shop/cart", "sa:shop/cart", "node:worker-1", "any".
func parseAssumption(text string) (a assumption, err error) {
	if text == "any" || text == thirdParty {
		return assumption{kind: text}, nil
	}
	kind, name, named := strings.Cut(text, ":")
	if _, known := assumable[kind]; !known || !named || name == "" {
		return a, fmt.Errorf("%w: %q: want workload:NAMESPACE/NAME, pod:NAMESPACE/NAME, sa:NAMESPACE/NAME, user:NAME, group:NAME, "+
			"node:NAME, image:NAME, repository:NAME, third-party, or any", ErrAssumption, text)
	}
	a = assumption{kind: kind, name: name}
	switch kind {
	case "workload", "pod", "sa":
		var whole bool
		if a.namespace, a.name, whole = strings.Cut(name, "/"); !whole || a.namespace == "" || a.name == "" {
			return a, fmt.Errorf("%w: %q: want %s:NAMESPACE/NAME", ErrAssumption, text, kind)
		}
	}
	return a, nil
}

func (a assumption) means(n graph.Node) bool {
	if a.kind == thirdParty {
		return runsThirdParty(n)
	}
	return a.kind == "any" || n.Text("name") == a.name && (a.namespace == "" || n.Text("namespace") == a.namespace) ||
		a.namespace == "" && n.ID() == a.name
}

// runsThirdParty says that a pod which has the account's token runs what others publish.
func runsThirdParty(account graph.Node) bool {
	for as := range account.In("RUNS_AS") {
		for e := range as.From.Out("RUNS") {
			if e.To.Value("thirdParty").Bool() && e.To.Value("tokenMounted").Bool() && !ended(e.To) {
				return true
			}
		}
	}
	return false
}

// assumed are the footholds that an assumption means, by group.
func (s *search) assumed(a assumption) (out []*foothold) {
	at := map[group]*foothold{}
	note := func(told group, n graph.Node, walks []graph.Node) {
		f := at[told]
		if f == nil {
			f = &foothold{class: Assumed, group: told}
			at[told] = f
			out = append(out, f)
		}
		f.all, f.walks = append(f.all, n), append(f.walks, walks...)
	}
	for _, word := range []string{"workload", "pod", "sa", "user", "group", "node", "image", "repository", thirdParty} {
		if word != a.kind && (a.kind != "any" || word == "pod" || word == "image" || word == "repository" || word == thirdParty) {
			continue
		}
		for _, kind := range assumable[word] {
			for n := range s.view.Nodes(kind) {
				if word == "workload" {
					s.assumeWorkload(a, n, note)
				} else if a.means(n) && !(a.kind == "any" && Administrators(n)) {
					note(singly(n), n, s.inside(n))
				}
			}
		}
	}
	for _, f := range out {
		f.entry = s.thing(f.group, f.all)
	}
	slices.SortFunc(out, func(x, y *foothold) int {
		return cmp.Or(strings.Compare(x.group.kind, y.group.kind), strings.Compare(x.group.id, y.group.id))
	})
	return out
}

// Administrators are those to whom Kubernetes itself allows all: that they may take
// over their cluster is no news among all there is to lose.
func Administrators(n graph.Node) bool {
	return n.Kind() == "Group" && n.Text("name") == "system:masters"
}

// assumeWorkload takes the pods by the workload that owns them in the end.
func (s *search) assumeWorkload(a assumption, pod graph.Node, note func(group, graph.Node, []graph.Node)) {
	if pod.Kind() != "Pod" || ended(pod) {
		return
	}
	owner := workloadOf(pod)
	if a.kind != "any" && (owner.Name != a.name || owner.Namespace != a.namespace) {
		return
	}
	note(group{kind: owner.Kind, id: owner.ID()}, pod, s.inside(pod))
}

// singly is the group of a thing that is assumed: a pod is itself.
func singly(n graph.Node) group {
	if n.Kind() == "Pod" {
		return group{kind: n.Kind(), id: n.ID()}
	}
	return groupOf(n)
}

// inside is where an attacker who has a thing stands: in the containers of a pod,
// in those that use an image, else at the thing itself.
func (s *search) inside(n graph.Node) (out []graph.Node) {
	switch n.Kind() {
	case "Pod":
		for e := range n.Out("RUNS") {
			if !ended(e.To) {
				out = append(out, e.To)
			}
		}
		return out
	case "Image":
		for e := range n.In("USES_IMAGE") {
			if !ended(e.From) {
				out = append(out, e.From)
			}
		}
		return append(out, n)
	case "Repository":
		for e := range n.In("STORED_IN") {
			out = append(out, s.inside(e.From)...)
		}
		return append(out, n)
	}
	return []graph.Node{n}
}
