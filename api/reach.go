package api

import (
	"slices"
	"sync"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
)

// reach is which images have a vulnerability and which pods run an image: what
// lists count. It is worked out once for a world.
type reach struct {
	pods map[string][]graph.Node // by image id, sorted by id
}

type reachCache struct {
	mu      sync.Mutex
	version uint64
	reach   *reach
}

func (c *reachCache) of(w *live.World) *reach {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reach != nil && c.version == w.Version {
		return c.reach
	}
	r := &reach{pods: map[string][]graph.Node{}}
	for image := range w.View.Nodes("Image") {
		seen := map[graph.Node]bool{}
		var pods []graph.Node
		for use := range image.In("USES_IMAGE") {
			for run := range use.From.In("RUNS") {
				if !seen[run.From] {
					seen[run.From] = true
					pods = append(pods, run.From)
				}
			}
		}
		if len(pods) > 0 {
			r.pods[image.ID()] = pods
		}
	}
	c.version, c.reach = w.Version, r
	return r
}

// podsOf is the pods that run any of the images, each once, and how many of them
// are exposed to the internet.
func (r *reach) podsOf(images []graph.Node) (pods []graph.Node, exposed int) {
	seen := map[graph.Node]bool{}
	for _, i := range images {
		for _, p := range r.pods[i.ID()] {
			if !seen[p] {
				seen[p] = true
				pods = append(pods, p)
				if p.Value("exposed").Bool() {
					exposed++
				}
			}
		}
	}
	slices.SortFunc(pods, func(a, b graph.Node) int { return compareText(a.ID(), b.ID()) })
	return pods, exposed
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
