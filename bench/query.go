// Package bench measures what the design promises, on estates of any size.
package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/query"
)

// QueryCase is a query and the plainest program that answers it: nested loops
// over the same view, one node at a time.
type QueryCase struct {
	Name, Text string
	Plain      func(v *graph.View) (rows int64)
}

// QueryCases are the two queries that are measured: a selective hunt over three
// edges, and a count over all vulnerabilities of a severity.
var QueryCases = []QueryCase{
	{Name: "hunt, 3 hops", Plain: plainHunt, Text: `
MATCH (i:Image)
MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.id CONTAINS '3889' AND v.severity >= 'High'
MATCH (i)<-[:USES_IMAGE]-(c:Container)
MATCH (c)<-[:RUNS]-(p:Pod) WHERE p.exposed
RETURN i, v, c, p`},
	{Name: "critical CVEs by running images", Plain: plainCount, Text: `
MATCH (v:Vulnerability) WHERE v.severity >= 'Critical'
MATCH (v)<-[:HAS_VULNERABILITY]-(i:Image) WHERE EXISTS { (i)<-[:USES_IMAGE]-(c:Container) }
RETURN v, count(DISTINCT i) AS images ORDER BY images DESC`},
	{Name: "exposed pods with severe images, 3 hops", Plain: plainPods, Text: `
MATCH (p:Pod) WHERE p.exposed
MATCH (p)-[:RUNS]->(c:Container) WHERE c.privileged
MATCH (c)-[:USES_IMAGE]->(i:Image) WHERE i.severity >= 'High'
MATCH (i)-[:HAS_VULNERABILITY]->(v:Vulnerability) WHERE v.severity >= 'High' AND v.kev
RETURN p, i, v ORDER BY v.severity DESC`},
}

func plainHunt(v *graph.View) (rows int64) {
	for cve := range v.Nodes("Vulnerability") {
		if !strings.Contains(cve.ID(), "3889") || !high(cve) {
			continue
		}
		for has := range cve.In("HAS_VULNERABILITY") {
			for uses := range has.From.In("USES_IMAGE") {
				for runs := range uses.From.In("RUNS") {
					if runs.From.Value("exposed").Bool() {
						rows++
					}
				}
			}
		}
	}
	return rows
}

func high(n graph.Node) bool {
	s := n.Text("severity")
	return s == "High" || s == "Critical"
}

func plainCount(v *graph.View) (rows int64) {
	for cve := range v.Nodes("Vulnerability") {
		if cve.Text("severity") != "Critical" {
			continue
		}
		images := map[graph.Node]bool{}
		for has := range cve.In("HAS_VULNERABILITY") {
			for range has.From.In("USES_IMAGE") {
				images[has.From] = true
				break
			}
		}
		if len(images) > 0 {
			rows++
		}
	}
	return rows
}

func plainPods(v *graph.View) (rows int64) {
	for p := range v.Nodes("Pod") {
		if !p.Value("exposed").Bool() {
			continue
		}
		for runs := range p.Out("RUNS") {
			if !runs.To.Value("privileged").Bool() {
				continue
			}
			for uses := range runs.To.Out("USES_IMAGE") {
				if !high(uses.To) {
					continue
				}
				for has := range uses.To.Out("HAS_VULNERABILITY") {
					if high(has.To) && has.To.Value("kev").Bool() {
						rows++
					}
				}
			}
		}
	}
	return rows
}

// QueryResult is what one case took.
type QueryResult struct {
	Name          string
	Total         int64
	P50, P95, Max time.Duration
	CPU           time.Duration // of the process, per run: other work on the machine does not count
	Plain         time.Duration // one run of the plain program
	Runs          int
}

func (r QueryResult) String() string {
	return fmt.Sprintf("%-42s %9d rows  p50 %8s  p95 %8s  max %8s  cpu %8s  plain loops %9s (%.0f×)", r.Name, r.Total,
		r.P50.Round(10*time.Microsecond), r.P95.Round(10*time.Microsecond), r.Max.Round(10*time.Microsecond),
		r.CPU.Round(10*time.Microsecond), r.Plain.Round(10*time.Microsecond), float64(r.Plain)/float64(r.P50))
}

// MeasureQueries runs each case a number of times, as the Explorer does: one
// page of rows, the exact total, and the gaps.
func MeasureQueries(ctx context.Context, v *graph.View, runs int) ([]QueryResult, error) {
	var out []QueryResult
	for _, c := range QueryCases {
		r, err := measureQuery(ctx, v, c, runs)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", c.Name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func measureQuery(ctx context.Context, v *graph.View, c QueryCase, runs int) (QueryResult, error) {
	q, err := query.Parse(c.Text)
	if err != nil {
		return QueryResult{}, err
	}
	r := QueryResult{Name: c.Name, Runs: runs}
	took := make([]time.Duration, runs)
	cpu := cpuTime()
	for n := range runs {
		begin := time.Now()
		res, err := query.Run(ctx, v, graph.Everything, q, query.Options{Limit: 100})
		if err != nil {
			return r, err
		}
		took[n], r.Total = time.Since(begin), res.Total
	}
	r.CPU = (cpuTime() - cpu) / time.Duration(runs)
	slices.Sort(took)
	r.P50, r.P95, r.Max = took[runs/2], took[min(runs-1, runs*95/100)], took[runs-1]
	begin := time.Now()
	if plain := c.Plain(v); plain != r.Total {
		return r, fmt.Errorf("plain loops count %d rows, the engine %d", plain, r.Total)
	}
	r.Plain = time.Since(begin)
	return r, nil
}
