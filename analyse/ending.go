package analyse

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
)

// ending is a step that is no more once a fix is done, told by groups: the fix is done to
// each replica.
type ending struct {
	edge, by string // by: the rule that made it, or the binding that grants it
	from, to group
}

func endingOf(e graph.Edge) ending {
	return ending{e.Kind(), makerOf(e), groupOf(e.From), groupOf(e.To)}
}

func makerOf(e graph.Edge) string { return cmp.Or(e.Value("rule").Str(), e.Value("binding").Str()) }

// endingsOf are the steps that some edges are: those that a rule made or, where none is named, all.
func (s *search) endingsOf(edges []graph.Edge, rule string) (out []ending) {
	known := map[ending]bool{}
	for _, e := range edges {
		if rule != "" && e.Value("rule").Str() != rule {
			continue
		}
		end := ending{e.Kind(), makerOf(e), s.groupOf(e.From), s.groupOf(e.To)}
		if last := len(out) - 1; last >= 0 && out[last] == end || known[end] { // replicas stand beside each other
			continue
		}
		known[end] = true
		out = append(out, end)
	}
	return out
}

// endings are the steps that fixes end. Nil are none.
type endings struct {
	all   []ending
	steps map[ending]bool
	kinds map[ending]bool // edge and maker alone: most edges differ in these
}

func newEndings(fixes []Fix) *endings {
	out := &endings{steps: map[ending]bool{}, kinds: map[ending]bool{}}
	for _, f := range fixes {
		if len(f.grants) > 0 {
			continue // another binding may give the same: what is left is said by the facts
		}
		out.all = append(out.all, f.endings...)
		for _, end := range f.endings {
			out.steps[end], out.kinds[ending{edge: end.edge, by: end.by}] = true, true
		}
	}
	return out
}

func (e *endings) has(step graph.Edge) bool {
	return e != nil && e.kinds[ending{edge: step.Kind(), by: makerOf(step)}] && e.steps[endingOf(step)]
}

// Shown says whether a fix can be done on a copy.
func (f *Fix) Shown() bool { return len(f.endings) > 0 }

// Revokes lists what a fix takes from identities: see rbac.Revoke.
func (f *Fix) Revokes() []rbac.Grant { return f.grants }

// named is the fix with an id that is the same on each path that it is a fix of, and after a rollout.
func (f Fix) named(at []string) Fix {
	if len(at) == 0 {
		at = f.Concerns
	}
	h := sha256.Sum256([]byte(strings.Join(append([]string{f.Kind, f.Rule, f.Title}, at...), "\n")))
	f.ID, f.Advice = "fix-"+hex.EncodeToString(h[:5]), !f.Shown()
	f.Concerns, f.endings, f.grants = slices.Clip(f.Concerns), slices.Clip(f.endings), slices.Clip(f.grants) // paths share them
	return f
}

// proofs are the groups that an edge leads from and rests on.
func (s *search) proofs(e graph.Edge) []string {
	out := []string{s.groupOf(e.From).id}
	for _, text := range e.Value("witness").List() {
		if n, there := s.lookup(ref.ParseKindID(text)); there {
			out = merged(out, []string{s.groupOf(n).id})
		}
	}
	return out
}

// Fixes are those of paths of one cluster, each once with all the steps that it ends, those of
// the worst paths first.
func Fixes(paths []Path) (out []Fix) {
	at := map[string]int{}
	for _, p := range paths {
		for _, f := range p.Fixes {
			i, known := at[f.ID]
			if !known {
				at[f.ID] = len(out)
				f.endings, f.grants = slices.Clone(f.endings), slices.Clone(f.grants)
				out = append(out, f)
				continue
			}
			out[i].add(f)
		}
	}
	return out
}

// add makes a fix one that ends what another ends, too.
func (f *Fix) add(other Fix) {
	for _, end := range other.endings {
		if !slices.Contains(f.endings, end) {
			f.endings = append(f.endings, end)
		}
	}
	for _, g := range other.grants {
		if !slices.Contains(f.grants, g) {
			f.grants = append(f.grants, g)
		}
	}
	f.Effect = min(f.Effect, other.Effect) // breaks is before lowers
}

// Taken are the permissions that a fix takes from their holder, as "Permission id": all that
// a binding grants it, where each of them leads on, else the one that the fix concerns.
func (f *Fix) Taken() (out []string) {
	for _, e := range f.endings {
		if e.edge == "HOLDS" {
			out = append(out, ref.KindID(e.to.kind, e.to.id))
		}
	}
	return merged(f.Concerns[1:], out)
}

// Unknown says what nobody can tell from here of what a fix takes away, "" where it is told.
func (f *Fix) Unknown() string {
	switch f.Kind {
	case fixRule:
		return "whether what it takes away is used cannot be seen from here"
	case fixImage:
		return "whether all works as before with the new packages cannot be seen from here"
	}
	return ""
}

// Loss is what an identity might do and may not any more.
type Loss = rbac.Loss

// Lost is what a change of facts takes from identities.
func Lost(before, after *collect.Facts) []Loss { return rbac.Lost(before, after) }

// Revoke are facts without what fixes take from identities, and what is lost by that.
func Revoke(f *collect.Facts, fixes []Fix) (*collect.Facts, []Loss) {
	var grants []rbac.Grant
	for _, fix := range fixes {
		grants = append(grants, fix.grants...)
	}
	after := rbac.Revoke(f, grants...)
	return after, rbac.Lost(f, after)
}

// Remainder is what fixes leave of a cluster's attack paths.
type Remainder struct {
	Paths []Path
	Gaps  []collect.Gap
	// Closed is traffic that they end or narrow.
	Closed []Closed
}

// Without finds the paths that are left once fixes are done, from the footholds that there
// are or, with assume, from what it names. What they revoke is not in the cluster's
// facts any more: see Revoke.
func (b *Breach) Without(ctx context.Context, fixes []Fix, assume string) (*Remainder, error) {
	on, err := newSurvey(ctx, b.view, b.rules, newEndings(fixes))
	if err != nil {
		return nil, err
	}
	s := newSearch(on, nil)
	var out Remainder
	if assume == "" {
		out.Paths, err = s.run(ctx)
	} else {
		var a assumption
		if a, err = parseAssumption(assume); err == nil {
			out.Paths, err = s.follow(ctx, s.assumed(a))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find the attack paths that fixes leave: %w", err)
	}
	out.Gaps, out.Closed = s.gaps, s.closed()
	return &out, nil
}
