package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
)

// LookedAt is how much of an estate an answer rests on.
type LookedAt struct {
	Clusters int `json:"clusters"`
	// Images = Complete + Partly + Unread.
	Images   int `json:"images"`
	Complete int `json:"complete"`
	Partly   int `json:"partly"`
	Unread   int `json:"unread"`
	// Nodes = Judged + NodesPartly + NodesUnjudged.
	Nodes         int `json:"nodes"`
	Judged        int `json:"nodesComplete"`
	NodesPartly   int `json:"nodesPartly"`
	NodesUnjudged int `json:"nodesUnread"`
	// Missing is what stood in the way, by how many images it is of; the rarer reasons are left out.
	Missing []Missing `json:"missing"`
}

// Missing is why images were not looked into, or not wholly.
type Missing struct {
	Why    string `json:"why"`
	Images int    `json:"images"`
}

// mostMissing is how many reasons are told.
const mostMissing = 8

func lookedAt(w *scope.World) LookedAt {
	return scope.Once(w, func() LookedAt {
		out := LookedAt{Clusters: len(w.Clusters), Missing: []Missing{}}
		reasons := map[string]int{}
		for n := range w.View.Nodes("Image") {
			out.Images++
			switch {
			case !n.Value("scanned").Bool():
				out.Unread++
			case n.Value("partly").Bool():
				out.Partly++
			default:
				out.Complete++
				continue
			}
			for _, why := range missingOf(n) {
				reasons[why]++
			}
		}
		for n := range w.View.Nodes("Node") {
			out.Nodes++
			switch {
			case !n.Value("assessed").Bool():
				out.NodesUnjudged++
			case n.Value("partly").Bool():
				out.NodesPartly++
			default:
				out.Judged++
			}
		}
		for _, why := range slices.SortedFunc(maps.Keys(reasons), func(x, y string) int {
			return cmp.Or(cmp.Compare(reasons[y], reasons[x]), cmp.Compare(x, y))
		}) {
			if len(out.Missing) < mostMissing {
				out.Missing = append(out.Missing, Missing{why, reasons[why]})
			}
		}
		return out
	})
}

// missingOf is what was not looked into of an image.
func missingOf(n graph.Node) []string {
	how, what, _ := strings.Cut(n.Text("completeness"), ": ")
	if how != "partial" {
		return []string{cmp.Or(what, n.Text("scanError"), "it was not looked at yet")}
	}
	return strings.Split(what, ", ")
}

// dismissals gathers what advisories find and what does not count.
func (a *Affected) dismissals(n graph.Node) {
	type key struct{ name, installed, reason string }
	images := map[key]map[string]bool{}
	for e := range n.In("NOT_AFFECTED_BY") {
		name, _, _ := strings.Cut(e.Value("package").Str(), " ")
		k := key{name, e.Value("installed").Str(), e.Value("reason").Str()}
		if images[k] == nil {
			images[k] = map[string]bool{}
		}
		images[k][cmp.Or(e.From.Text("name"), e.From.ID())] = true
	}
	for k, in := range images {
		examples := slices.Sorted(maps.Keys(in))
		a.NotAffected = append(a.NotAffected, NotAffected{Package: k.name, Installed: k.installed, Reason: k.reason, Images: len(in),
			Examples: examples[:min(len(examples), 3)]})
	}
	slices.SortFunc(a.NotAffected, func(x, y NotAffected) int {
		return cmp.Or(cmp.Compare(y.Images, x.Images), cmp.Compare(x.Package, y.Package), cmp.Compare(x.Installed, y.Installed),
			cmp.Compare(x.Reason, y.Reason))
	})
}

// decide says the answer, of what was looked at and of nothing else.
func (a *Affected) decide() {
	l := a.LookedAt
	unseen := l.Unread + l.Partly + l.NodesPartly + l.NodesUnjudged
	switch {
	case a.Images > a.Accepted || a.Nodes > 0:
		a.Verdict = IsAffected
	case a.Images > 0:
		a.Verdict = IsAccepted
	case !a.Known || l.Images+l.Nodes == 0:
		a.Verdict = IsUnknown
	case unseen > 0:
		a.Verdict = NotFound
	default:
		a.Verdict = IsNotAffected
	}
	a.Sentence = strings.Join(slices.DeleteFunc([]string{a.found(), a.reached(), a.mended(), a.left()}, func(s string) bool { return s == "" }), " ")
}

// found says where it is, or that it is not.
func (a *Affected) found() string {
	l := a.LookedAt
	read := l.Complete + l.Partly
	switch a.Verdict {
	case IsUnknown:
		if !a.Known {
			return fmt.Sprintf("Unknown: no advisory that was imported names %s, so that nothing could be looked for.", a.ID)
		}
		return "Unknown: no image and no node was seen."
	case NotFound, IsNotAffected:
		return fmt.Sprintf("Not found in %s and %s that were assessed.", counted(read, "image"), counted(l.Judged+l.NodesPartly, "node"))
	}
	s := fmt.Sprintf("Found in %s of %s that were assessed", number(a.Images), counted(read, "image"))
	if a.Accepted == a.Images && a.Images > 0 {
		s += ", all of it accepted by people"
	} else if a.Accepted > 0 {
		s += fmt.Sprintf(", in %s of them accepted by people", number(a.Accepted))
	}
	if a.Nodes > 0 {
		s += " and on " + counted(a.Nodes, "node")
	}
	return s + "."
}

// reached says what runs it and who reaches that.
func (a *Affected) reached() string {
	if a.Images == 0 {
		return ""
	}
	if a.Running == 0 {
		return "None of these images runs in what was seen."
	}
	s := fmt.Sprintf("%s of these images %s, in %s of %s; the internet reaches %s", number(a.Running), verb(a.Running, "runs", "run"),
		counted(a.Pods, "pod"), counted(len(a.Where), "workload"), number(a.Exposed))
	if a.Unclear > 0 {
		s += fmt.Sprintf(", for %s that is not known", number(a.Unclear))
	}
	return s + fmt.Sprintf(". It opens %s.", counted(len(a.Paths), "attack path"))
}

// mended says whether an update helps.
func (a *Affected) mended() string {
	fixed := 0
	for _, f := range a.Fixes {
		if f.Fixed != "" {
			fixed++
		}
	}
	switch {
	case len(a.Fixes) == 0:
		return ""
	case fixed == 0:
		return "There is no fix yet."
	case fixed == len(a.Fixes):
		return "There is a fix for each package that has it."
	}
	return fmt.Sprintf("There is a fix for %s of %s and versions that have it.", number(fixed), counted(len(a.Fixes), "package"))
}

// left says what may have it all the same.
func (a *Affected) left() string {
	l := a.LookedAt
	var parts []string
	for _, p := range []struct {
		n    int
		what string
		how  string
	}{{l.Unread, "image", "could not be read"}, {l.Partly, "image", verb(l.Partly, "was", "were") + " read in part"},
		{l.NodesUnjudged, "node", verb(l.NodesUnjudged, "was", "were") + " never held against advisories"},
		{l.NodesPartly, "node", verb(l.NodesPartly, "is", "are") + " known in part"}} {
		if p.n > 0 {
			parts = append(parts, counted(p.n, p.what)+" "+p.how)
		}
	}
	dismissed := ""
	if len(a.NotAffected) > 0 {
		dismissed = fmt.Sprintf("%s that advisories speak of %s not affected, each with its reason.", counted(len(a.NotAffected), "package"),
			verb(len(a.NotAffected), "is", "are"))
	}
	if len(parts) == 0 {
		return dismissed
	}
	if a.Verdict == IsUnknown {
		return dismissed
	}
	return strings.TrimSpace(dismissed + " What else may have it: " + strings.Join(parts, ", ") + ".")
}

// number is written as people read it: 4,812.
func number(n int) string {
	s := strconv.Itoa(n)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

func counted(n int, one string) string { return number(n) + " " + verb(n, one, one+"s") }

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
