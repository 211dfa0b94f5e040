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

// endingsOf are the steps that some edges are.
func endingsOf(edges []graph.Edge) (out []ending) {
	for _, e := range edges {
		if end := endingOf(e); !slices.Contains(out, end) {
			out = append(out, end)
		}
	}
	return out
}

// endings are the steps that fixes end. Nil are none.
type endings struct {
	steps map[ending]bool
	kinds map[ending]bool // edge and maker alone: most edges differ in these
}

func newEndings(fixes []Fix) *endings {
	out := &endings{map[ending]bool{}, map[ending]bool{}}
	for _, f := range fixes {
		if len(f.grants) > 0 {
			continue // another binding may give the same: what is left is said by the facts
		}
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

// named gives a fix an id that is the same on each path that it is a fix of, and after a rollout.
func (f *Fix) named(at []string) {
	if len(at) == 0 {
		at = f.Concerns
	}
	h := sha256.Sum256([]byte(strings.Join(append([]string{f.Kind, f.Rule, f.Title}, at...), "\n")))
	f.ID = "fix-" + hex.EncodeToString(h[:5])
}

// proofs are the groups that an edge leads from and rests on.
func (s *search) proofs(e graph.Edge) []string {
	out := []string{groupOf(e.From).id}
	for _, text := range e.Value("witness").List() {
		if n, there := s.view.Node(ref.ParseKindID(text)); there {
			out = merged(out, []string{groupOf(n).id})
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

// Without finds the paths of one cluster that are left once fixes are done, from the
// footholds that there are or, with assume, from what it names. view holds the cluster's
// segment as Cluster returned it, of facts without what the fixes revoke.
func Without(
	ctx context.Context, view *graph.View, rules *Rules, fixes []Fix, assume string,
) (paths []Path, gaps []collect.Gap, err error) {
	on, err := newSurvey(ctx, view, rules, newEndings(fixes))
	if err != nil {
		return nil, nil, err
	}
	s := newSearch(on, nil)
	if assume == "" {
		paths, err = s.run(ctx)
	} else {
		var a assumption
		if a, err = parseAssumption(assume); err == nil {
			paths, err = s.follow(ctx, s.worstFirst(s.assumed(a)))
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find the attack paths that fixes leave: %w", err)
	}
	return paths, s.gaps, nil
}
