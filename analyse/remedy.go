package analyse

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/severity"
)

// adviser gathers one demand's images and what mends them.
type adviser struct {
	about   About
	images  map[graph.Node]*imageState
	updates map[updateKey]*remedy
	// targets is the version that each image is to have of a source package: the first in which all is fixed that its packages have.
	targets map[imageSource]string
	open    map[string]bool // vulnerabilities
	unfixed map[string]bool
}

// updateKey tells one update from another: of what, by ecosystem and source package, and to which version.
type updateKey struct{ of, to string }

// imageSource is a source package of an image.
type imageSource struct {
	image graph.Node
	of    string
}

// sourceOf is what an update is of: the ecosystem and the source package, which has one version in all that is built from it.
func sourceOf(p graph.Node) string {
	return p.Text("ecosystem") + "/" + cmp.Or(p.Text("source"), p.Text("name"))
}

// imageState is what is known of an image, and the pods that run it.
type imageState struct {
	scanned, whole, affected bool // whole: all that is in it was read and could be judged
	pods                     []graph.Node
	dismissed                map[dismissal]bool // what does not count in it
}

// dismissal is a vulnerability that does not count in a package.
type dismissal struct{ vulnerability, name, version string }

// remedy is a recommendation in the making.
type remedy struct {
	ecosystem, source, fixed string
	packages, installed      map[string]bool
	severity                 map[string]string // of each vulnerability it fixes
	exploited, unfixed       map[string]bool
	images                   map[string]graph.Node // by id
	rce                      bool
	paths                    []Broken
}

func (a *adviser) look(v *graph.View) {
	for image := range v.Nodes("Image") {
		if a.concerns(image) {
			a.images[image] = &imageState{scanned: image.Value("scanned").Bool(), whole: !image.Value("partly").Bool(),
				pods: podsOf(image), dismissed: dismissedIn(image)}
		}
	}
	for p := range v.Nodes("Package") {
		a.aim(p)
	}
	for p := range v.Nodes("Package") {
		a.judge(p)
	}
}

// dismissedIn is what advisories say of an image's packages and what does not count.
func dismissedIn(image graph.Node) (out map[dismissal]bool) {
	for e := range image.Out("NOT_AFFECTED_BY") {
		if out == nil {
			out = map[dismissal]bool{}
		}
		name, _, _ := strings.Cut(e.Value("package").Str(), " ")
		out[dismissal{e.To.ID(), name, e.Value("installed").Str()}] = true
	}
	return out
}

// aim notes to which version each image is to bring the source of a package.
func (a *adviser) aim(p graph.Node) {
	var in []graph.Node
	for e := range p.Out("AFFECTED_BY") {
		fixed := e.Value("fixed").Str()
		if fixed == "" {
			continue
		}
		if in == nil {
			in = a.imagesWith(p)
		}
		for _, image := range in {
			key := imageSource{image, sourceOf(p)}
			if have := a.targets[key]; a.counts(image, e) && (have == "" || newer(p.Text("ecosystem"), fixed, have) > 0) {
				a.targets[key] = fixed
			}
		}
	}
}

// counts says whether what an advisory says of a package counts in an image.
func (a *adviser) counts(image graph.Node, e graph.Edge) bool {
	not := a.images[image].dismissed
	return len(not) == 0 || !not[dismissalOf(e)]
}

// dismissalOf is what would dismiss what an advisory says of a package.
func dismissalOf(e graph.Edge) dismissal {
	return dismissal{e.To.ID(), e.From.Text("name"), e.From.Text("version")}
}

// nameVersion is a package as findings name it.
func nameVersion(p graph.Node) string {
	return strings.TrimSpace(p.Text("name") + " " + p.Text("version"))
}

func (a *adviser) concerns(image graph.Node) bool {
	running, listed := image.Value("running").Bool(), image.Value("listed").Bool()
	return running && a.about != InRegistry || listed && a.about != Running
}

// podsOf lists the pods that run an image, one for each container that does,
// those left out that have ended.
func podsOf(image graph.Node) (pods []graph.Node) {
	for use := range image.In("USES_IMAGE") {
		for run := range use.From.In("RUNS") {
			if !finished(run.From) {
				pods = append(pods, run.From)
			}
		}
	}
	return pods
}

// judge notes one version of a package: what it has, in which images, and the
// updates that fix it there.
func (a *adviser) judge(p graph.Node) {
	in := a.imagesWith(p)
	if len(in) == 0 {
		return
	}
	updates := map[*remedy]bool{}
	var unfixed []string
	for e := range p.Out("AFFECTED_BY") {
		counts := false
		for _, image := range in {
			if !a.counts(image, e) {
				continue
			}
			counts, a.images[image].affected = true, true
			if e.Value("fixed").Str() != "" {
				u := a.update(p, image)
				u.note(e)
				updates[u] = true
			}
		}
		if !counts {
			continue
		}
		a.open[e.To.ID()] = true
		if e.Value("fixed").Str() == "" {
			unfixed = append(unfixed, e.To.ID())
		}
	}
	for _, id := range unfixed {
		a.unfixed[id] = true
		for u := range updates {
			u.unfixed[id] = true
		}
	}
}

func (a *adviser) imagesWith(p graph.Node) (in []graph.Node) {
	for e := range p.In("HAS_PACKAGE") {
		if a.images[e.From] != nil {
			in = append(in, e.From)
		}
	}
	return in
}

// update is the one that the package in an image needs.
func (a *adviser) update(p, image graph.Node) *remedy {
	of := sourceOf(p)
	key := updateKey{of, a.targets[imageSource{image, of}]}
	u := a.updates[key]
	if u == nil {
		u = &remedy{ecosystem: p.Text("ecosystem"), source: cmp.Or(p.Text("source"), p.Text("name")), packages: map[string]bool{},
			installed: map[string]bool{}, severity: map[string]string{},
			exploited: map[string]bool{}, unfixed: map[string]bool{}, images: map[string]graph.Node{}}
		a.updates[key] = u
	}
	u.packages[p.Text("name")], u.installed[p.Text("version")] = true, true
	u.images[image.ID()] = image
	return u
}

func (u *remedy) note(e graph.Edge) {
	id, rated := e.To.ID(), cmp.Or(e.Value("severity").Str(), e.To.Text("severity"), "Unknown")
	if have, known := u.severity[id]; !known || severity.Compare(rated, have) > 0 {
		u.severity[id] = rated
	}
	if e.To.Value("kev").Bool() {
		u.exploited[id] = true
	}
	u.rce = u.rce || e.To.Value("rce").Bool()
	if fixed := e.Value("fixed").Str(); u.fixed == "" || newer(u.ecosystem, fixed, u.fixed) > 0 {
		u.fixed = fixed
	}
}

// follow finds the paths that what an update fixes opens. An update breaks a path
// if it fixes all that opens it.
func (a *adviser) follow(paths []Path) {
	byPackage := map[string][]*remedy{}
	for _, key := range slices.SortedFunc(maps.Keys(a.updates), compareKeys) {
		for name := range a.updates[key].packages {
			byPackage[name] = append(byPackage[name], a.updates[key])
		}
	}
	for i := range paths {
		p := &paths[i]
		opened := map[*remedy]int{}
		ids := map[string]bool{}
		for _, v := range p.Vulnerabilities {
			ids[v.ID] = true
			for _, u := range byPackage[v.Package] {
				if u.fixes(v) {
					opened[u]++
				}
			}
		}
		for u, n := range opened {
			b := Broken{Cluster: p.Cluster, ID: p.ID, Title: p.Title, Risk: p.Risk, RiskScore: p.RiskScore, Effect: Lowers}
			if n == len(p.Vulnerabilities) && len(ids) == p.VulnerabilitiesTotal {
				b.Effect = Breaks
			}
			u.paths = append(u.paths, b)
		}
	}
}

// fixes says whether the vulnerability of an image is one that the update ends.
func (u *remedy) fixes(v Vulnerability) bool {
	_, inside := u.images[v.Image]
	return inside && v.Fixed != "" && u.severity[v.ID] != "" && u.installed[v.Installed]
}

func compareKeys(x, y updateKey) int {
	return cmp.Or(strings.Compare(x.of, y.of), strings.Compare(x.to, y.to))
}
