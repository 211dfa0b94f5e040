package rbac

import (
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/ref"
)

// ScopeKind says how far a power reaches.
type ScopeKind string

const (
	Cluster   ScopeKind = "cluster"
	Namespace ScopeKind = "namespace"
	Names     ScopeKind = "names" // only the named objects
)

// Scope is where a power is held. With Names, an empty Namespace means objects
// of that name wherever they are.
type Scope struct {
	Kind      ScopeKind
	Namespace string
	Names     []string
	// Of are the resources that the names are of: "secrets".
	Of []string
}

func (s Scope) String() string {
	where := "the whole cluster"
	if s.Namespace != "" {
		where = "namespace " + s.Namespace
	}
	if s.Kind == Names {
		return strings.Join(s.Names, ", ") + " in " + where
	}
	return where
}

// Hold says that a subject holds a power somewhere.
type Hold struct {
	Subject Subject
	Power   string
	Scope   Scope
	Witness Witness
	// Elsewhere says that the subject holds it, or a part of it, without the witness's binding, too.
	Elsewhere bool
}

// Holds is the effective answer for every power and every identity that any
// grant reaches: those that bindings name, service accounts through the groups
// Kubernetes puts them in, and system:masters. A wider scope hides the narrower
// ones inside it.
func (j *Judge) Holds(powers []Power) []Hold {
	asked := newAsked(powers, j.release)
	answers := map[string][]Hold{} // by what the grants of a subject depend on
	var out []Hold
	for _, s := range j.holders() {
		key := j.grantKey(s)
		holds, known := answers[key]
		if !known {
			holds = j.holdsOf(s, asked)
			answers[key] = holds
		}
		for _, h := range holds {
			h.Subject = s
			out = append(out, h)
		}
	}
	return out
}

func (j *Judge) holders() []Subject {
	set := map[Subject]struct{}{Group(masters): {}}
	for s := range j.named {
		set[s] = struct{}{}
	}
	for _, s := range j.accounts {
		set[s] = struct{}{}
	}
	return slices.SortedFunc(maps.Keys(set), compareSubjects)
}

// grantKey is equal for subjects that no binding tells apart.
func (j *Judge) grantKey(s Subject) string {
	if len(j.named[s]) > 0 {
		return s.String()
	}
	return strings.Join(s.groups(), " ")
}

func (j *Judge) holdsOf(s Subject, asked *asked) []Hold {
	if slices.Contains(s.groups(), masters) {
		return everything(asked.powers)
	}
	grants := j.grants(s)
	holds := asked.of(grants)
	asked.elsewhere(holds, grants)
	return holds
}

// elsewhere marks what is left of holds when the binding that each of them is told by is taken away.
func (a *asked) elsewhere(holds []Hold, grants []grant) {
	type cut struct {
		binding   ref.Ref
		namespace string
	}
	near, left := a.near(grants), map[cut][]Hold{}
	for i := range holds {
		h := &holds[i]
		without := cut{h.Witness.Binding, h.Scope.Namespace}
		others, known := left[without]
		if !known {
			others = a.of(slices.DeleteFunc(near(h.Scope.Namespace), func(g grant) bool { return g.binding == without.binding }))
			left[without] = others
		}
		h.Elsewhere = slices.ContainsFunc(others, func(o Hold) bool { return o.Power == h.Power && o.Scope.meets(h.Scope) })
	}
}

// near says which of some grants decide what is held within a namespace, or anywhere if that is empty: those in it, those
// of the whole cluster, and of those that give something everywhere from where they are, one beside any that is taken away.
// Somebody may be bound in each of many namespaces.
func (a *asked) near(grants []grant) func(namespace string) []grant {
	in, wide := map[string][]grant{}, map[int][]grant{} // wide by ask
	for _, g := range grants {
		in[g.namespace] = append(in[g.namespace], g)
		if g.role == nil || g.namespace == "" {
			continue
		}
		for _, m := range a.matches(g.role) {
			if a.asks[m.ask].Names == anywhere && !slices.ContainsFunc(wide[m.ask], func(o grant) bool { return o.binding == g.binding }) &&
				len(wide[m.ask]) < 2 {
				wide[m.ask] = append(wide[m.ask], g)
			}
		}
	}
	return func(namespace string) []grant {
		if namespace == "" {
			return slices.Clone(grants)
		}
		out := slices.Concat(in[""], in[namespace])
		for _, more := range wide {
			out = append(out, more...)
		}
		return out
	}
}

// meets says that something is within both scopes.
func (s Scope) meets(other Scope) bool {
	if s.Kind == Cluster || other.Kind == Cluster {
		return true
	}
	if s.Namespace != other.Namespace && s.Namespace != "" && other.Namespace != "" {
		return false
	}
	return s.Kind == Namespace || other.Kind == Namespace ||
		slices.ContainsFunc(s.Names, func(n string) bool { return slices.Contains(other.Names, n) })
}

// of is what grants give together.
func (a *asked) of(grants []grant) (out []Hold) {
	found := make([]reach, len(a.asks))
	for _, g := range grants {
		if g.role == nil {
			continue
		}
		for _, m := range a.matches(g.role) {
			found[m.ask].add(g, m, a.asks[m.ask])
		}
	}
	for i, p := range a.powers {
		for _, at := range a.held(i, found).scopes() {
			if at.scope.Kind == Names {
				at.scope.Of = p.resources()
			}
			out = append(out, Hold{Power: p.Name, Scope: at.scope, Witness: *at.witness})
		}
	}
	return out
}

func everything(powers []Power) (out []Hold) {
	for _, p := range powers {
		out = append(out, Hold{Power: p.Name, Scope: Scope{Kind: Cluster}, Witness: *unlimited()})
	}
	return out
}

// asked is the asks of all powers in one list, each decided once per role.
type asked struct {
	powers  []Power
	asks    []Ask
	first   []int // by power: the index of its first ask
	roles   map[*role][]match
	release release
}

// match says that a role's rule allows an ask, for all objects or for names.
type match struct {
	ask, rule int
	names     []string
}

func newAsked(powers []Power, in release) *asked {
	a := &asked{powers: powers, roles: map[*role][]match{}, release: in}
	for _, p := range powers {
		a.first = append(a.first, len(a.asks))
		a.asks = append(append(a.asks, p.Any...), p.All...)
	}
	return a
}

// matches are all asks a role allows: the first rule that does so for every
// object, and those before it that do so for named ones.
func (a *asked) matches(r *role) []match {
	if done, known := a.roles[r]; known {
		return done
	}
	out := []match{}
	for i, ask := range a.asks {
		if ask.Before != "" && !a.release.before(releaseOf(ask.Before)) {
			continue
		}
		for k, rule := range r.rules {
			names, ok := ask.allowedBy(rule)
			if ok {
				out = append(out, match{i, k, names})
			}
			if ok && names == nil {
				break
			}
		}
	}
	a.roles[r] = out
	return out
}

// held is where power i is held, from where each ask is allowed.
func (a *asked) held(i int, found []reach) reach {
	p, out := a.powers[i], reach{}
	for n := range p.Any {
		out = out.or(found[a.first[i]+n])
	}
	for n := range p.All {
		one := found[a.first[i]+len(p.Any)+n]
		if n == 0 && len(p.Any) == 0 {
			out = one
			continue
		}
		out = out.and(one)
	}
	return out
}
