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
// Any is allowed, or where every one of All is.
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
	// Path asks about a URL that is no resource instead.
	Path string `yaml:"path,omitempty"`
	// ClusterScoped says that the resource has no namespace: a RoleBinding
	// does not grant it.
	ClusterScoped bool `yaml:"clusterScoped,omitempty"`
}

// allowedBy says whether a rule allows the ask, for every object (nil names) or
// for named ones. Where the API server knows no name when it decides (create,
// deletecollection), a rule with names allows nothing.
func (a Ask) allowedBy(rule rbacv1.PolicyRule) (names []string, ok bool) {
	for _, verb := range a.Verbs {
		r := Request{Verb: verb, Group: a.Group, Resource: a.Resource, Subresource: a.Subresource, Path: a.Path}
		if allows(rule, r) {
			return nil, true
		}
		nameless := a.Path != "" || verb == "deletecollection" || verb == "create" && a.Subresource == ""
		if len(rule.ResourceNames) > 0 && !nameless && has(rule.Verbs, verb) && allowsResource(rule, r) {
			return rule.ResourceNames, true
		}
	}
	return nil, false
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
	case (len(p.Any) == 0) == (len(p.All) == 0):
		return fmt.Errorf("power %q: want either any or all, with at least one ask", p.Name)
	}
	for _, a := range slices.Concat(p.Any, p.All) {
		if len(a.Verbs) == 0 || (a.Resource == "") == (a.Path == "") {
			return fmt.Errorf("power %q: an ask wants verbs and either a resource or a path", p.Name)
		}
	}
	return nil
}
