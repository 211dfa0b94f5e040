package analyse

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/severity"
)

// About says which images a recommendation is about.
type About string

// The images that people ask about: they overlap.
const (
	Running    About = "running"  // some container that is not finished uses them
	InRegistry About = "registry" // a connected registry lists them
	anywhere   About = "images"   // either
)

// Demand is what images should be like, and how many are.
type Demand struct {
	About About  `json:"about"`
	Title string `json:"title"`
	Why   string `json:"why"`
	// Images = Affected + Clean + Unknown; those that were never scanned, or not wholly and nothing was found, are unknown.
	Images   int `json:"images"`
	Affected int `json:"affected"`
	Clean    int `json:"clean"`
	Unknown  int `json:"unknown"`
	// Vulnerabilities counts each once; Unfixed are those that some package has
	// without a fix, so that no update helps there.
	Vulnerabilities int `json:"vulnerabilities"`
	Unfixed         int `json:"unfixed"`
	// Updates is how many recommendations there are.
	Updates int `json:"updates"`
}

// Recommendation is one update of one source package of one distribution's
// release to one version, wherever it is needed.
type Recommendation struct {
	ID       string `json:"id"`
	About    About  `json:"about"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Severity string `json:"severity"` // the worst that it fixes
	// Package is the source package; Packages are those installed from it.
	Package   string   `json:"package"`
	Packages  []string `json:"packages"`
	Ecosystem string   `json:"ecosystem"`
	Installed []string `json:"installed"`
	// Fixed is the first version that fixes all that is fixed: of each image the one that its attack paths' fixes name, too.
	Fixed string `json:"fixed"`

	Vulnerabilities []string `json:"vulnerabilities"`
	Exploited       int      `json:"exploited"`
	RCE             bool     `json:"rce"`
	// Unfixed is how many more vulnerabilities the same packages have.
	Unfixed int `json:"unfixed"`

	Images []string `json:"images"`
	// RunningImages and RegistryImages are how many of them run, and lie in a connected registry; some do both.
	RunningImages  int `json:"runningImages"`
	RegistryImages int `json:"registryImages"`

	Pods      []string `json:"pods"`
	Workloads []string `json:"workloads"`
	Exposed   int      `json:"exposed"` // pods
	Paths     []Broken `json:"paths"`
}

// Broken is an attack path that an update breaks, or makes harder.
type Broken struct {
	Cluster   string `json:"cluster"`
	ID        string `json:"id"`
	Title     string `json:"title"`
	Risk      string `json:"risk"`
	RiskScore int    `json:"riskScore"`
	Effect    string `json:"effect"`
}

// Advice is what to do about the vulnerabilities of images, what matters most first.
type Advice struct {
	Demands         []Demand         `json:"demands"`
	Recommendations []Recommendation `json:"recommendations"`
	// Updates are the recommendations of both demands together, each update once.
	Updates []Recommendation `json:"updates"`
}

// Abouts says which demands a recommendation serves.
func (r *Recommendation) Abouts() (out []About) {
	if r.RunningImages > 0 {
		out = append(out, Running)
	}
	if r.RegistryImages > 0 {
		out = append(out, InRegistry)
	}
	return out
}

// Recommend groups the vulnerabilities of images by the update that fixes them.
func Recommend(v *graph.View, paths []Path) Advice {
	out := Advice{Recommendations: []Recommendation{}, Updates: []Recommendation{}}
	for _, about := range []About{Running, InRegistry, anywhere} {
		a := adviser{about: about, images: map[graph.Node]*imageState{}, updates: map[updateKey]*remedy{},
			targets: map[imageSource]string{},
			open:    map[string]bool{}, unfixed: map[string]bool{}}
		a.look(v)
		a.follow(paths)
		found := a.recommendations()
		if about == anywhere {
			out.Updates = found
			continue
		}
		out.Demands = append(out.Demands, a.demand(len(found)))
		out.Recommendations = append(out.Recommendations, found...)
	}
	slices.SortStableFunc(out.Recommendations, urgency)
	slices.SortStableFunc(out.Updates, urgency)
	return out
}

// urgency orders what breaks the worst paths first, then what attackers use, then
// what they can reach.
func urgency(a, b Recommendation) int {
	return cmp.Or(cmp.Compare(b.danger(Breaks), a.danger(Breaks)), cmp.Compare(b.danger(Lowers), a.danger(Lowers)),
		compareBools(b.Exploited > 0 && b.Exposed > 0, a.Exploited > 0 && a.Exposed > 0), compareBools(b.Exposed > 0, a.Exposed > 0),
		severity.Compare(b.Severity, a.Severity), cmp.Compare(b.Exploited, a.Exploited), compareBools(b.RCE, a.RCE),
		cmp.Compare(len(b.Pods), len(a.Pods)), cmp.Compare(len(b.Images), len(a.Images)),
		cmp.Compare(len(b.Vulnerabilities), len(a.Vulnerabilities)), strings.Compare(a.ID, b.ID))
}

// danger is the score of the worst path on which it has the effect.
func (r *Recommendation) danger(effect string) (worst int) {
	for _, p := range r.Paths {
		if p.Effect == effect {
			worst = max(worst, p.RiskScore)
		}
	}
	return worst
}

// demands are what images should be like, in words.
var demands = map[About]Demand{
	Running: {About: Running, Title: "Running container images should have vulnerability findings resolved",
		Why: "What runs can be attacked: a vulnerability in it is open to anyone who reaches the pod, or is already inside it."},
	InRegistry: {About: InRegistry, Title: "Registry images should have vulnerability findings resolved",
		Why: "What lies in a registry is what runs next: mending it there keeps the vulnerability from coming back with the next rollout."},
}

func (a *adviser) demand(updates int) Demand {
	d := demands[a.about]
	d.Images, d.Vulnerabilities, d.Unfixed, d.Updates = len(a.images), len(a.open), len(a.unfixed), updates
	for _, i := range a.images {
		switch {
		case !i.scanned, !i.affected && !i.whole:
			d.Unknown++
		case i.affected:
			d.Affected++
		default:
			d.Clean++
		}
	}
	return d
}

// Only is the advice about some images; about "" is all of it.
func (a Advice) Only(about About) Advice {
	if about == "" {
		return a
	}
	out := Advice{Recommendations: []Recommendation{}, Updates: []Recommendation{}}
	for _, d := range a.Demands {
		if d.About == about {
			out.Demands = append(out.Demands, d)
		}
	}
	for _, r := range a.Recommendations {
		if r.About == about {
			out.Recommendations = append(out.Recommendations, r)
		}
	}
	for _, r := range a.Updates {
		if slices.Contains(r.Abouts(), about) {
			out.Updates = append(out.Updates, r)
		}
	}
	return out
}

// Effects says what the update does to attack paths: "breaks 2 of 3".
func (r *Recommendation) Effects() string {
	breaks := 0
	for _, p := range r.Paths {
		if p.Effect == Breaks {
			breaks++
		}
	}
	switch {
	case len(r.Paths) == 0:
		return "none"
	case breaks == 0:
		return fmt.Sprintf("lowers %d", len(r.Paths))
	}
	return fmt.Sprintf("breaks %d of %d", breaks, len(r.Paths))
}
