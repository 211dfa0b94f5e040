package analyse

import (
	"cmp"
	"slices"
	"strings"
)

// Difference is what a change makes of attack paths.
type Difference struct {
	// Opened are the paths that the change makes, Closed those it ends.
	Opened []Path `json:"opened"`
	Closed []Path `json:"closed"`
	// Changed are paths that stay with another risk.
	Changed []Changed `json:"changed"`
	// Hidden are paths that are no longer found and not known to be gone.
	Hidden []Hidden `json:"hidden"`
	// Kept counts the paths that stay, those with another risk among them.
	Kept int `json:"kept"`
}

// Changed is a path as it is after the change, and what its risk was before.
type Changed struct {
	Path       Path   `json:"path"`
	BeforeRisk string `json:"beforeRisk"`
}

// Hidden is a path as it was, and why it must not be called closed.
type Hidden struct {
	Path Path   `json:"path"`
	Why  string `json:"why"`
}

// Compare says what a change makes of paths. hold tells why a path that is no longer
// found is out of sight rather than gone: see Hold.
func Compare(before, after []Path, hold func(*Path) string) Difference {
	out := Difference{Opened: []Path{}, Closed: []Path{}, Changed: []Changed{}, Hidden: []Hidden{}}
	was, is := map[string]*Path{}, map[string]bool{}
	for i := range before {
		was[before[i].key()] = &before[i]
	}
	for _, p := range after {
		is[p.key()] = true
		old := was[p.key()]
		switch {
		case old == nil:
			out.Opened = append(out.Opened, p)
			continue
		case old.Risk != p.Risk:
			out.Changed = append(out.Changed, Changed{p, old.Risk})
		}
		out.Kept++
	}
	for _, p := range before {
		if is[p.key()] {
			continue
		}
		if why := hold(&p); why != "" {
			out.Hidden = append(out.Hidden, Hidden{p, why})
		} else {
			out.Closed = append(out.Closed, p)
		}
	}
	slices.SortStableFunc(out.Opened, worstFirst)
	slices.SortStableFunc(out.Closed, worstFirst)
	slices.SortStableFunc(out.Changed, func(a, b Changed) int { return worstFirst(a.Path, b.Path) })
	slices.SortStableFunc(out.Hidden, func(a, b Hidden) int { return worstFirst(a.Path, b.Path) })
	return out
}

func (p *Path) key() string { return p.Cluster + " " + p.ID }

func worstFirst(a, b Path) int {
	return cmp.Or(cmp.Compare(b.RiskScore, a.RiskScore), strings.Compare(a.Title, b.Title), strings.Compare(a.key(), b.key()))
}
