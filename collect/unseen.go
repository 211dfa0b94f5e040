package collect

import "strings"

// Unseen says whether objects of a resource ("services", "roles") may be
// missing from the Facts, and the gap that says why.
func (f *Facts) Unseen(resource string) (Gap, bool) {
	for _, g := range f.Gaps {
		if g.What == resource || strings.HasPrefix(g.What, resource+".") {
			return g, true
		}
	}
	return Gap{}, false
}
