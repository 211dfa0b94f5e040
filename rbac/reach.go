package rbac

import (
	"maps"
	"slices"
)

// reach is where one ask is allowed, with evidence for each place.
type reach struct {
	cluster    *evidence
	namespaces map[string]*evidence
	// names by namespace ("" is any namespace) and object name.
	names map[string]map[string]*evidence
}

// evidence is a rule that a grant gives: what a Witness tells. The grant is an index, so that subjects with the like
// grants have the like proofs.
type evidence struct {
	grant, rule int
	creates     string // the name that is created by, where the rule is limited to names
}

// add enters a grant. The widest comes first, so the first witness stays.
func (r *reach) add(at int, g grant, m match, ask Ask) {
	if g.namespace != "" && (ask.ClusterScoped || ask.Path != "") {
		return
	}
	w, named := &evidence{grant: at, rule: m.rule}, m.names != nil && ask.Names != anyName
	switch {
	case ask.Names == anywhere:
		r.everywhere(w)
	case named && ask.Resource == "namespaces": // a namespace is in itself
		for _, n := range m.names {
			if g.namespace == "" || g.namespace == n {
				r.namespace(n, w)
			}
		}
	case named:
		for _, n := range m.names {
			r.name(g.namespace, n, w)
		}
	case g.namespace == "":
		r.everywhere(w)
	default:
		r.namespace(g.namespace, w)
	}
}

func (r *reach) everywhere(w *evidence) {
	if r.cluster == nil {
		r.cluster = w
	}
}

func (r *reach) namespace(ns string, w *evidence) {
	if r.namespaces == nil {
		r.namespaces = map[string]*evidence{}
	}
	if r.namespaces[ns] == nil {
		r.namespaces[ns] = w
	}
}

func (r *reach) name(ns, name string, w *evidence) {
	if r.names == nil {
		r.names = map[string]map[string]*evidence{}
	}
	if r.names[ns] == nil {
		r.names[ns] = map[string]*evidence{}
	}
	if r.names[ns][name] == nil {
		r.names[ns][name] = w
	}
}

// merge enters all of o that keep, given the place, lets through.
func (r *reach) merge(o reach, keep func(ns, name string) bool) {
	if o.cluster != nil && keep("", "") {
		r.everywhere(o.cluster)
	}
	for ns, w := range o.namespaces {
		if keep(ns, "") {
			r.namespace(ns, w)
		}
	}
	for ns, names := range o.names {
		for n, w := range names {
			if keep(ns, n) {
				r.name(ns, n, w)
			}
		}
	}
}

func (r reach) or(o reach) (out reach) {
	all := func(string, string) bool { return true }
	out.merge(r, all)
	out.merge(o, all)
	return out
}

// and is where both are allowed: a place of either that the other covers, and
// a name that one allows anywhere within a namespace of the other.
func (r reach) and(o reach) (out reach) {
	out.merge(r, o.covers)
	out.merge(o, r.covers)
	for _, pair := range [][2]reach{{r, o}, {o, r}} {
		for n, w := range pair[0].names[""] {
			for ns := range pair[1].namespaces {
				out.name(ns, n, w)
			}
		}
	}
	return out
}

// covers says whether a place lies within r: "" and "" is the whole cluster.
func (r reach) covers(ns, name string) bool {
	return r.cluster != nil ||
		ns != "" && r.namespaces[ns] != nil ||
		name != "" && (r.names[""][name] != nil || r.names[ns][name] != nil)
}

type place struct {
	scope Scope
	by    *evidence
}

// scopes are the places without those that lie in a wider one, sorted.
func (r reach) scopes() []place {
	if r.cluster != nil {
		return []place{{Scope{Kind: Cluster}, r.cluster}}
	}
	var out []place
	for _, ns := range slices.Sorted(maps.Keys(r.namespaces)) {
		out = append(out, place{Scope{Kind: Namespace, Namespace: ns}, r.namespaces[ns]})
	}
	for _, ns := range slices.Sorted(maps.Keys(r.names)) {
		if ns != "" && r.namespaces[ns] != nil {
			continue
		}
		names := slices.Sorted(maps.Keys(r.names[ns]))
		out = append(out, place{Scope{Kind: Names, Namespace: ns, Names: names}, r.names[ns][names[0]]})
	}
	return out
}
