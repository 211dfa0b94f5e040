package graph

// Scope is what an asker may see. The zero Scope sees nothing.
type Scope struct {
	// All sees every segment.
	All bool
	// Segments maps a cluster's name to the tenants seen in it (values of the
	// kind's Tenant column); an empty list sees the whole cluster.
	Segments map[string][]string
}

// Everything is the scope of an administrator.
var Everything = Scope{All: true}
