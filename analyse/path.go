// Package analyse turns a cluster's graph and the rules into what an attacker
// gains: derived edges, attack paths with their story, risk and fixes, and the
// places that many paths share. It knows neither clusters nor stores, and no
// rule by its id: what a technique means is in its rule file.
//
// A path is told by owners (the workload, not the pod; the repository, not the
// digest), so that a rollout or a second replica is the same path. It says that
// something can be reached, not that someone has planned it.
package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/rbac"
)

// Classes of entries, the most certain first.
const (
	Known       = "known"        // exposed, and something lets the attacker in
	Possible    = "possible"     // exposed, and nobody knows whether something does
	SupplyChain = "supply-chain" // others may replace what runs
	Assumed     = "assumed"      // the asker says that the attacker is there
)

// Path is one attack path of a cluster, ready to be drawn: all routes from one
// foothold to one target.
type Path struct {
	// ID stays the same while entry, owners and techniques do.
	ID    string `json:"id"`
	Type  string `json:"type"` // the id of the path type's rule
	Title string `json:"title"`
	// General is the title without the names of what is on the path.
	General string `json:"general,omitempty"`
	Cluster string `json:"cluster"`
	// Namespace is that of the first container the attacker enters.
	Namespace string `json:"namespace"`
	// Risk is low, medium, high or critical, by RiskScore (0 to 100).
	Risk        string   `json:"risk"`
	RiskScore   int      `json:"riskScore"`
	RiskFactors []Factor `json:"riskFactors"`
	// Attack lists the MITRE ATT&CK techniques of all steps.
	Attack []string `json:"attack"`
	Why    string   `json:"why"`

	// EntryClass is known, possible, supply-chain or assumed; Confidence says in
	// words how sure it is that an attacker gets in.
	EntryClass string `json:"entryClass"`
	Confidence string `json:"confidence"`
	Entry      Thing  `json:"entry"`
	Target     Thing  `json:"target"`
	// Foothold is what the attacker has first: a container, an identity, or the
	// thing that is assumed to be theirs.
	Foothold Thing `json:"foothold"`
	// Steps are the most likely route from entry to target; Also are all other
	// steps of routes between them, as far as they can be drawn.
	Steps []Step `json:"steps"`
	Also  []Step `json:"also"`
	// Unavoidable are the things that every route passes, by id.
	Unavoidable []string `json:"unavoidable,omitempty"`
	// Alternatives is how many routes there are beside the first; many is 999.
	Alternatives int `json:"alternatives"`
	// Story is the steps as sentences.
	Story []string `json:"story"`
	// Nodes are what Steps and Also join, Frames what they lie in.
	Nodes  []Thing `json:"nodes"`
	Frames []Frame `json:"frames"`

	// Vulnerabilities are those that open the path, worst first, once for each
	// package that has one; the total counts each once.
	Vulnerabilities      []Vulnerability `json:"vulnerabilities"`
	VulnerabilitiesTotal int             `json:"vulnerabilitiesTotal"`
	Fixes                []Fix           `json:"fixes"`

	// Pods and Workloads count what the path stands for.
	Pods      int `json:"pods"`
	Workloads int `json:"workloads"`
	// Uncertain says what is not known and might prevent a step.
	Uncertain []string `json:"uncertain"`

	// Owners are the workloads on the path, by stable id, and Carriers those that
	// only bring the traffic, such as an ingress controller; DependsOn the kinds
	// of nodes and edges without which nothing can be said of it; Unseen the gaps
	// that were open when it was found. They decide whether a path that is gone
	// is resolved or only out of sight: see Hold.
	Owners    []string `json:"owners"`
	Carriers  []string `json:"carriers,omitempty"`
	DependsOn []string `json:"dependsOn"`
	Unseen    []string `json:"unseen,omitempty"`

	rests *record // what it rests on, of one that is remembered
}

// Unchanged says that the path is one that was told before, word for word. Where it is not remembered, nobody knows.
func (p *Path) Unchanged(before *Path) bool {
	return p.rests != nil && p.rests == before.rests && p.ID == before.ID
}

// Outline is the path as a list of paths tells it: without what is drawn.
func (p *Path) Outline() Path {
	return Path{ID: p.ID, Type: p.Type, Title: p.Title, General: p.General, Cluster: p.Cluster, Namespace: p.Namespace, Risk: p.Risk,
		RiskScore: p.RiskScore, RiskFactors: []Factor{}, Attack: []string{}, Why: p.Why, EntryClass: p.EntryClass, Confidence: p.Confidence,
		Entry: p.Entry, Target: p.Target, Foothold: p.Foothold, Steps: []Step{}, Also: []Step{}, Story: p.Story, Nodes: []Thing{},
		Frames: []Frame{}, Vulnerabilities: []Vulnerability{}, VulnerabilitiesTotal: p.VulnerabilitiesTotal, Fixes: []Fix{},
		Pods: p.Pods, Workloads: p.Workloads, Uncertain: p.Uncertain, Owners: []string{}, DependsOn: []string{}, Alternatives: p.Alternatives}
}

// Thing is a node of the drawing: one object, or all replicas of one.
type Thing struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Workload is kind and name of the owner of pods and containers.
	Workload  string `json:"workload,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Namespace string `json:"namespace,omitempty"`
	// Count is how many objects it stands for; Members are the first of them.
	Count    int      `json:"count"`
	Members  []string `json:"members,omitempty"`
	Insights []string `json:"insights,omitempty"` // names of properties that are true
	// Images are what a container uses: evidence, not a step.
	Images []Image `json:"images,omitempty"`
}

// Has says whether a thing lies on the path, or is an image that its evidence names.
func (p *Path) Has(id string) bool {
	return slices.ContainsFunc(p.Nodes, func(t Thing) bool {
		return t.ID == id || slices.Contains(t.Members, id) || slices.ContainsFunc(t.Images, func(i Image) bool { return i.ID == id })
	}) || slices.Contains(p.Owners, id)
}

// Image is a container image as a path's evidence.
type Image struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Repository string `json:"repository"`
	Scanned    bool   `json:"scanned"`
	Criticals  int64  `json:"criticals"`
	Highs      int64  `json:"highs"`
	RCE        bool   `json:"rce"`
	Exploited  bool   `json:"exploited"`
}

// Frame is what a drawing puts around things: a cluster, or a namespace in it.
type Frame struct {
	ID     string   `json:"id"`
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Parent string   `json:"parent,omitempty"`
	Nodes  []string `json:"nodes"`
}

// Step is one edge of the path.
type Step struct {
	From string `json:"from"`
	Edge string `json:"edge"`
	Verb string `json:"verb"`
	To   string `json:"to"`
	// Rule made the edge; empty for a fact. Rules are all that did.
	Rule      string     `json:"rule,omitempty"`
	RuleTitle string     `json:"ruleTitle,omitempty"`
	Rules     []string   `json:"rules,omitempty"`
	Derived   bool       `json:"derived"`
	Attack    []string   `json:"attack,omitempty"`
	Why       string     `json:"why,omitempty"`
	Evidence  []Evidence `json:"evidence"`
	Uncertain string     `json:"uncertain,omitempty"`
	// Through is what the traffic of a route passes.
	Through *Through `json:"through,omitempty"`
}

// Evidence is one fact that a step rests on, and the objects it is about.
type Evidence struct {
	Text  string   `json:"text"`
	Nodes []string `json:"nodes,omitempty"` // "Kind id"
}

// Vulnerability is one that opens the path.
type Vulnerability struct {
	ID        string   `json:"id"`
	Title     string   `json:"title,omitempty"`
	Severity  string   `json:"severity"`
	CVSS      *float64 `json:"cvss,omitempty"`
	EPSS      *float64 `json:"epss,omitempty"`
	KEV       bool     `json:"kev"`
	RCE       bool     `json:"rce"`
	Package   string   `json:"package"`
	Installed string   `json:"installed"`
	Fixed     string   `json:"fixed,omitempty"`
	Image     string   `json:"image"`
}

// Effect of a fix on the path.
const (
	Breaks = "breaks"
	Lowers = "lowers"
)

// Fix is one action against the path.
type Fix struct {
	ID string `json:"id"`
	// Kind is image, exposure, permission or rule.
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Rule  string `json:"rule,omitempty"`
	// Together are the techniques that a fix ends which is several fixes.
	Together []string `json:"together,omitempty"`
	// Concerns are the things to change, as "Kind id".
	Concerns []string `json:"concerns"`
	// Effect is breaks or lowers.
	Effect string `json:"effect"`
	// Advice is a fix that says what to look into: what it would change cannot be tried on a copy.
	Advice bool `json:"advice,omitempty"`
	// Code is the fix as changes, in order; WithoutCode says why there is none. Both are
	// empty where nobody asked for code.
	Code        []Change `json:"code,omitempty"`
	WithoutCode string   `json:"withoutCode,omitempty"`

	endings []ending // the steps that it ends; none where it cannot be done on a copy
	grants  []rbac.Grant
}

// Factor is one reason for the risk score.
type Factor struct {
	Name   string `json:"name"`
	Points int    `json:"points"`
	Why    string `json:"why"`
}
