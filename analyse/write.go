package analyse

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// begin writes what all paths of a foothold begin with.
func (s *search) begin(f *foothold) *writer {
	w := &writer{search: s, foothold: f, nodes: map[string]int{}, joined: map[joint]bool{},
		path: Path{Cluster: s.cluster(), Owners: []string{}, Fixes: []Fix{}}}
	w.entry()
	w.enter()
	w.path.Unavoidable = w.unavoidable()
	w.carriers()
	w.entryFixes()
	return w
}

// write puts a path into the form that people and the store read: what was begun, the hops
// from the foothold to the target, and what the sketch has of all routes, nil where the foothold is the target.
func (w *writer) write(p *pathType, target group, hops []*hop, k *sketch) Path {
	w = w.copied()
	w.path.ID, w.path.Type, w.path.Why = identity(w.foothold.class, w.foothold.group, target), p.ID, strings.TrimSpace(p.Why)
	w.derivedSteps(hops)
	w.beside(k)
	w.finish(p, hops, k)
	return w.path
}

// copied goes on from what was begun and leaves that as it is.
func (w *writer) copied() *writer {
	c := *w
	c.nodes, c.joined = maps.Clone(w.nodes), maps.Clone(w.joined)
	p := &c.path
	p.Nodes, p.Unavoidable, p.Fixes = slices.Clip(p.Nodes), slices.Clip(p.Unavoidable), slices.Clip(p.Fixes)
	p.Steps, p.Also, p.Carriers = slices.Clip(p.Steps), slices.Clone(p.Also), slices.Clone(p.Carriers)
	return &c
}

// identity is of entry, foothold and target: nothing that a rollout, another
// technique or another route between them changes.
func identity(class string, foothold, target group) string {
	h := sha256.New()
	for _, part := range []string{class, foothold.kind + " " + foothold.id, target.kind + " " + target.id} {
		h.Write([]byte(part + "\n"))
	}
	return "path-" + hex.EncodeToString(h.Sum(nil))[:16]
}

// writer is one path under way.
type writer struct {
	*search
	foothold *foothold
	path     Path
	at       string         // id of the thing the story has come to
	nodes    map[string]int // where in the path's a thing is, by id
	joined   map[joint]bool // by a step
	route    map[string]bool
}

// joint is two things that a step joins.
type joint struct{ from, to string }

const internetID = "internet"

func (w *writer) entry() {
	w.path.EntryClass, w.path.Confidence = w.foothold.class, w.foothold.confidence()
	w.path.Entry = w.foothold.entry
	w.node(w.path.Entry)
	w.path.Steps, w.path.Also, w.path.Attack = []Step{}, []Step{}, []string{}
	w.at = w.path.Entry.ID
}

func (f *foothold) confidence() string {
	if f.anonymous {
		return "callers need no credentials of the cluster; not known is " + f.doubt
	}
	return confidences[f.class]
}

// enter draws the way to the foothold.
func (w *writer) enter() {
	f := w.foothold
	w.path.Foothold = w.thing(f.group, f.all)
	switch {
	case f.class == Assumed:
	case f.anonymous:
		w.step(Step{From: w.at, Edge: "CAN_ACT_AS", Verb: edgeOf("CAN_ACT_AS").Verb, To: f.group.id,
			Uncertain: "it is not known " + f.doubt,
			Evidence: []Evidence{{Text: nameOf(f.all[0]) + " stands for callers who have not proved who they are, or for everybody who has",
				Nodes: []string{kindID(f.all[0])}}}})
	case f.class == SupplyChain && len(f.entered.edges) == 0: // a registry: what comes from it are the first steps
	case f.class == SupplyChain:
		w.step(w.derivedStep(w.at, f.group.id, &f.entered))
	default:
		w.arrivals()
		w.step(w.into(f))
	}
	w.node(w.path.Foothold)
	w.at = f.group.id
	w.path.Namespace = w.path.Foothold.Namespace
	w.path.Target = w.path.Foothold
}

// into is the step from the pod that traffic reaches into its container.
func (w *writer) into(f *foothold) Step {
	if f.class == Known {
		return w.derivedStep(w.at, f.group.id, &f.entered)
	}
	e := f.entered.edges[0]
	return Step{From: w.at, Edge: "RUNS", Verb: edgeOf("RUNS").Verb, To: f.group.id, Uncertain: "it is not known " + f.doubt,
		Evidence: []Evidence{{Text: nameOf(e.To) + " receives the traffic", Nodes: []string{kindID(e.From), kindID(e.To)}}}}
}

// arrivals draws the first way in as the path's own and the others beside it.
func (w *writer) arrivals() {
	pods := w.pods()
	for i, a := range w.foothold.arrivals {
		at := internetID
		for h, hop := range a.hops {
			t := w.thing(hop.group, hop.members)
			if h == len(a.hops)-1 {
				t = w.thing(hop.group, pods)
			}
			w.node(t)
			if st := w.routeStep(at, t.ID, hop.edges); w.joins(st) {
				if i == 0 {
					w.path.Steps = append(w.path.Steps, st)
				} else {
					w.path.Also = append(w.path.Also, st)
				}
			}
			at = t.ID
		}
	}
	pod := w.thing(w.groupOf(pods[0]), pods)
	w.node(pod)
	if len(w.foothold.arrivals) == 0 {
		w.step(Step{From: internetID, Edge: "ROUTES_TO", Verb: "routes to", To: pod.ID,
			Evidence: []Evidence{{Text: nameOf(pods[0]) + " is exposed to the internet in a way that is not drawn",
				Nodes: []string{kindID(pods[0])}}}})
	}
	w.at = pod.ID
}

// joins notes that a step joins two things, and says whether none did before.
func (w *writer) joins(st Step) bool {
	j := joint{st.From, st.To}
	if w.joined[j] {
		return false
	}
	w.joined[j] = true
	return true
}

// step adds one to the most likely route.
func (w *writer) step(st Step) {
	w.joins(st)
	w.path.Steps = append(w.path.Steps, st)
}

// pods are those whose containers can be entered.
func (w *writer) pods() (out members) {
	for _, e := range w.foothold.entered.edges {
		if e.From.Kind() == "Pod" {
			out = append(out, e.From)
		}
	}
	if len(out) == 0 {
		for _, n := range w.foothold.all {
			if n.Kind() == "Pod" {
				out = append(out, n)
			}
		}
	}
	return out.sorted()
}

func (w *writer) routeStep(from, to string, edges []graph.Edge) Step {
	e := edges[0]
	for _, other := range edges {
		if e.Value("uncertain").Str() != "" && other.Value("uncertain").Str() == "" {
			e = other
		}
	}
	kind := edgeOf("ROUTES_TO")
	text := nameOf(e.To) + " receives traffic"
	if via := e.Value("via"); via.Str() != "" {
		text += " through " + briefly(via)
	}
	if ports := strings.Join(some(e.Value("ports").List()), ", "); ports != "" && !strings.HasSuffix(text, ports) {
		text += ", on " + ports
	}
	if e.From.Kind() == "Internet" {
		text += map[string]string{"any": ", from any address", "ranges": ", from listed address ranges"}[e.Value("width").Str()]
	}
	return Step{From: from, Edge: "ROUTES_TO", Verb: kind.Verb, To: to, Uncertain: e.Value("uncertain").Str(), Through: w.through(e),
		Evidence: []Evidence{{Text: text, Nodes: merged([]string{kindID(e.From), kindID(e.To)}, e.Value("evidence").List())}}}
}

// derivedSteps draws what the attacker gains.
func (w *writer) derivedSteps(hops []*hop) {
	for _, h := range hops {
		if h.shown == nil {
			w.reader.apart(&h.record, func() {
				to := w.thing(h.group, h.members)
				h.shown = &shown{to: to, step: w.derivedStep(w.at, to.ID, h)}
			})
		}
		w.node(h.shown.to)
		w.step(h.shown.step)
		w.at = h.shown.to.ID
		w.path.Target = h.shown.to
	}
}

func (w *writer) derivedStep(from, to string, st *hop) Step {
	kind := edgeOf(st.edge)
	out := Step{From: from, Edge: st.edge, Verb: kind.Verb, To: to, Derived: kind.Derived, Rules: st.rules, Evidence: []Evidence{}}
	out.Uncertain = st.uncertain()
	if !kind.Derived {
		out.Evidence = append(out.Evidence, w.fact(st))
		return out
	}
	out.Attack = []string{}
	for _, id := range st.rules {
		t := w.rules.byID[id]
		if out.Rule == "" {
			out.Rule, out.RuleTitle, out.Why = t.ID, t.Title, strings.TrimSpace(t.Why)
		}
		out.Attack = merged(out.Attack, t.Attack)
		out.Evidence = append(out.Evidence, w.facts.of(t, st.by(id))...)
	}
	return out
}

// uncertain says what might prevent a step; one certain edge is enough for it.
func (h *hop) uncertain() (what string) {
	for _, e := range h.edges {
		said := e.Value("uncertain").Str()
		if said == "" {
			return ""
		}
		what = cmp.Or(what, said)
	}
	return what
}

// fact is the evidence of a step over a fact.
func (w *writer) fact(st *hop) Evidence {
	if len(st.edges) == 0 { // from what is assumed to what runs in it
		return Evidence{Text: spoken(w.thingAt(w.at)) + " runs " + nameOf(st.members[0]), Nodes: []string{kindID(st.members[0])}}
	}
	e := st.edges[0]
	return Evidence{Text: factText(e), Nodes: []string{kindID(e.From), kindID(e.To)}}
}

// beside draws the steps of other routes, and notes what no route avoids.
func (w *writer) beside(k *sketch) {
	if k == nil {
		w.path.Alternatives = max(0, len(w.foothold.arrivals)-1)
		return
	}
	w.path.Also, w.path.Nodes = slices.Grow(w.path.Also, len(k.more)), slices.Grow(w.path.Nodes, len(k.more))
	for _, s := range k.more {
		w.also(k.pic, s)
	}
	w.path.Alternatives = k.alternatives
	for _, at := range k.pic.needed(k.goal) {
		w.path.Unavoidable = merged(w.path.Unavoidable, []string{k.pic.groups[at].id})
	}
}

// also draws one step of another route.
func (w *writer) also(pic *picture, s pair) {
	d := w.detour(pic, s)
	if d == nil {
		return
	}
	if s.from != 0 {
		w.node(d.from)
	}
	w.node(d.to)
	if w.joins(d.step) {
		w.path.Also = append(w.path.Also, d.step)
	}
}

// individuals are the nodes of a place of the picture.
func (w *writer) individuals(pic *picture, at int32) (out members) {
	for _, p := range pic.patches[at] {
		for _, i := range w.field.members[p] {
			out = append(out, w.individual(i))
		}
	}
	return out
}

// unavoidable are the things on the way in that no way in avoids, and the foothold.
func (w *writer) unavoidable() (out []string) {
	in := Path{Entry: w.path.Entry, Target: w.path.Foothold, Steps: w.path.Steps, Also: w.path.Also}
	for _, t := range w.path.Nodes {
		if t.ID != w.path.Entry.ID && t.ID != w.path.Foothold.ID && in.needs(t.ID) {
			out = append(out, t.ID)
		}
		if t.ID == w.path.Foothold.ID {
			break
		}
	}
	return append(out, w.path.Foothold.ID)
}

func merged(a, b []string) []string {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

func (w *writer) node(t Thing) {
	if _, there := w.nodes[t.ID]; !there {
		w.nodes[t.ID] = len(w.path.Nodes)
		w.path.Nodes = append(w.path.Nodes, t)
	}
}

// thingAt is the thing of the path that has an id.
func (w *writer) thingAt(id string) Thing {
	if i, there := w.nodes[id]; there {
		return w.path.Nodes[i]
	}
	return Thing{ID: id, Name: id}
}

func (w *writer) finish(p *pathType, hops []*hop, k *sketch) {
	v := w.weakness()
	w.path.Vulnerabilities, w.path.VulnerabilitiesTotal = v.list, v.total
	w.path.Title = w.title(p, v)
	w.path.Pods = len(w.pods())
	w.path.Uncertain = []string{}
	for _, st := range w.path.Steps {
		w.path.Attack = merged(w.path.Attack, st.Attack)
		if st.Uncertain != "" {
			w.path.Uncertain = merged(w.path.Uncertain, []string{st.Uncertain})
		}
	}
	w.path.Attack = merged(w.path.Attack, p.Attack)
	w.owners(hops)
	w.frames()
	cost := int32(0)
	if k != nil {
		cost = k.cost
	}
	w.rate(p, hops, v, cost)
	w.story()
	w.fixes(hops, k)
	w.path.Unseen = w.unseen
}

// title says who gets in, where, and what it ends in.
func (w *writer) title(p *pathType, v weakness) string {
	f := w.foothold
	t := titled{class: f.class, severe: v.severe, discloses: f.discloses(), open: w.open(), who: placed(w.path.Foothold),
		registry: w.path.Foothold.Kind == "Registry"}
	if w.path.Foothold.Kind != "Container" { // "Group oncall can …": it is the kind that begins the title, not a name
		t.who = strings.ToUpper(t.who[:1]) + t.who[1:]
	}
	if !f.anonymous && f.class != Assumed {
		t.arrival = byNetwork
		if len(f.arrivals) > 0 {
			t.arrival = f.arrivals[0].way
		}
		t.arrival = cmp.Or(p.Arrival, t.arrival)
	}
	text := p.title(t)
	w.path.General = p.title(titled{class: t.class, arrival: t.arrival, severe: t.severe, discloses: t.discloses, open: t.open,
		registry: t.registry, who: "Something that runs or an account"})
	var where []string
	if !strings.Contains(text, t.who) {
		where = append(where, t.who)
	}
	if w.path.Target.ID != w.path.Foothold.ID {
		where = append(where, placed(w.path.Target))
	}
	if len(where) > 0 {
		text += ": " + strings.Join(where, ", ")
	}
	return text
}

// placed is a thing with what tells it apart from others: "app of Deployment cart in
// shop".
func placed(t Thing) string {
	switch {
	case t.Kind == "Container":
		return t.Name + " of " + owned(t) + " in " + t.Namespace
	case t.Namespace != "":
		return label(t.Kind) + " " + t.Name + " in " + t.Namespace
	}
	return spoken(t)
}
