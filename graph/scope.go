package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Scope is what an asker may see. The zero Scope sees nothing.
type Scope struct {
	// All sees every segment.
	All bool `json:"all,omitempty"`
	// Segments maps a cluster's name to the tenants seen in it (values of the
	// kind's Tenant column); an empty list sees the whole cluster.
	Segments map[string][]string `json:"segments,omitempty"`
}

// Everything is the scope of an administrator.
var Everything = Scope{All: true}

// String is the same for scopes that see the same.
func (s Scope) String() string {
	if s.All {
		return "everything"
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Segments)) {
		out = append(out, fmt.Sprintf("%q: %q", name, slices.Compact(slices.Sorted(slices.Values(s.Segments[name])))))
	}
	return strings.Join(out, ", ")
}

// Only is what an asker of this scope sees of one cluster; nothing of one that they
// do not see.
func (s Scope) Only(cluster string) Scope {
	tenants, there := s.Segments[cluster]
	if !s.All && !there {
		return Scope{}
	}
	return Scope{Segments: map[string][]string{cluster: tenants}}
}
