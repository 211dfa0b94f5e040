package report

import (
	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/scope"
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
	return Recommendations{analyse.Recommend(w.View, paths), append([]collect.Gap{}, w.Gaps()...)}
}
