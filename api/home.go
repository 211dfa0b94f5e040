package api

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

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
	h.Counts = s.counts(critical, len(all))
	return GetHome200JSONResponse(h), nil
}

// counts are numbers over the graph, each with its denominator, what could not be
// looked at, and the page that lists what it counts.
func (s session) counts(critical, open int) []Count {
	v := s.View
	var images, workloads, known, admins tally
	for n := range v.Nodes("Image") {
		if n.Value("running").Bool() {
			images.add(n.Value("severe"))
		}
	}
	for _, k := range schema.Family("Workload") {
		workloads.each(v, k, "exposed")
	}
	known.each(v, "Vulnerability", "kev")
	admins.each(v, "ServiceAccount", "clusterAdmin")
	paths := tally{fit: critical, all: open}
	unread, none := unreadClusters(s.World)
	images.blind, workloads.blind, admins.blind = none, none, none
	unassessed, blind := restsOn(unread, images, workloads)
	paths.blind = none || blind
	known.blind = paths.blind
	c := s.imageCounts()
	return []Count{
		paths.count("Critical attack paths", "%d of %d open attack paths are critical.", "critical", "/paths?risk=critical", unassessed),
		workloads.count("Exposed workloads", "%d of %d workloads are reached from the internet.", "high",
			ask("MATCH (w:Workload)\nWHERE w.exposed\nRETURN w"), unread, "what can expose them was not all read"),
		images.count("Images with high severity", "%d of %d images that run have a vulnerability of high or critical severity.",
			"high", "/images?severity=High&running=true", unread, "they were not assessed, or not wholly"),
		known.count("Known exploited", "%d of %d vulnerabilities found are known to be exploited.", "critical",
			"/vulnerabilities?kev=true", unassessed, "no list of exploited vulnerabilities was imported"),
		admins.count("Cluster administrators", "%d of %d service accounts may do everything in their cluster.", "high",
			ask("MATCH (a:ServiceAccount)\nWHERE a.clusterAdmin\nRETURN a"), unread, "roles and bindings were not all read"),
		{Title: "Images never assessed", Count: new(c.Total - c.Done), Of: c.Total, Href: "/coverage",
			Sentence: fmt.Sprintf("%d of %d images were not assessed: what is in them is unknown.", c.Total-c.Done, c.Total)},
	}
}

// restsOn says what of that which paths and vulnerabilities rest on was not looked at, and whether
// that is all of it: without a workload there was nothing to look at.
func restsOn(unread []string, images, workloads tally) (said []string, all bool) {
	said = slices.Clone(unread)
	if images.unknown > 0 {
		said = append(said, fmt.Sprintf("%d of %d images that run were not assessed, or not wholly", images.unknown, images.all))
	}
	if workloads.all == 0 && len(unread) == 0 {
		said = append(said, "no workload was read")
	}
	return said, workloads.all == 0 || images.unknown > 0 && images.unknown == images.all
}

// unreadClusters says of how many clusters nothing is known yet, and whether that
// is all of them.
func unreadClusters(w *scope.World) (said []string, all bool) {
	unread := 0
	for _, c := range w.Ordered() {
		if c.AsOf.IsZero() {
			unread++
		}
	}
	if unread == 0 {
		return nil, false
	}
	return []string{fmt.Sprintf("%d of %d clusters were not read yet", unread, len(w.Clusters))}, unread == len(w.Clusters)
}

func ask(text string) string { return "/explorer?q=" + url.QueryEscape(text) }

// tally counts what fits among all, and those of which that is unknown.
type tally struct {
	fit, unknown, all int
	// blind says that nothing of what it rests on was looked at.
	blind bool
}

func (t *tally) add(v graph.Value) {
	t.all++
	switch {
	case v.IsNull():
		t.unknown++
	case v.Bool():
		t.fit++
	}
}

func (t *tally) each(v *graph.View, kind, prop string) {
	for n := range v.Nodes(kind) {
		t.add(n.Value(prop))
	}
}

// count is a tally as told: what could not be looked at is said with it, and where
// nothing was, there is no number.
func (t tally) count(title, sentence, severity, href string, unseen []string, why ...string) Count {
	unseen = slices.Clone(unseen)
	if t.unknown > 0 {
		unseen = append(unseen, fmt.Sprintf("unknown for %d of %d: %s", t.unknown, t.all, strings.Join(why, "; ")))
	}
	c := Count{Title: title, Count: &t.fit, Of: t.all, Sentence: fmt.Sprintf(sentence, t.fit, t.all), Severity: &severity, Href: href}
	if len(unseen) > 0 {
		c.Unknown = new(sentenceOf(strings.Join(unseen, "; ")))
	}
	if t.fit == 0 && (t.blind || t.unknown > 0 && t.unknown == t.all) {
		c.Count, c.Sentence, c.Unknown = nil, *c.Unknown, nil
	}
	return c
}

// sentenceOf is a phrase with a capital letter and a full stop.
func sentenceOf(phrase string) string { return strings.ToUpper(phrase[:1]) + phrase[1:] + "." }
