package analyse

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// unseen names the gaps of the facts themselves, sorted: those of judges only
// repeat what the facts lack.
func unseen(gaps []collect.Gap) (out []string) {
	for _, g := range gaps {
		if fromFacts(g) {
			out = merged(out, []string{gapID(g)})
		}
	}
	slices.Sort(out)
	return out
}

func fromFacts(g collect.Gap) bool {
	return g.Source == "api" || g.Source == "file" || g.Source == "source"
}

func gapID(g collect.Gap) string { return g.Source + ": " + g.What }

// Hold judges paths of a cluster that are no longer found: it says why one must
// not be called resolved, or "" if it is really gone. A path is out of sight,
// rather than gone, if something it depends on became unreadable, if its
// workload wants pods and has none (a rollout), or if what its workload runs now
// was not scanned. The func takes the path as it was
// last found.
func Hold(view *graph.View, gaps []collect.Gap) func(*Path) string {
	return func(p *Path) string {
		for _, g := range gaps {
			if fromFacts(g) && !slices.Contains(p.Unseen, gapID(g)) && touches(g, p.DependsOn) {
				return fmt.Sprintf("%s cannot be read: %s", g.What, g.Why)
			}
		}
		for _, id := range p.Owners {
			why := missing(view, id)
			if p.EntryClass != Possible { // that one is there because nobody read the image, and not gone for it
				why = cmp.Or(unassessed(view, id), why)
			}
			if why != "" {
				return why
			}
		}
		for _, id := range p.Carriers {
			if why := missing(view, id); why != "" {
				return why
			}
		}
		return ""
	}
}

// touches says whether a gap concerns any of the kinds; one that names none
// concerns all.
func touches(g collect.Gap, kinds []string) bool {
	return len(g.Kinds) == 0 || slices.ContainsFunc(g.Kinds, func(k string) bool { return slices.Contains(kinds, k) })
}

// workload finds a workload by its stable id.
func workload(view *graph.View, id string) (graph.Node, bool) {
	r, _, _ := ref.Parse(id)
	return view.Node(r.Kind, id)
}

// pods of a workload that have not finished.
func pods(w graph.Node) (out []graph.Node) {
	for e := range w.Out("OWNS") {
		if e.To.Kind() == "Pod" && !finished(e.To) {
			out = append(out, e.To)
		}
	}
	return out
}

// missing says that a workload wants pods and has none.
func missing(view *graph.View, id string) string {
	w, there := workload(view, id)
	if !there || w.Value("replicas").Int() == 0 || len(pods(w)) > 0 {
		return ""
	}
	return fmt.Sprintf("%s wants %s and has none at the moment", nameOf(w), plural(int(w.Value("replicas").Int()), "pod"))
}

// unassessed says that a workload runs an image that was not scanned.
func unassessed(view *graph.View, id string) string {
	w, there := workload(view, id)
	if !there {
		return ""
	}
	for _, p := range pods(w) {
		for c := range p.Out("RUNS") {
			for i := range c.To.Out("USES_IMAGE") {
				if !i.To.Value("scanned").Bool() {
					return fmt.Sprintf("image %s of %s was not scanned", cmp.Or(i.To.Text("name"), i.To.ID()), nameOf(w))
				}
			}
		}
	}
	return ""
}

func finished(pod graph.Node) bool {
	phase := pod.Text("phase")
	return phase == "Succeeded" || phase == "Failed"
}
