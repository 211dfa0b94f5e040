package api

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/schema"
)

const hits = 30

// vulnerabilityID is what people ask about although nothing here has it: what is not found in what was read is an answer, too.
var vulnerabilityID = regexp.MustCompile(`^(?i:cve-\d{4}-\d{4,19}|ghsa(-[0-9a-z]{4}){3}|[a-z]{2,20}-\d{4}[-:]\d{1,19})$`)

// alsoSearched are properties beside name and id that people know things by.
var alsoSearched = map[string][]string{
	"Image": {"digest", "tags"}, "Vulnerability": {"aliases", "title"}, "Pod": {"ip", "workload"}, "Node": {"addresses"},
	"Service": {"addresses"}, "Ingress": {"hosts"}, "Package": {"version"},
}

// skipped kinds are found through others and would drown them.
var unsearched = map[string]bool{"Container": true, "Permission": true}

// Search implements StrictServerInterface.
func (s session) Search(ctx context.Context, r SearchRequestObject) (SearchResponseObject, error) {
	words := strings.ToLower(strings.TrimSpace(r.Params.Q))
	out := []Hit{}
	if words == "" {
		return Search200JSONResponse(out), nil
	}
	type scored struct {
		hit   Hit
		score int
	}
	var all []scored
	view := s.View
	for _, k := range schema.Kinds() {
		if unsearched[k.Name] {
			continue
		}
		for n := range view.Nodes(k.Name) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if score, by := match(n, k.Name, words); score > 0 {
				all = append(all, scored{Hit{Ref: refOf(n), KindLabel: k.Label, Matched: text(by)}, score})
			}
		}
	}
	if vulnerabilityID.MatchString(words) && !slices.ContainsFunc(all, func(a scored) bool {
		return a.hit.Ref.Kind == "Vulnerability" && strings.EqualFold(cmp.Or(deref(a.hit.Matched), a.hit.Ref.Id), words)
	}) {
		id := report.NormalID(r.Params.Q)
		all = append(all, scored{Hit{Ref: Ref{Kind: "Vulnerability", Id: id, Name: id}, KindLabel: "Vulnerability",
			Matched: new("am I affected?")}, 100})
	}
	people, err := s.peopleInAlerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		if _, there := view.Node(p.Kind, p.Id); !there {
			if score := closeness(p.Name, words); score > 0 {
				all = append(all, scored{Hit{Ref: p, KindLabel: "User", Matched: new("named by alerts")}, score})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(len(a.hit.Ref.Name), len(b.hit.Ref.Name)),
			cmp.Compare(a.hit.Ref.Id, b.hit.Ref.Id))
	})
	for _, a := range all[:min(len(all), hits)] {
		out = append(out, a.hit)
	}
	return Search200JSONResponse(out), nil
}

// match scores a node: exact names first, then beginnings, then parts.
func match(n graph.Node, kind, words string) (score int, by string) {
	for _, s := range []string{n.Text("name"), n.ID()} {
		if sc := closeness(s, words); sc > score {
			score = sc
		}
	}
	if score > 0 {
		return score, ""
	}
	for _, prop := range alsoSearched[kind] {
		v := n.Value(prop)
		for _, s := range append(v.List(), v.Str()) {
			if sc := closeness(s, words) / 2; sc > score {
				score, by = sc, s
			}
		}
	}
	return score, by
}

// hasWords says whether each of the words is part of one of the texts, in any case.
func hasWords(words string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, " "))
	return !slices.ContainsFunc(strings.Fields(strings.ToLower(words)), func(w string) bool { return !strings.Contains(all, w) })
}

func closeness(s, words string) int {
	s = strings.ToLower(s)
	switch {
	case s == "":
		return 0
	case s == words:
		return 100
	case strings.HasPrefix(s, words):
		return 50
	case strings.Contains(s, words):
		return 20
	}
	return 0
}
