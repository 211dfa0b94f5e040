package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
)

// advice is worked out once for a world.
func advice(w *scope.World) *report.Recommendations {
	return scope.Once(w, func() *report.Recommendations { return new(report.Recommended(w)) })
}

// updates are the recommendations of one demand, or of both, each update once.
func updates(all *report.Recommendations, about *About) []analyse.Recommendation {
	if about == nil {
		return all.Updates
	}
	return all.Only(analyse.About(*about)).Updates
}

func recommendationRow(r *analyse.Recommendation) RecommendationRow {
	row := RecommendationRow{Id: r.ID, About: []About{}, Title: r.Title, Severity: r.Severity, Package: r.Package,
		Ecosystem: r.Ecosystem, Installed: r.Installed, Fixed: r.Fixed, Vulnerabilities: len(r.Vulnerabilities), Exploited: r.Exploited,
		Rce: r.RCE, Images: len(r.Images), RunningImages: r.RunningImages,
		RegistryImages: r.RegistryImages, Pods: len(r.Pods), Workloads: len(r.Workloads), Exposed: r.Exposed, Paths: len(r.Paths)}
	for _, about := range r.Abouts() {
		row.About = append(row.About, About(about))
	}
	for _, p := range r.Paths {
		if p.Effect == analyse.Breaks {
			row.Breaks++
		}
	}
	return row
}

func adviceFits(r *analyse.Recommendation, v *graph.View, q ListRecommendationsParams) bool {
	flag := func(want *bool, have bool) bool { return want == nil || *want == have }
	return flag(q.Exposed, r.Exposed > 0) && flag(q.Paths, len(r.Paths) > 0) &&
		(q.Severity == nil || severity.Compare(r.Severity, *q.Severity) >= 0) &&
		(q.Image == nil || *q.Image == "" || slices.Contains(r.Images, *q.Image)) &&
		(q.Vulnerability == nil || *q.Vulnerability == "" || slices.Contains(r.Vulnerabilities, *q.Vulnerability)) &&
		(q.Cluster == nil || *q.Cluster == "" ||
			slices.ContainsFunc(r.Workloads, func(w string) bool { return strings.HasPrefix(w, *q.Cluster+"/") })) &&
		(q.Q == nil || adviceSays(r, v, *q.Q))
}

func adviceSays(r *analyse.Recommendation, v *graph.View, words string) bool {
	all := slices.Concat([]string{r.Title}, r.Packages, r.Vulnerabilities, r.Workloads)
	for _, id := range r.Images {
		if n, there := v.Node("Image", id); there {
			all = append(all, n.Text("name"))
		}
	}
	return hasWords(words, all...)
}

// ListRecommendations implements StrictServerInterface.
func (s session) ListRecommendations(_ context.Context, r ListRecommendationsRequestObject) (ListRecommendationsResponseObject, error) {
	w := s.World
	all := advice(w)
	out := RecommendationList{Groups: []RecommendationGroup{}, AsOf: w.AsOf(), Gaps: s.unseen()}
	for _, d := range all.Demands {
		if r.Params.About == nil || *r.Params.About == About(d.About) {
			out.Groups = append(out.Groups, RecommendationGroup{About: About(d.About), Title: d.Title, Why: d.Why, Images: d.Images,
				Affected: d.Affected, Clean: d.Clean, Unknown: d.Unknown, Vulnerabilities: d.Vulnerabilities, Unfixed: d.Unfixed, Updates: d.Updates})
		}
	}
	var rows []RecommendationRow
	found := updates(all, r.Params.About)
	for i := range found {
		if one := &found[i]; adviceFits(one, w.View, r.Params) {
			rows = append(rows, recommendationRow(one))
		}
	}
	out.Total, out.Of = len(rows), len(found)
	var err error
	out.Items, out.Next, err = page(rows, r.Params.Cursor, r.Params.Limit, func(r RecommendationRow) string { return r.Id })
	if err != nil {
		return nil, err
	}
	return ListRecommendations200JSONResponse(out), nil
}

// GetRecommendation implements StrictServerInterface.
func (s session) GetRecommendation(ctx context.Context, r GetRecommendationRequestObject) (GetRecommendationResponseObject, error) {
	w := s.World
	advised := advice(w)
	all := slices.Concat(advised.Recommendations, advised.Updates)
	i := slices.IndexFunc(all, func(one analyse.Recommendation) bool { return one.ID == r.Params.Id })
	if i < 0 {
		return nil, missing(fmt.Sprintf("nothing recommends %s: it was done, or what it was about is gone", r.Params.Id))
	}
	one := &all[i]
	out := RecommendationPage{Row: recommendationRow(one), Text: one.Text, Packages: one.Packages,
		Unfixed: one.Unfixed, AsOf: w.AsOf()}
	p := advicePage{session: s, one: one, out: &out}
	p.findings(ctx)
	p.podsConcerned()
	p.paths()
	if err := p.images(ctx); err != nil {
		return nil, err
	}
	return GetRecommendation200JSONResponse(out), nil
}

// advicePage fills a page with what the graph says now.
type advicePage struct {
	session
	one *analyse.Recommendation
	out *RecommendationPage
}

// images says where the packages are, and which layer brought them.
func (p *advicePage) images(ctx context.Context) error {
	p.out.Images = []RecommendedImage{}
	for _, id := range p.one.Images {
		n, there := p.View.Node("Image", id)
		if !there {
			continue
		}
		in := RecommendedImage{Image: refOf(n), Installed: []string{}, Pods: len(p.Pods(id))}
		for e := range n.Out("HAS_PACKAGE") {
			if p.mends(e.To) && !slices.Contains(in.Installed, e.To.Text("version")) {
				in.Installed = append(in.Installed, e.To.Text("version"))
				in.Layer = text(e.Value("layer").Str())
			}
		}
		command, err := p.commandOf(ctx, id, in.Layer)
		if err != nil {
			return err
		}
		in.Command = command
		p.out.Images = append(p.out.Images, in)
	}
	return nil
}

func (p *advicePage) mends(pkg graph.Node) bool {
	return pkg.Text("ecosystem") == p.one.Ecosystem && cmp.Or(pkg.Text("source"), pkg.Text("name")) == p.one.Package &&
		slices.Contains(p.one.Installed, pkg.Text("version"))
}

// commandOf is what built a layer of an image, if that was read.
func (s session) commandOf(ctx context.Context, image string, layer *string) (*string, error) {
	if layer == nil {
		return nil, nil
	}
	inv, err := s.Inventory(ctx, image)
	if inv == nil || err != nil {
		return nil, err
	}
	for _, l := range inv.Layers {
		if l.Digest == *layer {
			return text(l.Command), nil
		}
	}
	return nil, nil
}

// findings lists what the update fixes in each image, worst first.
func (p *advicePage) findings(ctx context.Context) {
	p.out.Findings = []Finding{}
	accepts := p.accepts(ctx)
	for _, id := range p.one.Images {
		n, there := p.View.Node("Image", id)
		if !there {
			continue
		}
		for e := range n.Out("HAS_VULNERABILITY") {
			f := accepts.finding(e)
			if f.Fixed != nil && slices.Contains(p.one.Packages, f.Package) && slices.Contains(p.one.Installed, f.Installed) &&
				slices.Contains(p.one.Vulnerabilities, f.Vulnerability.Id) {
				p.out.Findings = append(p.out.Findings, f)
			}
		}
	}
	slices.SortStableFunc(p.out.Findings, func(a, b Finding) int {
		return cmp.Or(compareBool(deref(a.Kev), deref(b.Kev)), severity.Compare(b.Severity, a.Severity),
			compareBool(deref(a.Rce), deref(b.Rce)), cmp.Compare(a.Vulnerability.Id, b.Vulnerability.Id),
			cmp.Compare(a.Image.Name, b.Image.Name), cmp.Compare(a.Package, b.Package))
	})
}

func (p *advicePage) podsConcerned() {
	p.out.Pods = []RecommendedPod{}
	for _, id := range p.one.Pods {
		n, there := p.View.Node("Pod", id)
		if !there {
			continue
		}
		p.out.Pods = append(p.out.Pods, RecommendedPod{Pod: refOf(n), Workload: text(n.Text("workload")), Exposed: boolean(n.Value("exposed"))})
	}
}

// paths joins what the analysis says with what is stored of the paths' lives.
func (p *advicePage) paths() {
	p.out.Paths = []RecommendedPath{}
	lives := p.Lives()
	for _, b := range p.one.Paths {
		i := slices.IndexFunc(lives, func(l scope.Life) bool { return l.Cluster == b.Cluster && l.ID == b.ID })
		if i < 0 {
			continue // of an earlier picture
		}
		p.out.Paths = append(p.out.Paths, RecommendedPath{Path: rowOf(lives[i]), Effect: RecommendedPathEffect(b.Effect)})
	}
}
