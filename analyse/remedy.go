package analyse

import (
	"cmp"
	"maps"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/severity"
)

// adviser gathers one demand's images and what mends them.
type adviser struct {
	about   About
	images  map[graph.Node]*imageState
	updates map[string]*remedy // by ecosystem and source package
	open    map[string]bool    // vulnerabilities
	unfixed map[string]bool
}

// imageState is what is known of an image, and the pods that run it.
type imageState struct {
	scanned, whole, affected bool // whole: all that is in it was read and could be judged
	pods                     []graph.Node
}

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
				pods: podsOf(image)}
		}
	}
	for p := range v.Nodes("Package") {
		a.judge(p)
	}
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
// update that fixes it.
func (a *adviser) judge(p graph.Node) {
	in := a.imagesWith(p)
	if len(in) == 0 {
		return
	}
	var u *remedy
	affected, unfixed := false, []string(nil)
	for e := range p.Out("AFFECTED_BY") {
		affected = true
		a.open[e.To.ID()] = true
		if e.Value("fixed").Str() == "" {
			unfixed = append(unfixed, e.To.ID())
			continue
		}
		if u == nil {
			u = a.update(p, in)
		}
		u.note(e)
	}
	for _, image := range in {
		a.images[image].affected = a.images[image].affected || affected
	}
	for _, id := range unfixed {
		a.unfixed[id] = true
		if u != nil {
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

// update is the one that the package belongs to.
func (a *adviser) update(p graph.Node, in []graph.Node) *remedy {
	ecosystem, source := p.Text("ecosystem"), cmp.Or(p.Text("source"), p.Text("name"))
	key := ecosystem + "/" + source
	u := a.updates[key]
	if u == nil {
		u = &remedy{ecosystem: ecosystem, source: source, packages: map[string]bool{}, installed: map[string]bool{},
			severity:  map[string]string{},
			exploited: map[string]bool{}, unfixed: map[string]bool{}, images: map[string]graph.Node{}}
		a.updates[key] = u
	}
	u.packages[p.Text("name")], u.installed[p.Text("version")] = true, true
	for _, image := range in {
		u.images[image.ID()] = image
	}
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
	for _, key := range slices.Sorted(maps.Keys(a.updates)) {
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
