package scope

import (
	"cmp"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/schema"
)

// Outside is the id and the name of what stands on a path for everything that the
// asker may not see. There is one, so that it does not say how much that is.
const Outside = "outside your scope"

var outside = analyse.Thing{ID: Outside, Kind: "Outside", Name: Outside, Count: 1}

// eyes are those of somebody who sees only some namespaces of a cluster.
type eyes struct{ tenants []string }

// thing says whether a thing of a path is seen.
func (e eyes) thing(t analyse.Thing) bool {
	switch {
	case t.Kind == "Internet":
		return true
	case t.Kind == "Namespace":
		return slices.Contains(e.tenants, t.Name)
	}
	return t.Namespace != "" && slices.Contains(e.tenants, t.Namespace)
}

// id says whether a stable id is of something that is seen: of a namespace
// (cluster/namespace/Kind/name), or shared.
func (e eyes) id(kind, id string) bool {
	if k, _ := schema.KindNamed(kind); k.Shared {
		return true
	}
	parts := strings.Split(id, "/")
	return len(parts) >= 4 && slices.Contains(e.tenants, parts[1])
}

// ids says so of "Kind id".
func (e eyes) ids(all []string) bool {
	return !slices.ContainsFunc(all, func(s string) bool {
		kind, id, _ := strings.Cut(s, " ")
		return !e.id(kind, id)
	})
}

// pathWithin is a path as somebody sees it who sees some namespaces; nil if
// nothing on it is seen. What is not seen is drawn as one thing outside, and
// sentences, which name things, are left out.
func pathWithin(p *analyse.Path, tenants []string) *analyse.Path {
	e := eyes{tenants}
	seen := map[string]bool{}
	some, all := false, true
	for _, t := range p.Nodes {
		if e.thing(t) {
			seen[t.ID] = true
			some = some || t.Kind != "Internet"
		} else {
			all = false
		}
	}
	if !some {
		return nil
	}
	out := &analyse.Path{ID: p.ID, Type: p.Type, Cluster: p.Cluster, Risk: p.Risk, RiskScore: p.RiskScore,
		EntryClass: p.EntryClass, Confidence: p.Confidence,
		RiskFactors: []analyse.Factor{}, Why: p.Why, Entry: e.shown(p.Entry), Target: e.shown(p.Target), Foothold: e.shown(p.Foothold),
		Title: p.Title, Steps: e.steps(p.Steps, seen), Also: e.steps(p.Also, seen), Story: []string{}, Attack: []string{}, Fixes: []analyse.Fix{},
		Vulnerabilities: []analyse.Vulnerability{}, Uncertain: []string{}, Owners: []string{}, DependsOn: []string{}, Frames: []analyse.Frame{}}
	if all {
		out.Alternatives = p.Alternatives
	} else {
		out.Title = cmp.Or(p.General, p.Title)
		out.Nodes = append(out.Nodes, outside)
		out.Story = []string{"Part of this path is outside your scope."}
	}
	for _, t := range p.Nodes {
		if seen[t.ID] {
			out.Nodes = append(out.Nodes, t)
		}
	}
	if e.thing(p.Foothold) {
		out.Namespace, out.Pods, out.Workloads = p.Namespace, p.Foothold.Count, 1
		out.Vulnerabilities, out.VulnerabilitiesTotal = p.Vulnerabilities, p.VulnerabilitiesTotal
	} else {
		out.Title = "Attack path through your scope"
	}
	for _, id := range p.Unavoidable {
		if seen[id] {
			out.Unavoidable = append(out.Unavoidable, id)
		}
	}
	for _, f := range p.Fixes {
		if len(f.Concerns) > 0 && e.ids(f.Concerns) && (f.Kind != "image" || e.thing(p.Foothold)) { // an image is the foothold's
			out.Fixes = append(out.Fixes, f)
		}
	}
	for _, id := range p.Owners {
		if e.id("", id) {
			out.Owners = append(out.Owners, id)
		}
	}
	for _, f := range p.Frames {
		if f.Kind == "Cluster" || slices.Contains(tenants, f.Name) {
			f.Nodes = slices.DeleteFunc(slices.Clone(f.Nodes), func(id string) bool { return !seen[id] })
			out.Frames = append(out.Frames, f)
		}
	}
	for _, s := range out.Steps {
		for _, a := range s.Attack {
			if !slices.Contains(out.Attack, a) {
				out.Attack = append(out.Attack, a)
			}
		}
	}
	return out
}

func (e eyes) shown(t analyse.Thing) analyse.Thing {
	if e.thing(t) {
		return t
	}
	return outside
}

// steps keeps those between things that are seen, and says of the others only
// that the path comes from outside or goes there.
func (e eyes) steps(all []analyse.Step, seen map[string]bool) []analyse.Step {
	out := []analyse.Step{}
	add := func(from, to string) {
		s := analyse.Step{From: from, To: to, Edge: "OUTSIDE", Verb: "leads to", Evidence: []analyse.Evidence{}}
		if !slices.ContainsFunc(out, func(o analyse.Step) bool { return o.From == from && o.To == to }) {
			out = append(out, s)
		}
	}
	for _, s := range all {
		switch from, to := seen[s.From], seen[s.To]; {
		case from && to:
			out = append(out, e.step(s))
		case from:
			add(s.From, Outside)
		case to:
			add(Outside, s.To)
		}
	}
	return out
}

// step leaves out what names other things than its two ends.
func (e eyes) step(s analyse.Step) analyse.Step {
	evidence := []analyse.Evidence{}
	for _, v := range s.Evidence {
		if len(v.Nodes) == 1 && e.ids(v.Nodes) {
			evidence = append(evidence, v)
		}
	}
	s.Evidence, s.Uncertain = evidence, ""
	if t := s.Through; t != nil { // addresses and controllers are those of other things
		s.Through = &analyse.Through{Hosts: t.Hosts, Ports: t.Ports}
	}
	return s
}
