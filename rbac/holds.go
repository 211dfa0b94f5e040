package rbac

import (
	"cmp"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
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

// Bounds on what is worked out of one cluster, far beyond honest ones: who writes few rules and bindings can have them
// multiply.
var (
	maxHolds = 200_000    // that are told
	maxWork  = 20_000_000 // names and rules that are looked at for them
)

// Holds is the effective answer for every power and every identity that any
// grant reaches: those that bindings name, service accounts through the groups
// Kubernetes puts them in, and system:masters. A wider scope hides the narrower
// ones inside it. Of identities with more than is worked out none is told, and Gaps says so: who costs
// least is told first.
func (j *Judge) Holds(powers []Power) []Hold {
	asked := newAsked(powers, j)
	holders := j.holders()
	shapes := asked.shapes(j, holders)
	found, told := map[*shape][]holding{}, 0
	var out []Hold
	for _, s := range slices.SortedFunc(maps.Values(shapes), compareShapes) {
		if told += s.subjects; told > maxHolds || asked.work > maxWork {
			s.untold = true
			continue
		}
		holds := asked.of(s.grants)
		asked.elsewhere(holds, s.grants)
		if told += s.subjects * len(holds); told > maxHolds || asked.work > maxWork {
			s.untold, told = true, told-s.subjects*len(holds)
			continue
		}
		found[s] = holds
	}
	j.untold = nil
	for _, who := range holders {
		if slices.Contains(who.groups(), masters) {
			out = append(out, everythingOf(who, powers)...)
			continue
		}
		grants := j.grants(who)
		s := shapes[asked.key(grants)]
		if s.untold {
			j.untold = append(j.untold, who)
		}
		witnesses := map[evidence]*Witness{}
		for _, h := range found[s] {
			w := witnesses[*h.by]
			if w == nil {
				w = h.by.proof(grants)
				witnesses[*h.by] = w
			}
			out = append(out, Hold{who, powers[h.power].Name, h.scope, *w, h.elsewhere})
		}
	}
	return out
}

// holding is a power that some grants give.
type holding struct {
	power     int
	scope     Scope
	by        *evidence
	elsewhere bool
}

// shape is what grants give, whoever has them by whichever bindings: subjects whose grants are of the same roles in the
// same places hold the same.
type shape struct {
	grants   []grant // of one of the subjects
	subjects int
	cost     int
	first    int // of the subjects, by its place
	untold   bool
}

func compareShapes(a, b *shape) int {
	return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.first, b.first))
}

func (a *asked) shapes(j *Judge, holders []Subject) map[string]*shape {
	out := map[string]*shape{}
	for i, s := range holders {
		if slices.Contains(s.groups(), masters) {
			continue
		}
		grants := j.grants(s)
		key := a.key(grants)
		if out[key] == nil {
			out[key] = &shape{grants: grants, cost: a.cost(grants), first: i}
		}
		out[key].subjects++
	}
	return out
}

// key is equal for grants of the same roles in the same places, of which the same come by one binding.
func (a *asked) key(grants []grant) string {
	var key []byte
	bindings := map[ref.Ref]int{}
	for i, g := range grants {
		at, known := bindings[g.binding]
		if !known {
			at, bindings[g.binding] = i, i
		}
		key = append(append(key, g.namespace...), 0)
		key = binary.AppendUvarint(binary.AppendUvarint(key, uint64(a.number(g.role))), uint64(at))
	}
	return string(key)
}

// number is one for each role, and one for all that nobody knows.
func (a *asked) number(r *role) int {
	if _, known := a.numbers[r]; !known {
		a.numbers[r] = len(a.numbers) + 1
	}
	return a.numbers[r]
}

// cost is about how much is looked at for grants.
func (a *asked) cost(grants []grant) (n int) {
	for g := range a.different(grants) {
		n += a.matches(grants[g].role).size
	}
	return n
}

// different are the grants that give more than those before them: not the same role in the same place.
func (a *asked) different(grants []grant) iter.Seq[int] {
	type given struct {
		namespace string
		role      *role
	}
	return func(yield func(int) bool) {
		seen := map[given]bool{}
		for i, g := range grants {
			this := given{g.namespace, g.role}
			if g.role == nil || seen[this] {
				continue
			}
			seen[this] = true
			if !yield(i) {
				return
			}
		}
	}
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

// elsewhere marks what is left of holds when the binding that each of them is told by is taken away. What a binding gives
// in one namespace is met there only: by what is granted there, or everywhere.
func (a *asked) elsewhere(holds []holding, grants []grant) {
	by := map[ref.Ref][]int{}
	for i, h := range holds {
		b := grants[h.by.grant].binding
		by[b] = append(by[b], i)
	}
	places := map[string][]grant{}
	for _, g := range grants {
		places[g.namespace] = append(places[g.namespace], g)
	}
	for b, all := range by {
		powers, within := make([]bool, len(a.powers)), true
		for _, i := range all {
			h := holds[i]
			powers[h.power] = true
			within = within && b.Namespace != "" && !a.anywhere(h.power)
		}
		left := grants
		if within {
			left = slices.Concat(places[""], places[b.Namespace])
		}
		left = slices.DeleteFunc(slices.Clone(left), func(g grant) bool { return g.binding == b })
		others := map[int][]Scope{}
		for _, o := range a.some(left, powers) {
			others[o.power] = append(others[o.power], o.scope)
		}
		for _, i := range all {
			holds[i].elsewhere = slices.ContainsFunc(others[holds[i].power], holds[i].scope.overlaps)
		}
	}
}

// anywhere says that a power may be held in the whole cluster by what is granted in one namespace.
func (a *asked) anywhere(power int) bool {
	p := a.powers[power]
	return slices.ContainsFunc(slices.Concat(p.Any, p.All), func(k Ask) bool { return k.Names == anywhere })
}

// overlaps says that something is within both scopes.
func (s Scope) overlaps(other Scope) bool {
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
func (a *asked) of(grants []grant) []holding { return a.some(grants, nil) }

// some is what grants give together of some powers, or of all where none are chosen. It breaks off where too much is looked at.
func (a *asked) some(grants []grant, chosen []bool) (out []holding) {
	wanted := a.wanted(chosen)
	found := make([]reach, len(a.asks))
	for i := range a.different(grants) {
		g := grants[i]
		for _, m := range a.matches(g.role).all {
			if !wanted[m.ask] {
				continue
			}
			if a.work += 1 + len(m.names); a.work > maxWork {
				return nil
			}
			found[m.ask].add(i, g, m, a.asks[m.ask])
		}
	}
	made := map[*byName]reach{}
	for i, by := range a.named {
		if by == nil || !wanted[i] || found[i].cluster != nil {
			continue
		}
		r, known := made[by]
		if !known {
			r = a.creates(by, found)
			made[by] = r
		}
		if r.cluster != nil || len(r.namespaces) > 0 {
			found[i] = found[i].or(r)
		}
	}
	for i, p := range a.powers {
		if chosen != nil && !chosen[i] {
			continue
		}
		for _, at := range a.held(i, found).scopes() {
			if at.scope.Kind == Names {
				at.scope.Of = p.resources()
			}
			out = append(out, holding{power: i, scope: at.scope, by: at.by})
		}
	}
	return out
}

// wanted are the asks of the chosen powers.
func (a *asked) wanted(chosen []bool) []bool {
	out := make([]bool, len(a.asks))
	for i, p := range a.powers {
		for n := range len(p.Any) + len(p.All) {
			out[a.first[i]+n] = chosen == nil || chosen[i]
		}
	}
	for i, by := range a.named {
		if by != nil && out[i] {
			out[by.create], out[by.write], out[by.remove] = true, true, true
		}
	}
	return out
}

// holds are what grants give together, with what proves it.
func (a *asked) holds(grants []grant) (out []Hold) {
	for _, h := range a.of(grants) {
		out = append(out, Hold{Power: a.powers[h.power].Name, Scope: h.scope, Witness: *h.by.proof(grants)})
	}
	return out
}

func everythingOf(s Subject, powers []Power) (out []Hold) {
	for _, p := range powers {
		out = append(out, Hold{Subject: s, Power: p.Name, Scope: Scope{Kind: Cluster}, Witness: *unlimited()})
	}
	return out
}

// asked is the asks of all powers in one list, each decided once per role.
type asked struct {
	powers  []Power
	asks    []Ask
	first   []int     // by power: the index of its first ask
	named   []*byName // by ask of a power, nil where it needs no name
	facts   *collect.Facts
	roles   map[*role]*matches
	numbers map[*role]int
	release release
	work    int // that was done
}

// matches are what a role allows, and how many names and rules that is.
type matches struct {
	all  []match
	size int
}

// match says that a role's rule allows an ask, for all objects or for names.
type match struct {
	ask, rule int
	names     []string
}

func newAsked(powers []Power, j *Judge) *asked {
	a := &asked{powers: powers, roles: map[*role]*matches{}, numbers: map[*role]int{}, release: j.release, facts: j.facts}
	for _, p := range powers {
		a.first = append(a.first, len(a.asks))
		a.asks = append(append(a.asks, p.Any...), p.All...)
	}
	a.addByName()
	return a
}

// matches are all asks a role allows: the first rule that does so for every
// object, and those before it that do so for named ones.
func (a *asked) matches(r *role) *matches {
	if done, known := a.roles[r]; known {
		return done
	}
	out := &matches{}
	for i, ask := range a.asks {
		if ask.Before != "" && !a.release.before(releaseOf(ask.Before)) {
			continue
		}
		for k, rule := range r.rules {
			names, ok := ask.allowedBy(rule)
			if ok {
				out.all = append(out.all, match{i, k, names})
				out.size += 1 + len(names)
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
