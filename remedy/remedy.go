// Package remedy writes fixes of attack paths as code: patches of what pods are made
// from, network policies, roles and bindings, each with the command that applies it.
// It is made of facts; where no code can be given, it says why. It changes nothing.
package remedy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/segment"
)

// Maker writes the code of fixes for one state of one cluster.
type Maker struct {
	facts *collect.Facts
	rules *analyse.Rules
	owner func(*collect.Pod) ref.Ref
}

// New prepares for a cluster.
func New(f *collect.Facts, rules *analyse.Rules) *Maker {
	return &Maker{facts: f, rules: rules, owner: segment.Owners(f)}
}

// Path is the path with the code of its fixes.
func (m *Maker) Path(p analyse.Path) analyse.Path {
	fixes := slices.Clone(p.Fixes)
	for i := range fixes {
		f := &fixes[i]
		code, err := m.fix(&p, *f)
		if err != nil {
			f.WithoutCode = err.Error()
		} else {
			f.Code = code
		}
	}
	p.Fixes = fixes
	return p
}

// fix is the code of one fix of a path.
func (m *Maker) fix(p *analyse.Path, f analyse.Fix) ([]analyse.Change, error) {
	e := edit{m: m}
	var err error
	switch {
	case f.Kind == "image" && p.EntryClass == analyse.Possible:
		return nil, errors.New("nothing is to be changed yet: the image is to be read")
	case f.Kind == "image":
		return nil, errors.New("the image has to be built again, under a tag that is not known yet")
	case f.Kind == "exposure":
		return m.exposure(p, f)
	case f.Kind == "permission":
		for _, permission := range f.Taken() {
			err = errors.Join(err, e.take(f.Concerns[0], permission))
		}
	case len(f.Together) > 0:
		err = e.together(p, f)
	default:
		err = e.technique(p, f)
	}
	if err != nil {
		return nil, err
	}
	return e.changes()
}

// together is all fixes that only end a path with each other.
func (e *edit) together(p *analyse.Path, f analyse.Fix) error {
	for _, part := range p.Fixes {
		if part.Rule == "" || !slices.Contains(f.Together, part.Rule) || !slices.Contains(f.Concerns, part.Concerns[0]) {
			continue
		}
		if err := e.technique(p, part); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(part.Title[:1])+part.Title[1:], err)
		}
	}
	return nil
}

// errGone is of what was there when the path was found.
var errGone = errors.New("the pods are no longer there")

// technique takes away what a technique starts from.
func (e *edit) technique(p *analyse.Path, f analyse.Fix) error {
	code := e.m.rules.Code(f.Rule)
	switch {
	case code == nil:
		return fmt.Errorf("rule %s is no longer there", f.Rule)
	case code.None != "":
		return errors.New(code.None)
	case code.Power:
		return e.holders(p, f.Concerns[0])
	case code.Delete:
		return e.delete(f.Concerns[0])
	}
	pod, container, err := e.m.container(p, f)
	if err != nil {
		return err
	}
	if len(code.DenyEgress) > 0 {
		return e.denyEgress(pod, code.DenyEgress)
	}
	return e.template(pod, container, code)
}

// container finds the container that a technique starts from or, where it starts from
// none, the one that it ends at or rests on.
func (m *Maker) container(p *analyse.Path, f analyse.Fix) (*collect.Pod, string, error) {
	kind, id := ref.ParseKindID(f.Concerns[0])
	if r, name, ok := ref.Parse(id); ok && kind == "Container" {
		if pod := m.facts.Pods[collect.KeyOf(r)]; pod != nil && pod.Shape != nil {
			return pod, name, nil
		}
	}
	for _, s := range slices.Concat(p.Steps, p.Also) {
		if !slices.Contains(s.Rules, f.Rule) {
			continue
		}
		for _, t := range p.Nodes {
			if t.ID != s.To || t.Kind != "Container" {
				continue
			}
			for _, member := range t.Members {
				if r, name, ok := ref.Parse(member); ok && m.facts.Pods[collect.KeyOf(r)] != nil {
					return m.facts.Pods[collect.KeyOf(r)], name, nil
				}
			}
		}
	}
	for _, concerned := range f.Concerns[1:] {
		of, id := ref.ParseKindID(concerned)
		r, name, ok := ref.Parse(id)
		pod := m.facts.Pods[collect.KeyOf(r)]
		if !ok || of != "Container" || pod == nil || pod.Shape == nil {
			continue
		}
		if kind == "Pod" {
			return pod, name, nil
		}
		return pod, name, m.alone(pod)
	}
	return nil, "", errGone
}

// alone finds workloads beside a pod's that run as its account: a path that goes on to
// the account does not say which of them it takes it from.
func (m *Maker) alone(pod *collect.Pod) error {
	for _, p := range m.podsIn(pod.Namespace) {
		if p.Shape.ServiceAccount == pod.Shape.ServiceAccount && m.owner(p) != m.owner(pod) {
			return fmt.Errorf("%s runs as the same account, and the path does not say which of them gives it away", m.owner(p))
		}
	}
	return nil
}

// delete deletes an object.
func (e *edit) delete(kindID string) error {
	_, id := ref.ParseKindID(kindID)
	r, _, ok := ref.Parse(id)
	if !ok {
		return errors.New("what it starts from is not an object of the cluster")
	}
	e.more = append(e.more, deletion(r.In("")))
	return nil
}

// edit gathers what a fix changes, so that what two techniques change of one object is
// one change.
type edit struct {
	m         *Maker
	templates []*template
	takings   []*taking
	more      []analyse.Change
}

func (e *edit) changes() ([]analyse.Change, error) {
	out := e.more
	for _, t := range e.templates {
		out = append(out, t.change())
	}
	for _, t := range e.takings {
		changes, err := t.changes(e.m.facts)
		if err != nil {
			return nil, err
		}
		out = append(out, changes...)
	}
	return out, nil
}

// power is a power by its name.
func (m *Maker) power(name string) (rbac.Power, bool) {
	i := slices.IndexFunc(m.rules.Powers, func(p rbac.Power) bool { return p.Name == name })
	if i < 0 {
		return rbac.Power{}, false
	}
	return m.rules.Powers[i], true
}
