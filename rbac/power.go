package rbac

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/severity"
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

const maxPowers = 1 << 20

// ParsePowers reads a list of powers. It is strict: an unknown key, a name used
// twice or a power that asks nothing is an error that names the line.
func ParsePowers(text []byte) ([]Power, error) {
	if len(text) > maxPowers {
		return nil, fmt.Errorf("read powers: %d bytes are more than the %d allowed", len(text), maxPowers)
	}
	var nodes []yaml.Node
	var powers []Power
	if err := decode(text, &powers); err != nil {
		return nil, fmt.Errorf("read powers: %w", err)
	}
	if err := yaml.Unmarshal(text, &nodes); err != nil {
		return nil, fmt.Errorf("read powers: %w", err)
	}
	seen := map[string]bool{}
	for i, p := range powers {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("read powers: line %d: %w", nodes[i].Line, err)
		}
		if seen[p.Name] {
			return nil, fmt.Errorf("read powers: line %d: power %q is there twice", nodes[i].Line, p.Name)
		}
		seen[p.Name] = true
	}
	return powers, nil
}

func decode(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && err != io.EOF {
		return err
	}
	if err := d.Decode(new(any)); err != io.EOF {
		return fmt.Errorf("want one document, found more")
	}
	return nil
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
