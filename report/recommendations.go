package report

import (
	"cmp"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Recommendations is the document of what to do about vulnerabilities, what
// matters most first.
type Recommendations struct {
	analyse.Advice
	Gaps []collect.Gap `json:"gaps"`
}

// Recommended groups what images have by the update that fixes it.
func Recommended(w *scope.World) Recommendations {
	var paths []analyse.Path
	for _, c := range w.Ordered() {
		paths = append(paths, c.Paths...)
	}
	return Recommendations{analyse.Recommend(w.View, paths, newer), append([]collect.Gap{}, w.Gaps()...)}
}

// newer orders versions as their ecosystem does; those it cannot read as text.
func newer(ecosystem, a, b string) int {
	if n, err := vuln.Compare(ecosystem, a, b); err == nil {
		return n
	}
	return cmp.Compare(a, b)
}
