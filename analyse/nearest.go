package analyse

import (
	"container/heap"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
)

// Nearest is the way from one thing to another that the fewest guards prevent: none, if an attacker can go it.
type Nearest struct {
	Reached bool       `json:"reached"`
	Steps   []NearStep `json:"steps"`
	// Guards is how many there are on the way.
	Guards int `json:"guards"`
}

// NearStep is one step of it. Prevented are the guards that keep it from being one.
type NearStep struct {
	From      string   `json:"from"` // "Kind id"
	To        string   `json:"to"`
	Verb      string   `json:"verb"`
	Technique string   `json:"technique,omitempty"`
	Prevented []string `json:"prevented"`
	Uncertain string   `json:"uncertain,omitempty"`
}

// What a guard on the way costs: more than all steps of a route, so that the fewest guards decide. That
// somebody lacks a permission, or that nothing lets an attacker in from the internet, is a guard that is told where
// as many others do not do.
const (
	costOfGuard = 1000
	costOfLack  = 1999
)

// Lifted is the picture as it would be without one kind of guard: what is there more is prevented by it.
type Lifted struct {
	View  *graph.View
	Guard string
}

// NearestWay looks for the way from one thing to another, each named as an assumption names
// it; the first may also be "internet", the second "cluster" or secret:NAMESPACE/NAME. found is
// false where the pictures hold no such way at all, whatever guards are ignored.
func NearestWay(
	ctx context.Context,
	view *graph.View,
	rules *Rules,
	from, to string,
	lifted ...Lifted,
) (out *Nearest, found bool, err error) {
	on, err := newSurvey(ctx, view, rules, nil)
	if err != nil {
		return nil, false, err
	}
	w := nearWalk{search: newSearch(on, nil), more: map[graph.Node][]near{}, best: map[graph.Node]near{}, ends: map[graph.Node]bool{}}
	if err := w.start(from); err != nil {
		return nil, false, err
	}
	if w.ends, err = w.things(to); err != nil {
		return nil, false, err
	}
	if err := w.prevented(ctx); err != nil {
		return nil, false, err
	}
	for _, l := range lifted {
		w.lift(l)
	}
	end, found := w.reach()
	if !found {
		return nil, false, ctx.Err()
	}
	return w.tell(end), true, nil
}

// near is a step under way, and what it costs to be where it leads.
type near struct {
	from, to graph.Node
	first    bool // nothing is before it
	step     NearStep
	cost     int
	total    int
}

type nearWalk struct {
	*search
	more    map[graph.Node][]near // steps that are prevented, by where they begin
	best    map[graph.Node]near
	ends    map[graph.Node]bool
	waiting nearest
}

// start gathers where the way begins.
func (w *nearWalk) start(from string) error {
	if from != "internet" {
		starts, err := w.things(from)
		for n := range starts {
			w.arrive(near{to: n, first: true})
		}
		return err
	}
	for _, f := range w.footholds() {
		for _, n := range f.walks {
			w.arrive(
				near{to: n, first: true, step: NearStep{From: "Internet " + internetID, To: kindID(n), Verb: "leads to", Prevented: []string{}}},
			)
		}
	}
	for n := range w.view.Nodes("Container") {
		if ended(n) {
			continue
		}
		step := NearStep{From: "Internet " + internetID, To: kindID(n), Verb: "leads to"}
		if !n.Value("exposed").Bool() {
			step.Prevented = append(step.Prevented, "nothing leads from the internet to it")
		}
		if why := unread(n); why == "" {
			step.Prevented = append(step.Prevented, "no vulnerability is known that lets code run in it")
		} else {
			step.Uncertain = why
		}
		w.arrive(near{to: n, first: true, step: step, cost: costOfLack * len(step.Prevented)})
	}
	return nil
}

// things are where an attacker stands who has what a text means.
func (w *nearWalk) things(text string) (map[graph.Node]bool, error) {
	out := map[graph.Node]bool{}
	a, kinds := assumption{}, []string{"Cluster"}
	namespace, name, isSecret := strings.Cut(strings.TrimPrefix(text, "secret:"), "/")
	switch isSecret = isSecret && strings.HasPrefix(text, "secret:"); {
	case text == "any":
		return nil, fmt.Errorf("%w: %q: want one thing", ErrAssumption, text)
	case text == "cluster":
	case isSecret:
		a, kinds = assumption{"secret", namespace, name}, []string{"Secret"}
	default:
		var err error
		if a, err = parseAssumption(text); err != nil {
			return nil, fmt.Errorf("%w; or secret:NAMESPACE/NAME or cluster as what is reached", err)
		}
		kinds = assumable[a.kind]
	}
	if a.kind == "workload" {
		kinds = []string{"Pod"}
	}
	for _, kind := range kinds {
		for n := range w.view.Nodes(kind) {
			means := a.means(n) || text == "cluster"
			if a.kind == "workload" {
				owner := workloadOf(n)
				means = owner.Namespace == a.namespace && owner.Name == a.name
			}
			if means && !ended(n) {
				for _, inside := range w.inside(n) {
					out[inside] = true
				}
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: %q: there is no such thing in what is seen", ErrAssumption, text)
	}
	return out, nil
}

// prevented runs every technique for what guards keep from being gained.
func (w *nearWalk) prevented(ctx context.Context) error {
	for _, t := range w.rules.attack {
		err := t.run(ctx, w.view, func(g gained) bool {
			if len(g.guards) > 0 {
				w.more[g.from] = append(w.more[g.from], near{from: g.from, to: g.to, cost: int(t.cost(false)) + costOfGuard*len(g.guards),
					step: NearStep{From: kindID(g.from), To: kindID(g.to), Verb: edgeOf(t.edge).Verb, Technique: t.Title, Prevented: g.guards}})
			}
			return true
		})
		if err != nil {
			return fmt.Errorf("rule %s: %w", t.ID, err)
		}
	}
	return nil
}

// lift adds the steps that there are without one kind of guard.
func (w *nearWalk) lift(l Lifted) {
	for _, kind := range derivedKinds() {
		for _, from := range startsOf(kind) {
			for other := range l.View.Nodes(from) {
				n, there := w.view.Node(other.Kind(), other.ID())
				if !there {
					continue
				}
				have := map[string]bool{}
				for e := range n.Out(kind) {
					have[makerOf(e)+" "+kindID(e.To)] = true
				}
				for e := range other.Out(kind) {
					to, there := w.view.Node(e.To.Kind(), e.To.ID())
					if !there || have[makerOf(e)+" "+kindID(e.To)] {
						continue
					}
					step := w.stepOf(e)
					step.Prevented = []string{l.Guard}
					w.more[n] = append(w.more[n], near{from: n, to: to, step: step, cost: costOfGuard + w.costOf(e)})
				}
			}
		}
	}
}

// derivedKinds are the edges that techniques make.
var derivedKinds = sync.OnceValue(func() (out []string) {
	for _, e := range schema.Edges() {
		if e.Derived {
			out = append(out, e.Name)
		}
	}
	return out
})

func (w *nearWalk) stepOf(e graph.Edge) NearStep {
	s := NearStep{
		From:      kindID(e.From),
		To:        kindID(e.To),
		Verb:      edgeOf(e.Kind()).Verb,
		Prevented: []string{},
		Uncertain: e.Value("uncertain").Str(),
	}
	if t := w.rules.byID[e.Value("rule").Str()]; t != nil {
		s.Technique = t.Title
	}
	return s
}

func (w *nearWalk) costOf(e graph.Edge) int {
	if t := w.rules.byID[e.Value("rule").Str()]; t != nil {
		return int(t.cost(e.Value("uncertain").Str() != ""))
	}
	return 0
}

func (w *nearWalk) arrive(n near) {
	n.total = w.best[n.from].total + n.cost
	if was, there := w.best[n.to]; !there || n.total < was.total {
		w.best[n.to] = n
		heap.Push(&w.waiting, n)
	}
}

// reach walks until an end is reached (Dijkstra's algorithm).
func (w *nearWalk) reach() (end graph.Node, found bool) {
	for len(w.waiting) > 0 {
		at := heap.Pop(&w.waiting).(near)
		n := at.to
		if w.best[n].total < at.total {
			continue
		}
		if w.ends[n] && at.step.From != "" {
			return n, true
		}
		for _, kind := range stepKinds() {
			for e := range n.Out(kind) {
				if w.ends[e.To] || !w.search.ends(e.Value("rule").Str()) {
					w.arrive(near{from: n, to: e.To, step: w.stepOf(e), cost: w.costOf(e)})
				}
			}
		}
		for _, m := range w.more[n] {
			w.arrive(m)
		}
		if kindOf(n.Kind()).Family == "Identity" && n.Kind() != "Permission" {
			for p := range w.view.Nodes("Permission") {
				w.arrive(near{from: n, to: p, cost: costOfLack, step: NearStep{From: kindID(n), To: kindID(p), Verb: edgeOf("HOLDS").Verb,
					Prevented: []string{"no binding gives it this permission"}}})
			}
		}
	}
	return end, false
}

func (w *nearWalk) tell(end graph.Node) *Nearest {
	out := &Nearest{Steps: []NearStep{}}
	for at := w.best[end]; ; at = w.best[at.from] {
		if at.step.From != "" {
			out.Steps = append(out.Steps, at.step)
			out.Guards += len(at.step.Prevented)
		}
		if at.first {
			break
		}
	}
	slices.Reverse(out.Steps)
	out.Reached = out.Guards == 0
	return out
}

// nearest orders steps by what it costs to have gone them.
type nearest []near

func (h nearest) Len() int           { return len(h) }
func (h nearest) Less(i, j int) bool { return h[i].total < h[j].total }
func (h nearest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nearest) Push(x any)        { *h = append(*h, x.(near)) }
func (h *nearest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
