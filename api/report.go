package api

import (
	"encoding/json"
	"net/http"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/report"
)

// report serves the documents of the command line.
func (s session) report(w http.ResponseWriter, r *http.Request) {
	switch r.PathValue("name") {
	case "image":
		s.imageReport(w, r)
		return
	case "vulnerability":
		s.vulnerabilityReport(w, r)
		return
	}
	world := s.World
	w.Header().Set("Content-Type", "application/json")
	var err error
	switch name := r.PathValue("name"); name {
	case "graph":
		err = report.Graph(w, world, s.gaps(world), r.URL.Query().Get("lines") == "true")
	case "paths":
		var paths report.Paths
		if what := r.URL.Query().Get("assume"); what != "" {
			if err = s.room(r.Context(), s.largest()...); err == nil {
				paths, err = report.AssumedPaths(r.Context(), world, what)
			}
		} else {
			paths, err = report.AttackPaths(r.Context(), world)
		}
		if err != nil {
			failed(s.log, w, r, err)
			return
		}
		err = json.NewEncoder(w).Encode(paths)
	case "recommendations":
		err = json.NewEncoder(w).Encode(advice(world))
	case "exposure":
		all := report.Exposures{Exposures: []report.Exposure{}, Connections: []report.Connection{}, Gaps: []collect.Gap{}}
		for _, c := range world.Ordered() {
			if !world.Whole(c.Name) {
				all.Gaps = append(all.Gaps, collect.Gap{Cluster: c.Name, Source: "scope", What: "exposure",
					Why:         "only some namespaces are in your scope",
					Consequence: "This report is of whole clusters; the graph says which of your pods are exposed."})
				continue
			}
			if err := s.Facts(r.Context(), c.Name, func(f *collect.Facts) { all = all.Add(report.Exposed(f)) }); err != nil {
				return
			}
		}
		err = json.NewEncoder(w).Encode(all)
	default:
		problem(w, http.StatusNotFound, "no such report", name)
		return
	}
	if err != nil {
		s.log.Warn("report", "error", err) // the head of the answer is gone already
	}
}

// reportQuery answers a question of the command line as the query engine does.
func (s session) reportQuery(w http.ResponseWriter, r *http.Request) {
	var body Question
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		unread(w, r, err)
		return
	}
	q, problems, err := s.question(&body)
	if err == nil && len(problems) > 0 {
		err = asked{&problems[0]}
	}
	if err != nil {
		failed(s.log, w, r, err)
		return
	}
	o := s.options(r.Context(), body.Skip, nil)
	o.Limit = query.AllRows
	if body.Limit != nil && *body.Limit > 0 {
		o.Limit = *body.Limit
	}
	res, err := query.Run(r.Context(), s.View, s.Scope(), q, o)
	if err != nil {
		failed(s.log, w, r, err)
		return
	}
	res.Gaps = report.Beside(res, s.gaps(s.World)).Gaps
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(res) // the asker left
}
