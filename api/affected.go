package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/vuln"
)

// Bounds on a page of one vulnerability: the rest is what the lists and questions beside it tell.
const (
	mostFindings = 1000
	mostPlaces   = 1000
	longestID    = 200
)

var errNoID = errors.New("want the id of a vulnerability or advisory, such as CVE-2022-3602")

// affected answers whether a vulnerability is in what the asker sees.
func (s session) affected(accepts *accepted, id string) (*report.Affected, error) {
	if len(id) > longestID || strings.TrimSpace(id) == "" {
		return nil, asked{errNoID}
	}
	return report.AffectedBy(s.World, id, report.Besides{Known: s.knownOf, Accepted: accepts.of, Advice: advice(s.World),
		Gaps: s.gaps(s.World)})
}

// knownOf is what the imported advisories say of an id.
func (s session) knownOf(id string) (vuln.Match, bool, error) {
	db := s.advisories()
	if db == nil {
		return vuln.Match{}, false, nil
	}
	return db.Vulnerability(id)
}

// vulnerabilityReport is that answer as the command line prints it.
func (s session) vulnerabilityReport(w http.ResponseWriter, r *http.Request) {
	out, err := s.affected(s.accepts(r.Context()), r.URL.Query().Get("id"))
	if err != nil {
		failed(s.log, w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.log.Warn("report", "error", err) // the head of the answer is gone already
	}
}

// GetVulnerability implements StrictServerInterface.
func (s session) GetVulnerability(ctx context.Context, r GetVulnerabilityRequestObject) (GetVulnerabilityResponseObject, error) {
	w := s.World
	accepts := s.accepts(ctx)
	answer, err := s.affected(accepts, r.Params.Id)
	if err != nil {
		return nil, err
	}
	answer.Gaps = []collect.Gap{} // they are told beside every page
	answer.Where = answer.Where[:min(len(answer.Where), mostPlaces)]
	out := VulnerabilityPage{Answer: *answer, Aliases: answer.Aliases, Advisories: []string{}, Cwes: []string{}, References: []string{},
		SeveritySource: answer.SeveritySource, Summary: answer.Title, Findings: []Finding{}, OnNodes: []NodeFinding{},
		Paths: rowsWhere(w, func(l scope.Life) bool { return opensBy(l, answer.ID) })}
	m, known, err := s.knownOf(answer.ID)
	if err != nil {
		return nil, err
	}
	if known {
		out.References, out.RceWhy, out.Summary, out.Details = list(m.References), m.RCEWhy, m.Summary, m.Details
		out.ImpactWhy, out.Cwes = m.ImpactWhy, list(m.CWEs)
	}
	n, there := w.View.Node("Vulnerability", answer.ID)
	if !there {
		out.Row = VulnerabilityRow{Id: answer.ID, Title: answer.Title, Severity: answer.Severity, Packages: []string{}, Rce: answer.RCE,
			Kev: answer.KEV, Impact: answer.Impact, Cvss: narrow(answer.CVSS), Epss: narrow(answer.EPSS)}
		return GetVulnerability200JSONResponse(out), nil
	}
	f := vulnerabilityOf(n, w)
	out.Row = f.row
	out.Row.Paths = len(out.Paths)
	out.Cwes, out.CvssVector = list(n.Value("cwes").List()), text(n.Text("cvssVector"))
	out.Published, out.Modified = timeOf(n.Value("published")), timeOf(n.Value("modified"))
	out.found(n, accepts, w)
	return GetVulnerability200JSONResponse(out), nil
}

func narrow(f *float64) *float32 {
	if f == nil {
		return nil
	}
	return new(float32(*f))
}

// found tells where a vulnerability was found: the advisories, the images, the nodes.
func (p *VulnerabilityPage) found(n graph.Node, accepts *accepted, w *scope.World) {
	for e := range n.In("AFFECTED_BY") {
		p.Advisories = append(p.Advisories, strings.Split(e.Value("advisory").Str(), ", ")...)
	}
	for e := range n.In("NODE_HAS_VULNERABILITY") {
		if said := e.Value("advisory").Str(); said != "" {
			p.Advisories = append(p.Advisories, strings.Split(said, ", ")...)
		}
		p.OnNodes = append(p.OnNodes, nodeFindingOf(e))
	}
	slices.SortFunc(p.OnNodes, func(a, b NodeFinding) int {
		return cmp.Or(cmp.Compare(a.Node.Id, b.Node.Id), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Package, b.Package))
	})
	slices.Sort(p.Advisories)
	p.Advisories = slices.Compact(p.Advisories)
	edges := slices.Collect(n.In("HAS_VULNERABILITY"))
	p.FindingsTotal = len(edges)
	slices.SortStableFunc(edges, func(a, b graph.Edge) int {
		return cmp.Or(compareBool(len(w.Pods(a.From.ID())) > 0, len(w.Pods(b.From.ID())) > 0),
			cmp.Compare(a.From.Text("name"), b.From.Text("name")), cmp.Compare(a.Value("package").Str(), b.Value("package").Str()))
	})
	for _, e := range edges[:min(len(edges), mostFindings)] {
		p.Findings = append(p.Findings, accepts.finding(e))
	}
}

// nodeFindingOf tells a NODE_HAS_VULNERABILITY edge.
func nodeFindingOf(e graph.Edge) NodeFinding {
	name, version, _ := strings.Cut(e.Value("package").Str(), " ")
	return NodeFinding{Node: refOf(e.From), Part: e.Value("part").Str(), Package: name, Installed: version,
		Fixed: text(e.Value("fixed").Str()), Severity: cmp.Or(e.Value("severity").Str(), "Unknown")}
}
