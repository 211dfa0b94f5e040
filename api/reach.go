package api

import (
	"cmp"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
)

// podsOf is the pods that run any of the images, each once, and how many of them
// are exposed to the internet.
func podsOf(w *scope.World, images []graph.Node) (pods []graph.Node, exposed int) {
	seen := map[graph.Node]bool{}
	for _, i := range images {
		for _, p := range w.Pods(i.ID()) {
			if !seen[p] {
				seen[p] = true
				pods = append(pods, p)
				if p.Value("exposed").Bool() {
					exposed++
				}
			}
		}
	}
	slices.SortFunc(pods, func(a, b graph.Node) int { return cmp.Compare(a.ID(), b.ID()) })
	return pods, exposed
}
