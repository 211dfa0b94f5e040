package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
)

// imageOf gathers a row. The state is of now; the graph may be a moment behind.
func imageOf(n graph.Node, states map[string]assess.Image, w *scope.World) ImageRow {
	row := ImageRow{Id: n.ID(), Name: cmp.Or(n.Text("name"), n.ID()), Registry: n.Text("registry"), Repository: n.Text("repository"),
		Tags: list(n.Value("tags").List()), Distribution: text(n.Text("distribution")),
		State: ScanState(cmp.Or(n.Text("scan"), "unknown")), Error: text(n.Text("scanError")), Partly: n.Value("partly").Bool(),
		ScannedAt: timeOf(n.Value("scannedAt")),
		Pods:      len(w.Pods(n.ID())), Severity: text(n.Text("severity")), Criticals: integer(n.Value("criticals")),
		Highs: integer(n.Value("highs")), Vulnerabilities: integer(n.Value("vulnerabilities")), Packages: integer(n.Value("packages")),
		Rce: boolean(n.Value("rce")), Exploited: boolean(n.Value("exploited")), ToldBy: text(n.Text("toldBy")),
		ToldAt: timeOf(n.Value("toldAt"))}
	if row.Partly && severity.Rank(n.Text("severity")) == severity.Rank("None") {
		row.Severity = nil // none in what was read
	}
	row.Running = row.Pods > 0 || n.Value("running").Bool()
	if st, known := states[row.Id]; known && ScanState(st.State) != Done {
		row.State, row.Error = ScanState(st.State), text(st.Why)
	}
	return row
}

// imageRows lists every image, worst first, those of which nothing is known, or
// not all, before those that are clean.
func (s session) imageRows(w *scope.World) []ImageRow {
	states := s.Images()
	var rows []ImageRow
	for n := range w.View.Nodes("Image") {
		rows = append(rows, imageOf(n, states, w))
	}
	worst := func(i ImageRow) int {
		if i.Severity == nil {
			return severity.Rank("Low")
		}
		return severity.Rank(*i.Severity)
	}
	slices.SortStableFunc(rows, func(a, b ImageRow) int {
		return cmp.Or(cmp.Compare(worst(b), worst(a)), compareBool(a.Running, b.Running), cmp.Compare(deref(b.Criticals), deref(a.Criticals)),
			cmp.Compare(deref(b.Highs), deref(a.Highs)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Id, b.Id))
	})
	return rows
}

// ListImages implements StrictServerInterface.
func (s session) ListImages(_ context.Context, r ListImagesRequestObject) (ListImagesResponseObject, error) {
	w := s.World
	q := r.Params
	var rows []ImageRow
	for _, row := range s.imageRows(w) {
		fits := (q.State == nil || row.State == *q.State) && (q.Running == nil || row.Running == *q.Running) &&
			(q.Severity == nil || row.Severity != nil && severity.Compare(*row.Severity, *q.Severity) >= 0) &&
			(q.Q == nil || strings.Contains(strings.ToLower(row.Name+" "+row.Id), strings.ToLower(*q.Q))) &&
			(q.Cluster == nil || slices.ContainsFunc(w.Pods(row.Id), func(p graph.Node) bool { return p.Cluster() == *q.Cluster }))
		if fits {
			rows = append(rows, row)
		}
	}
	out := ImageList{Total: len(rows), Counts: s.imageCounts(), AsOf: w.AsOf()}
	var err error
	out.Items, out.Next, err = page(rows, q.Cursor, q.Limit, func(i ImageRow) string { return i.Id })
	if err != nil {
		return nil, err
	}
	return ListImages200JSONResponse(out), nil
}

// GetImage implements StrictServerInterface.
func (s session) GetImage(ctx context.Context, r GetImageRequestObject) (GetImageResponseObject, error) {
	w := s.World
	n, there := w.View.Node("Image", r.Params.Id)
	if !there {
		return nil, missing(fmt.Sprintf("no image %s", r.Params.Id))
	}
	paths := rowsWhere(w, func(l scope.Life) bool { return l.Has(r.Params.Id) })
	out := ImagePage{Row: imageOf(n, s.Images(), w), Platform: text(n.Text("platform")), Packages: []ImagePackage{},
		Findings: []Finding{}, Layers: []ImageLayer{}, Pods: []Ref{}, Paths: paths, Gaps: list(s.ImageGaps(ctx, r.Params.Id))}
	accepts := s.accepts(ctx)
	for e := range n.Out("HAS_VULNERABILITY") {
		out.Findings = append(out.Findings, accepts.finding(e))
	}
	out.Dismissed = dismissedIn(n)
	slices.SortFunc(out.Findings, func(a, b Finding) int {
		return cmp.Or(severity.Compare(b.Severity, a.Severity), cmp.Compare(a.Vulnerability.Id, b.Vulnerability.Id),
			cmp.Compare(a.Package, b.Package))
	})
	out.Secrets = secretsIn(n)
	pods, _ := podsOf(w, []graph.Node{n})
	for _, p := range pods {
		out.Pods = append(out.Pods, refOf(p))
	}
	if err := s.inside(ctx, r.Params.Id, &out); err != nil {
		return nil, err
	}
	return GetImage200JSONResponse(out), nil
}

// secretsIn are the secrets that people left in an image: those first that are nobody else's business.
func secretsIn(n graph.Node) []SecretInImage {
	out := []SecretInImage{}
	for e := range n.Out("HAS_SECRET") {
		images := map[string]bool{}
		for in := range e.To.In("HAS_SECRET") {
			images[in.From.ID()] = true
		}
		out = append(out, SecretInImage{Secret: refOf(e.To), Kind: e.To.Text("what"), File: e.Value("file").Str(), Layer: text(e.Value("layer").Str()),
			Removed: e.Value("removed").Bool(), Published: e.Value("published").Bool(), Images: new(len(images))})
	}
	slices.SortFunc(out, func(a, b SecretInImage) int {
		return cmp.Or(-compareBool(a.Published, b.Published), cmp.Compare(a.File, b.File), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

// dismissedIn is what advisories find in an image and what does not count, worst first.
func dismissedIn(image graph.Node) []Dismissed {
	out := []Dismissed{}
	for e := range image.Out("NOT_AFFECTED_BY") {
		name, _, _ := strings.Cut(e.Value("package").Str(), " ")
		out = append(out, Dismissed{Vulnerability: refOf(e.To), Title: text(e.To.Text("title")),
			Severity: cmp.Or(e.To.Text("severity"), "Unknown"),
			Package:  name, Installed: e.Value("installed").Str(), Reason: e.Value("reason").Str()})
	}
	slices.SortFunc(out, func(a, b Dismissed) int {
		return cmp.Or(severity.Compare(b.Severity, a.Severity), cmp.Compare(a.Vulnerability.Id, b.Vulnerability.Id),
			cmp.Compare(a.Package, b.Package), cmp.Compare(a.Installed, b.Installed))
	})
	return out
}

// inside adds layers and packages, as they were read.
func (s session) inside(ctx context.Context, id string, out *ImagePage) error {
	inv, err := s.Inventory(ctx, id)
	if inv == nil || err != nil {
		return err
	}
	for _, l := range inv.Layers {
		out.Layers = append(out.Layers, ImageLayer{Command: text(l.Command), Digest: l.Digest, Packages: l.Packages})
	}
	worst, count := map[string]string{}, map[string]int{}
	for _, f := range out.Findings {
		key := f.Package + " " + f.Installed
		count[key]++
		if severity.Compare(f.Severity, worst[key]) > 0 {
			worst[key] = f.Severity
		}
	}
	for _, p := range inv.Packages {
		key := p.Name + " " + p.Version
		out.Packages = append(out.Packages,
			ImagePackage{Id: p.PURL, Name: p.Name, Version: p.Version, Source: text(p.Source), Layer: text(p.Layer),
				File: text(p.Database), OwnedBy: text(p.OwnedBy), Wanted: new(p.Wanted),
				Files: new(len(p.Files)), Vulnerabilities: count[key], Severity: text(worst[key])})
	}
	return nil
}
