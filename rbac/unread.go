package rbac

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/ref"
)

// Unread is a role that is bound to somebody and whose rules are not known.
type Unread struct {
	Role, Binding ref.Ref
	// Namespace the binding holds in; empty for the whole cluster.
	Namespace string
}

// Unread are the roles of which it is not known what they allow each identity: where Holds told nothing of one, all.
func (j *Judge) Unread() map[Subject][]Unread {
	out, untold := map[Subject][]Unread{}, map[Subject]bool{}
	for _, s := range j.untold {
		untold[s] = true
	}
	for _, s := range j.holders() {
		for _, g := range j.grants(s) {
			if g.unread() || untold[s] {
				out[s] = append(out[s], Unread{g.ref, g.binding, g.namespace})
			}
		}
	}
	return out
}

// gapsOf turns what could not be read into what the judge cannot say.
func (j *Judge) gapsOf(f *collect.Facts) (gaps []collect.Gap) {
	unseen := map[string]bool{}
	for _, resource := range []string{"clusterrolebindings", "clusterroles", "rolebindings", "roles"} {
		if g, lost := f.Unseen(resource); lost {
			unseen[resource] = true
			gaps = append(gaps, collect.Gap{Cluster: f.Cluster.Name, Source: "judge", What: "permissions by " + resource, Why: g.Why,
				Consequence: "Identities may hold permissions that are not shown.", Kinds: []string{"Permission", "HOLDS"},
				Since: g.Since})
		}
	}
	lost := map[ref.Ref][]grant{}
	for _, s := range j.Subjects() {
		for _, g := range j.named[s] {
			if g.unread() && !unseen[strings.ToLower(g.ref.Kind)+"s"] {
				lost[g.ref] = append(lost[g.ref], g)
			}
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(lost), func(a, b ref.Ref) int { return strings.Compare(a.ID(), b.ID()) }) {
		gaps = append(gaps, collect.Gap{Cluster: f.Cluster.Name, Source: "judge", What: "permissions by " + r.String(),
			Why:         whyLost(f, r) + ", and " + lost[r][0].binding.String() + " binds it",
			Consequence: holdersOf(lost[r]) + " may hold permissions that are not shown.", Kinds: []string{"Permission", "HOLDS"}})
	}
	return gaps
}

func whyLost(f *collect.Facts, r ref.Ref) string {
	if _, seen := f.ClusterRoles[collect.KeyOf(r)]; seen { // a Role has a namespace, so this is none
		return "it gathers the rules of other roles, and none that it selects was seen, or they select too many others"
	}
	return "it was not seen"
}

// holdersOf names whom some grants are for: "User alice and 2 more".
func holdersOf(grants []grant) string {
	var names []string
	for _, g := range grants {
		if name := g.as.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if more := len(names) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", names[0], more)
	}
	return names[0]
}
