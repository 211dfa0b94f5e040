package detect

import "github.com/breakwater-sec/breakwater/event"

// Context knows the graph. It is asked about the entities of an alert, after a
// rule matched, never before.
type Context interface {
	// About says what is known of an entity in a cluster; ok is false if the graph
	// does not hold it (yet).
	About(cluster string, e event.Entity) (a About, ok bool)
}

// About is what the graph knows of one entity.
type About struct {
	// ID is the entity's node in the graph, Kind and Name how it is called there.
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	// Exposed is whether the internet reaches it; nil is not known.
	Exposed *bool `json:"exposed"`
	// Paths are the attack paths it lies on, worst first; Reaches is what can be
	// taken over from it, in words.
	Paths   []Path   `json:"paths"`
	Reaches []string `json:"reaches"`
	// Unknown says what could not be seen that the answer depends on.
	Unknown []string `json:"unknown,omitempty"`
}

// Path is an attack path that an entity lies on.
type Path struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Risk  string `json:"risk"`
}
