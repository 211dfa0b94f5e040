package analyse

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
)

// write puts a path into the form that people and the store read.
func (s *search) write(p *pathType, f *foothold, hops []hop) Path {
	w := &writer{search: s, foothold: f, path: Path{Type: p.ID, Cluster: s.cluster(), ID: identity(p, hops),
		Why: strings.TrimSpace(p.Why)}}
	w.entry()
	w.arrivals()
	w.derivedSteps(hops)
	w.finish(p, hops)
	return w.path
}

// identity is of entry, type and groups: nothing that a rollout changes.
func identity(p *pathType, hops []hop) string {
	h := sha256.New()
	h.Write([]byte(p.ID + "\ninternet\n"))
	for _, st := range hops {
		h.Write([]byte(st.group.kind + " " + st.group.id + "\n"))
	}
	return "path-" + hex.EncodeToString(h.Sum(nil))[:16]
}

// writer is one path under way.
type writer struct {
	*search
	foothold *foothold
	path     Path
	at       string // id of the thing the story has come to
}

const internetID = "internet"

func (w *writer) entry() {
	w.path.Entry = Thing{ID: internetID, Kind: "Internet", Name: "Internet", Count: 1}
	w.path.EntryClass, w.path.Confidence = Known, confidences[Known]
	w.path.Nodes = []Thing{w.path.Entry}
	w.path.Steps, w.path.Also, w.path.Attack = []Step{}, []Step{}, []string{}
	w.at = internetID
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
			st := w.routeStep(at, t.ID, hop.edges)
			switch {
			case w.drawn(st):
			case i == 0:
				w.path.Steps = append(w.path.Steps, st)
			default:
				w.path.Also = append(w.path.Also, st)
			}
			at = t.ID
		}
	}
	pod := w.thing(w.groupOf(pods[0]), pods)
	w.node(pod)
	if len(w.foothold.arrivals) == 0 {
		w.path.Steps = append(w.path.Steps, Step{From: internetID, Edge: "ROUTES_TO", Verb: "routes to", To: pod.ID,
			Evidence: []Evidence{{Text: nameOf(pods[0]) + " is exposed to the internet in a way that is not drawn",
				Nodes: []string{kindID(pods[0])}}}})
	}
	w.at = pod.ID
}

// drawn says whether a step joins two things that another one joins already.
func (w *writer) drawn(st Step) bool {
	same := func(o Step) bool { return o.From == st.From && o.To == st.To }
	return slices.ContainsFunc(w.path.Steps, same) || slices.ContainsFunc(w.path.Also, same)
}

// pods are those whose containers can be entered.
func (w *writer) pods() (out members) {
	for _, e := range w.foothold.entered.edges {
		out = append(out, e.From)
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
	if via := e.Value("via").Str(); via != "" {
		text += " through " + via
	}
	if ports := strings.Join(e.Value("ports").List(), ", "); ports != "" && !strings.HasSuffix(text, ports) {
		text += ", on " + ports
	}
	if e.From.Kind() == "Internet" {
		text += map[string]string{"any": ", from any address", "ranges": ", from listed address ranges"}[e.Value("width").Str()]
	}
	return Step{From: from, Edge: "ROUTES_TO", Verb: kind.Verb, To: to, Uncertain: e.Value("uncertain").Str(), Through: w.through(e),
		Evidence: []Evidence{{Text: text, Nodes: merged([]string{kindID(e.From), kindID(e.To)}, e.Value("evidence").List())}}}
}

// derivedSteps draws what the attacker gains.
func (w *writer) derivedSteps(hops []hop) {
	for i, st := range hops {
		t := w.thing(st.group, st.members)
		w.node(t)
		w.path.Steps = append(w.path.Steps, w.derivedStep(w.at, t.ID, st))
		w.at = t.ID
		if i == 0 {
			w.path.Foothold = t
		}
		w.path.Target = t
	}
	w.path.Namespace = w.path.Foothold.Namespace
}

func (w *writer) derivedStep(from, to string, st hop) Step {
	kind := edgeOf(st.edge)
	out := Step{From: from, Edge: st.edge, Verb: kind.Verb, To: to, Derived: true, Rules: st.rules, Evidence: []Evidence{},
		Attack: []string{}}
	certain := false
	for _, e := range st.edges {
		certain = certain || e.Value("uncertain").Str() == ""
		if out.Uncertain == "" {
			out.Uncertain = e.Value("uncertain").Str()
		}
	}
	if certain {
		out.Uncertain = ""
	}
	for _, id := range st.rules {
		t := w.rules.byID[id]
		if out.Rule == "" {
			out.Rule, out.RuleTitle, out.Why = t.ID, t.Title, strings.TrimSpace(t.Why)
		}
		out.Attack = merged(out.Attack, t.Attack)
		i := slices.IndexFunc(st.edges, func(e graph.Edge) bool { return e.Value("rule").Str() == id })
		out.Evidence = append(out.Evidence, w.facts.of(t, st.edges[i])...)
	}
	return out
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
	if !slices.ContainsFunc(w.path.Nodes, func(o Thing) bool { return o.ID == t.ID }) {
		w.path.Nodes = append(w.path.Nodes, t)
	}
}

func (w *writer) finish(p *pathType, hops []hop) {
	if w.foothold.weak == nil {
		found := w.vulnerabilities()
		w.foothold.weak = &found
	}
	v := *w.foothold.weak
	w.path.Vulnerabilities, w.path.VulnerabilitiesTotal = v.list, v.total
	way := w.foothold.arrival
	if way == "" && len(w.foothold.arrivals) > 0 {
		way = w.foothold.arrivals[0].way
	}
	w.path.Title = p.title(way, v.severe)
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
	w.rate(p, hops, v)
	w.story()
	w.fixes(hops, v)
	w.path.Unseen = w.unseen
}
