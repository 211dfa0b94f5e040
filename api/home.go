package api

import (
	"context"
	"fmt"
	"net/url"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/scope"
)

const worstPaths = 8

// GetHome implements StrictServerInterface.
func (s session) GetHome(_ context.Context, _ GetHomeRequestObject) (GetHomeResponseObject, error) {
	w := s.World
	h := Home{Worst: []PathRow{}, Choke: []analyse.ChokePoint{}, Clusters: clusterStates(w), Gaps: s.gaps(w)}
	var all []analyse.Path
	critical := 0
	for _, l := range w.Lives() {
		all = append(all, *l.Path.Path)
		if l.Risk == "critical" {
			critical++
		}
		if len(h.Worst) < worstPaths {
			h.Worst = append(h.Worst, rowOf(l))
		}
	}
	h.Choke = append(h.Choke, scope.ChokePoints(all)...)
	h.Choke = h.Choke[:min(len(h.Choke), 5)]
	h.Counts = append([]Count{{Title: "Critical attack paths", Count: critical, Of: len(all), Severity: new("critical"),
		Href: "/paths?risk=critical", Sentence: fmt.Sprintf("%d of %d open attack paths are critical.", critical, len(all))}},
		s.counts(w.View)...)
	return GetHome200JSONResponse(h), nil
}

// counts are numbers over the graph, each with its denominator and the page that
// lists what it counts.
func (s session) counts(v *graph.View) []Count {
	workloads := tally{}
	for _, k := range schema.Family("Workload") {
		workloads.add(v, k, func(n graph.Node) bool { return n.Value("exposed").Bool() })
	}
	images := tally{}
	images.add(v, "Image", func(n graph.Node) bool { return n.Value("running").Bool() && n.Value("severe").Bool() })
	known := tally{}
	known.add(v, "Vulnerability", func(n graph.Node) bool { return n.Value("kev").Bool() })
	admins := tally{}
	admins.add(v, "ServiceAccount", func(n graph.Node) bool { return n.Value("clusterAdmin").Bool() })
	c := s.imageCounts()
	return []Count{
		workloads.count("Exposed workloads", "%d of %d workloads are reached from the internet.", "high",
			ask("MATCH (w:Workload)\nWHERE w.exposed\nRETURN w")),
		images.count("Images with high severity", "%d of %d images run somewhere and have a vulnerability of high or critical severity.",
			"high", "/images?severity=High&running=true"),
		known.count("Known exploited", "%d of %d vulnerabilities found are known to be exploited.", "critical", "/vulnerabilities?kev=true"),
		admins.count("Cluster administrators", "%d of %d service accounts may do everything in their cluster.", "high",
			ask("MATCH (a:ServiceAccount)\nWHERE a.clusterAdmin\nRETURN a")),
		{Title: "Images never assessed", Count: c.Total - c.Done, Of: c.Total, Href: "/coverage",
			Sentence: fmt.Sprintf("%d of %d images were not assessed: what is in them is unknown.", c.Total-c.Done, c.Total)},
	}
}

func ask(text string) string { return "/explorer?text=" + url.QueryEscape(text) }

// tally counts nodes that fit among all of their kind.
type tally struct{ fit, all int }

func (t *tally) add(v *graph.View, kind string, fits func(graph.Node) bool) {
	for n := range v.Nodes(kind) {
		t.all++
		if fits(n) {
			t.fit++
		}
	}
}

func (t tally) count(title, sentence, severity, href string) Count {
	return Count{Title: title, Count: t.fit, Of: t.all, Sentence: fmt.Sprintf(sentence, t.fit, t.all), Severity: &severity, Href: href}
}
