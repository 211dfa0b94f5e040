package rbac

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Power is a named question that matters to security. It is held where one of
// Any is allowed and every one of All is; either list may be left out.
type Power struct {
	// Name is its id: "read-secrets".
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	// Why says in a sentence or two what an attacker gains.
	Why string `yaml:"why"`
	// Severity is low, medium, high or critical.
	Severity string `yaml:"severity"`
	Any      []Ask  `yaml:"any,omitempty"`
	All      []Ask  `yaml:"all,omitempty"`
}

// Ask is one thing to be allowed.
type Ask struct {
	// Verbs are alternatives: one of them is enough.
	Verbs       []string `yaml:"verbs"`
	Group       string   `yaml:"group,omitempty"`
	Resource    string   `yaml:"resource,omitempty"`
	Subresource string   `yaml:"subresource,omitempty"`
	// Also are subresources by which the same is done: a namespace's labels are written with its status, too.
	Also []string `yaml:"also,omitempty"`
	// Path asks about a URL that is no resource instead.
	Path string `yaml:"path,omitempty"`
	// ClusterScoped says that the resource has no namespace: a RoleBinding
	// does not grant it.
	ClusterScoped bool `yaml:"clusterScoped,omitempty"`
	// Name asks about one object.
	Name string `yaml:"name,omitempty"`
	// Names says what a rule that is limited to named objects is worth.
	Names naming `yaml:"names,omitempty"`
	// ByPut says that what is created may be created by PUT, whose request names it.
	ByPut bool `yaml:"byPut,omitempty"`
	// Before is the Kubernetes version, such as 1.35, since which this is no longer enough.
	Before string `yaml:"before,omitempty"`
}

// naming says what a rule is worth to an ask if the rule is limited to named objects.
type naming string

const (
	// these: the power is limited to the named objects.
	these naming = ""
	// anyName: the attacker chooses the name, so that one is as good as all.
	anyName naming = "any"
	// noName: a name is not enough.
	noName naming = "none"
	// anywhere: one object anywhere is as good as all of the cluster.
	anywhere naming = "anywhere"
)

// allowedBy says whether a rule allows the ask, for every object (nil names) or
// for named ones. Where the API server knows no name when it decides (create,
// deletecollection), a rule with names allows nothing.
func (a Ask) allowedBy(rule rbacv1.PolicyRule) (names []string, ok bool) {
	for _, verb := range a.Verbs {
		for _, sub := range a.Subresources() {
			r := Request{Verb: verb, Group: a.Group, Resource: a.Resource, Subresource: sub, Name: a.Name, Path: a.Path}
			if allows(rule, r) {
				return nil, true
			}
			if a.limitedBy(rule, r) {
				return rule.ResourceNames, true
			}
		}
	}
	return nil, false
}

// Subresources are those of which each will do; the empty one is the resource itself.
func (a Ask) Subresources() []string { return append([]string{a.Subresource}, a.Also...) }

// limitedBy says that a rule allows the request for the objects that it names.
func (a Ask) limitedBy(rule rbacv1.PolicyRule, r Request) bool {
	nameless := a.Path != "" || r.Verb == "deletecollection" || r.Verb == "create" && a.Subresource == "" && !a.ByPut
	return len(rule.ResourceNames) > 0 && a.Name == "" && a.Names != noName && !nameless &&
		has(rule.Verbs, r.Verb) && allowsResource(rule, r)
}

// ParsePowers reads a list of powers. It is strict: an unknown key, a name used
// twice or a power that asks nothing is an error that names file and line.
func ParsePowers(name string, text []byte) ([]Power, error) {
	var powers []Power
	source, err := strictyaml.Decode(name, text, &powers)
	if errors.Is(err, strictyaml.ErrEmpty) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, p := range powers {
		if err := p.check(); err != nil {
			return nil, source.Errorf(err, strconv.Itoa(i))
		}
		if seen[p.Name] {
			return nil, source.Errorf(fmt.Errorf("power %q is there twice", p.Name), strconv.Itoa(i))
		}
		seen[p.Name] = true
	}
	return powers, nil
}

var powerName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (p Power) check() error {
	switch {
	case !powerName.MatchString(p.Name):
		return fmt.Errorf("name %q: want lower-case words joined by hyphens", p.Name)
	case p.Title == "" || p.Why == "":
		return fmt.Errorf("power %q: want a title and a why", p.Name)
	case !severity.IsRated(p.Severity):
		return fmt.Errorf("power %q: severity %q: want low, medium, high or critical", p.Name, p.Severity)
	case len(p.Any) == 0 && len(p.All) == 0:
		return fmt.Errorf("power %q: want any or all, with at least one ask", p.Name)
	}
	for _, a := range slices.Concat(p.Any, p.All) {
		if err := a.check(); err != nil {
			return fmt.Errorf("power %q: %w", p.Name, err)
		}
	}
	return nil
}

func (a Ask) check() error {
	switch {
	case len(a.Verbs) == 0 || (a.Resource == "") == (a.Path == ""):
		return errors.New("an ask wants verbs and either a resource or a path")
	case !slices.Contains([]naming{these, anyName, noName, anywhere}, a.Names):
		return fmt.Errorf("names %q: want any, none or anywhere", a.Names)
	case a.Before != "" && releaseOf(a.Before) == (release{}):
		return fmt.Errorf("before %q: want a version such as 1.35", a.Before)
	}
	return nil
}

// resources are what the names of a scope are names of: "secrets", "roles".
func (p Power) resources() (out []string) {
	for _, a := range slices.Concat(p.Any, p.All) {
		if a.Names == these && a.Name == "" && a.Resource != "" && !slices.Contains(out, a.Resource) {
			out = append(out, a.Resource)
		}
	}
	return out
}
