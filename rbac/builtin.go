package rbac

import (
	_ "embed"
	"sync"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed builtin.yaml
var builtInText []byte

// builtIn is a role that every API server creates, as builtin.yaml has it.
type builtIn struct {
	Name      string `yaml:"name"`
	Namespace string `yaml:"namespace,omitempty"`
	// Labels and Selects are names below rbac.authorization.k8s.io/.
	Labels  []string      `yaml:"labels,omitempty"`
	Selects string        `yaml:"selects,omitempty"`
	Rules   []builtInRule `yaml:"rules,omitempty"`
}

type builtInRule struct {
	Groups    []string `yaml:"groups,omitempty"`
	Resources []string `yaml:"resources,omitempty"`
	Names     []string `yaml:"names,omitempty"`
	URLs      []string `yaml:"urls,omitempty"`
	Verbs     []string `yaml:"verbs"`
}

// builtInRoles are the roles that every API server creates. They stand in where
// they were not among what was read.
var builtInRoles = sync.OnceValue(func() (out struct {
	cluster map[collect.Key]*rbacv1.ClusterRole
	roles   map[collect.Key]*rbacv1.Role
}) {
	var all []builtIn
	if _, err := strictyaml.Decode("builtin.yaml", builtInText, &all); err != nil {
		panic(err) // it is part of the program
	}
	out.cluster, out.roles = map[collect.Key]*rbacv1.ClusterRole{}, map[collect.Key]*rbacv1.Role{}
	for _, b := range all {
		key, meta := collect.Key{Namespace: b.Namespace, Name: b.Name}, metav1.ObjectMeta{Name: b.Name, Namespace: b.Namespace}
		if b.Namespace != "" {
			out.roles[key] = &rbacv1.Role{ObjectMeta: meta, Rules: b.rules()}
			continue
		}
		meta.Labels = map[string]string{}
		for _, l := range b.Labels {
			meta.Labels[rbacv1.GroupName+"/"+l] = "true"
		}
		c := &rbacv1.ClusterRole{ObjectMeta: meta, Rules: b.rules()}
		if b.Selects != "" {
			c.AggregationRule = &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{
				{MatchLabels: map[string]string{rbacv1.GroupName + "/" + b.Selects: "true"}}}}
		}
		out.cluster[key] = c
	}
	return out
})

func (b builtIn) rules() (out []rbacv1.PolicyRule) {
	for _, r := range b.Rules {
		out = append(out, rbacv1.PolicyRule{Verbs: r.Verbs, APIGroups: r.Groups, Resources: r.Resources, ResourceNames: r.Names,
			NonResourceURLs: r.URLs})
	}
	return out
}
