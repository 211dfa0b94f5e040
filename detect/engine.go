package detect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/severity"
)

// Options bound what an engine remembers. Zero means the default.
type Options struct {
	// Window is how long after it was last seen the same thing counts as the same
	// alert: 24 hours.
	Window time.Duration
	// Alerts is how many open alerts, Objects how many objects are remembered, of
	// all clusters together: 2,000 and 50,000. What is forgotten makes a new alert.
	Alerts, Objects int
}

// Engine turns events into alerts. It has no clock but that of the events and
// starts no goroutine: the same events give the same alerts. It is not safe for
// concurrent use.
type Engine struct {
	rules   *Rules
	context Context
	window  time.Duration
	objects *objects
	open    *simplelru.LRU[string, *Alert] // by Key, the one that grew last remembered longest
	// byObject finds the open alerts about an object or what owns it.
	byObject map[place][]*Alert
	// changed are the alerts of the current Feed, in order.
	changed []*Alert
	// memories are what rules remember of earlier events.
	memories map[*Rule]*memory
	// begun is since when clusters are watched, began those of which that is new.
	begun map[string]int64
	began map[string]bool
}

// New makes an engine. Without a context, alerts say nothing of the graph.
func New(rules *Rules, c Context, o Options) *Engine {
	e := &Engine{rules: rules, context: c, window: cmp.Or(o.Window, 24*time.Hour), objects: newObjects(cmp.Or(o.Objects, 50_000)),
		byObject: map[place][]*Alert{}, memories: map[*Rule]*memory{}, begun: map[string]int64{},
		began: map[string]bool{}}
	e.open = remembering(cmp.Or(o.Alerts, 2_000), func(_ string, a *Alert) { e.forget(a) })
	return e
}

// remembering is a memory of the most that were used last; gone is called with what is forgotten.
func remembering[K comparable, V any](most int, gone func(K, V)) *simplelru.LRU[K, V] {
	memory, err := simplelru.NewLRU(max(most, 1), gone)
	if err != nil {
		panic(err) // it wants a size above 0
	}
	return memory
}

// Resume takes alerts that an engine handed out before a restart, so that events
// which come again, or belong to them, do not begin new ones. Give it those last
// seen within the window, oldest first: of two that count as the same, the later stays.
func (g *Engine) Resume(alerts []Alert) {
	for i := range alerts {
		a := alerts[i].copied()
		g.open.Remove(a.Key)
		g.open.Add(a.Key, &a)
		for _, uid := range a.Objects {
			p := place{a.Cluster, uid}
			g.byObject[p] = append(g.byObject[p], &a)
		}
	}
}

// Feed matches events and takes them.
func (g *Engine) Feed(events []event.Event) []Alert { return g.Take(events, g.rules.Match(events)) }

// Take takes events, of one or many clusters, with the rules that hold for them,
// and gives the alerts that are new or have changed, each once. Within a batch the
// order of events does not matter for who made what.
func (g *Engine) Take(events []event.Event, matches []Match) []Alert {
	for i := range events {
		if events[i].Object != nil {
			g.objects.written(&events[i])
		}
	}
	for i := range events {
		e := &events[i]
		g.watches(e)
		for ; len(matches) > 0 && matches[0].Event == i; matches = matches[1:] {
			g.fire(matches[0].Rule, e)
		}
		if o := e.Object; o != nil && o.Owner != "" && !o.Claimed {
			g.addToOwners(e.Cluster, o.UID)
		}
	}
	return g.handOut()
}

// handOut copies the alerts that changed.
func (g *Engine) handOut() (out []Alert) {
	for _, a := range g.changed {
		out = append(out, a.copied())
	}
	g.changed = nil
	return out
}

// fire takes a match: what it makes of itself, and of what it is a part of.
func (g *Engine) fire(r *Rule, e *event.Event) {
	said := ""
	if r.baseline != nil {
		var is bool
		if said, is = g.unusual(r, e); !is {
			return
		}
	}
	if !r.silent && g.alertOfOwner(r, e) == nil { // else what the owner's alert is about led to this: addToOwners names it
		g.tell(r, e, r.key(e), said)
	}
	g.join(r, e)
}

// join takes an event to the correlations that its rule is part of.
func (g *Engine) join(r *Rule, e *event.Event) {
	for _, u := range slices.Backward(r.uses) { // so that no event follows upon itself
		said, together := g.correlated(u, r, e)
		if !together {
			continue
		}
		of := u.of
		if !of.silent {
			key := of.key(e)
			if len(of.per) == 0 {
				key = digest(append([]string{of.ID, e.Cluster}, of.correlation.values(r, of.correlation.groupBy, e)...)...)
			}
			g.tell(of, e, key, said)
		}
		g.join(of, e)
	}
}

// tell makes an alert, or adds to the one there is.
func (g *Engine) tell(r *Rule, e *event.Event, key, said string) {
	a, ok := g.open.Get(key)
	if ok && e.Time.Sub(a.Last).Abs() > g.window {
		g.open.Remove(key)
		ok = false
	}
	id, act := e.Identity()
	act = strings.Clone(cmp.Or(act, id))
	excuse := r.excuse(e)
	if !ok {
		a = r.alert(e, key, act)
		a.excuse(excuse)
		g.open.Add(key, a)
	}
	if !a.counts(act) {
		return
	}
	if a.Excused != "" && excuse == "" { // what came with it is news
		a.Excused, a.Severity = "", r.Severity
		a.Evidence = slices.DeleteFunc(a.Evidence, func(s string) bool { return strings.HasPrefix(s, "Informational: ") })
	}
	a.Count++
	if said != "" {
		add(&a.Evidence, said, maxEvidence)
	}
	g.add(a, r, e)
	g.markChanged(a)
}

// excuse says why a match is no news, "" if it is.
func (r *Rule) excuse(e *event.Event) string {
	if r.log.Excuse == nil || r.condition == nil || !asks(r.condition, r.log.Excused) {
		return ""
	}
	return r.log.Excuse(e)
}

// excuse makes an alert of the lowest severity, and says why.
func (a *Alert) excuse(why string) {
	if why == "" {
		return
	}
	a.Excused, a.Severity = why, severity.Rated[0]
	add(&a.Evidence, why, maxEvidence)
}

// asks says that an expression asks for one of some fields, so that it holds.
func asks(e expr, fields []string) bool {
	switch e := e.(type) {
	case *test:
		return slices.Contains(fields, e.field)
	case and:
		return slices.ContainsFunc(e, func(one expr) bool { return asks(one, fields) })
	case or:
		return slices.ContainsFunc(e, func(one expr) bool { return asks(one, fields) })
	}
	return false // what must not be is not asked for
}

// alertOfOwner is an open alert of the same rule about what owns the event's object.
func (g *Engine) alertOfOwner(r *Rule, e *event.Event) (found *Alert) {
	if e.Object == nil || e.Object.Claimed {
		return nil
	}
	g.objects.owners(e.Cluster, e.Object.Owner, e.Object.OwnerKind, func(uid string, _ *made) bool {
		for _, a := range g.byObject[place{e.Cluster, uid}] {
			if a.Rule == r.ID {
				found = a
			}
		}
		return found == nil
	})
	return found
}

func (g *Engine) markChanged(a *Alert) {
	add(&g.changed, a, len(g.changed)+1)
}

// add puts what an event tells into an alert.
func (g *Engine) add(a *Alert, r *Rule, e *event.Event) {
	if e.Time.Before(a.First) {
		a.First = e.Time
	}
	if e.Time.After(a.Last) {
		a.Last = e.Time
	}
	a.keep(e)
	for _, s := range r.sentences(e) {
		add(&a.Evidence, s, maxEvidence)
	}
	if e.Object != nil {
		g.addRequester(a, e)
	}
	for _, x := range e.Entities {
		g.entity(a, kept(x))
	}
	if o := e.Object; o != nil {
		g.linkObject(a, o.UID)
		g.objects.owned(e.Cluster, o.UID, func(uid string, m *made) { g.addOwned(a, uid, m) })
	}
}

// addRequester names who asked for what an operator did: the maker of the topmost owner.
func (g *Engine) addRequester(a *Alert, e *event.Event) {
	top := g.objects.topOwner(e.Cluster, e.Object)
	if top == nil || top.by.Name == "" {
		return
	}
	if by := first(e, event.Actor); by.Kind == top.by.Kind && by.Namespace == top.by.Namespace && by.Name == top.by.Name {
		return
	}
	g.entity(a, top.by)
	add(&a.Evidence, "It names "+ref.Ref{Namespace: top.namespace, Kind: top.kind, Name: top.name}.String()+" as its owner, which "+
		top.by.Name+" wrote.", maxEvidence)
}

// entity adds an entity and asks what the graph knows of it.
func (g *Engine) entity(a *Alert, x event.Entity) {
	if add(&a.Entities, x, maxEntities) {
		g.ask(a, x)
	}
}

func (g *Engine) ask(a *Alert, x event.Entity) {
	if g.context == nil {
		return
	}
	if about, ok := g.context.About(a.Cluster, x); ok {
		a.Context = append(a.Context, about)
	}
}

// maxAbout is how many alerts may be about one object.
const maxAbout = 64

// linkObject makes what an object comes to own lead to the alert.
func (g *Engine) linkObject(a *Alert, uid string) {
	uid = strings.Clone(uid)
	p := place{a.Cluster, uid}
	if len(g.byObject[p]) < maxAbout && add(&a.Objects, uid, maxObjects) {
		g.byObject[p] = append(g.byObject[p], a)
	}
}

// addToOwners tells the alerts about an object's owners that it came to be.
func (g *Engine) addToOwners(cluster, uid string) {
	m := g.objects.find(place{cluster, uid})
	if m == nil {
		return
	}
	var alerts []*Alert
	g.objects.owners(cluster, m.owner, m.ownerKind, func(owner string, _ *made) bool {
		alerts = append(alerts, g.byObject[place{cluster, owner}]...)
		return true
	})
	for _, a := range alerts {
		g.addOwned(a, uid, m)
		g.objects.owned(cluster, uid, func(uid string, m *made) { g.addOwned(a, uid, m) })
	}
}

// maxPods is how many pods of a workload an alert names.
const maxPods = 10

// addOwned notes that the object of an alert led to another: pods are named, what
// stands between is only followed.
func (g *Engine) addOwned(a *Alert, uid string, m *made) {
	if m.kind == "" {
		return
	}
	before := len(a.Objects)
	g.linkObject(a, uid)
	if len(a.Objects) == before || m.kind != "Pod" {
		if len(a.Objects) > before {
			g.markChanged(a)
		}
		return
	}
	g.markChanged(a)
	if a.pods() >= maxPods {
		add(&a.Evidence, "More pods followed.", maxEvidence)
		return
	}
	pod := ref.Ref{Cluster: a.Cluster, Namespace: m.namespace, Kind: "Pod", Name: m.name}
	g.entity(a, event.Entity{Role: event.Target, Kind: pod.Kind, Namespace: pod.Namespace, Name: pod.Name, ID: pod.ID()})
	add(&a.Evidence, "It led to "+pod.String()+".", maxEvidence)
}

func (a *Alert) pods() (n int) {
	for _, x := range a.Entities {
		if x.Kind == "Pod" {
			n++
		}
	}
	return n
}

// forget takes an alert out of what objects lead to.
func (g *Engine) forget(a *Alert) {
	for _, uid := range a.Objects {
		p := place{a.Cluster, uid}
		var rest []*Alert
		for _, other := range g.byObject[p] {
			if other != a {
				rest = append(rest, other)
			}
		}
		if g.byObject[p] = rest; len(rest) == 0 {
			delete(g.byObject, p)
		}
	}
}

// alert begins one.
func (r *Rule) alert(e *event.Event, key, act string) *Alert {
	return &Alert{ID: digest(key, act), Key: key, Rule: r.ID, Title: r.Title, Severity: r.Severity, Techniques: r.Attack,
		Cluster: strings.Clone(e.Cluster), First: e.Time, Last: e.Time}
}

// key tells this alert from others: the rule, the cluster, and what the rule's
// per names.
func (r *Rule) key(e *event.Event) string {
	parts := []string{r.ID, e.Cluster}
	for _, name := range r.per {
		parts = append(parts, name)
		switch name {
		case "actor", "target":
			x := first(e, event.Role(name))
			parts = append(parts, x.Kind, x.Namespace, x.Name)
		default:
			parts = append(parts, e.Fields[name]...)
		}
	}
	return digest(parts...)
}

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// sentences are the rule's evidence with an event's values. One that asks for an
// absent field is left out.
func (r *Rule) sentences(e *event.Event) (out []string) {
	for _, s := range r.evidence {
		whole := true
		s = placeholder.ReplaceAllStringFunc(s, func(name string) string {
			values := e.Fields[name[1:len(name)-1]]
			whole = whole && len(values) > 0
			return short(values)
		})
		if whole {
			out = append(out, s)
		}
	}
	return out
}

// short joins values and cuts what is longer than a reader will read.
func short(values []string) string {
	const most = 400
	s := strings.ToValidUTF8(strings.Join(values, ", "), "·")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
