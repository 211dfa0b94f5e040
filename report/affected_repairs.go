package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/severity"
)

// repairs gathers what fixes a vulnerability, by package and version.
type repairs struct {
	by map[repairKey]*repairing
	// packages are those that have it, by name and version as findings write them.
	packages map[string][]graph.Node
	advice   *Recommendations
	id       string // of the vulnerability
}

type repairKey struct{ source, ecosystem, installed, fixed, status string }

type repairing struct {
	packages, images, accepted map[string]bool
	pods                       map[graph.Node]bool
	severity                   string
}

func packagesWith(vulnerability graph.Node) map[string][]graph.Node {
	out := map[string][]graph.Node{}
	for e := range vulnerability.In("AFFECTED_BY") {
		key := named(e.From)
		out[key] = append(out[key], e.From)
	}
	return out
}

// named is a package as a finding names it.
func named(pkg graph.Node) string {
	return strings.TrimSpace(pkg.Text("name") + " " + pkg.Text("version"))
}

// add notes a finding; counted says that nobody accepted it.
func (r *repairs) add(w *scope.World, e graph.Edge, counted bool) {
	name, _, _ := strings.Cut(e.Value("package").Str(), " ")
	key := repairKey{source: name, installed: e.Value("installed").Str(), fixed: e.Value("fixed").Str(), status: e.Value("status").Str()}
	if pkg, known := r.packageOf(e); known {
		key.source, key.ecosystem = cmp.Or(pkg.Text("source"), name), pkg.Text("ecosystem")
	}
	one := r.by[key]
	if one == nil {
		one = &repairing{packages: map[string]bool{}, images: map[string]bool{}, accepted: map[string]bool{}, pods: map[graph.Node]bool{}}
		r.by[key] = one
	}
	one.packages[name], one.images[e.From.ID()] = true, true
	if !counted {
		one.accepted[e.From.ID()] = true
	}
	if rated := e.Value("severity").Str(); one.severity == "" || severity.Compare(rated, one.severity) > 0 {
		one.severity = rated
	}
	for _, p := range w.Pods(e.From.ID()) {
		if !finished(p) {
			one.pods[p] = true
		}
	}
}

// packageOf is the package of a finding. Where several of one name and version have the vulnerability, the image says which is in it.
func (r *repairs) packageOf(e graph.Edge) (graph.Node, bool) {
	said := e.Value("package").Str()
	if some := r.packages[said]; len(some) == 1 {
		return some[0], true
	}
	for has := range e.From.Out("HAS_PACKAGE") {
		if named(has.To) == said {
			return has.To, true
		}
	}
	return graph.Node{}, false
}

// list is every update, what most images need first.
func (r *repairs) list() []Repair {
	out := []Repair{}
	for key, one := range r.by {
		f := Repair{Package: key.source, Packages: slices.Sorted(maps.Keys(one.packages)), Ecosystem: key.ecosystem, Installed: key.installed,
			Fixed: key.fixed, Status: key.status, Severity: cmp.Or(one.severity, "Unknown"), Images: len(one.images), Pods: len(one.pods),
			Accepted: len(one.accepted)}
		r.recommend(&f)
		out = append(out, f)
	}
	slices.SortFunc(out, func(x, y Repair) int {
		return cmp.Or(cmp.Compare(y.Pods, x.Pods), cmp.Compare(y.Images, x.Images), cmp.Compare(x.Ecosystem, y.Ecosystem),
			cmp.Compare(x.Package, y.Package), cmp.Compare(x.Installed, y.Installed), cmp.Compare(x.Fixed, y.Fixed),
			cmp.Compare(x.Status, y.Status))
	})
	return out
}

// recommend names the version that is recommended, which fixes the other vulnerabilities of the package, too.
func (r *repairs) recommend(f *Repair) {
	f.Target = f.Fixed
	if f.Fixed == "" || r.advice == nil {
		return
	}
	for i := range r.advice.Updates {
		u := &r.advice.Updates[i]
		if u.Package == f.Package && u.Ecosystem == f.Ecosystem && slices.Contains(u.Installed, f.Installed) &&
			slices.Contains(u.Vulnerabilities, r.id) {
			f.Target, f.Recommendation = u.Fixed, u.ID
			return
		}
	}
}
