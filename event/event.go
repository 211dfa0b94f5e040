// Package event is the one shape in which audit logs and sensors speak: one
// thing that happened in one cluster, as fields that a rule may ask for and
// entities that a graph may know. Decoders (event/audit, event/runtime) fill it.
//
// The package knows no rule, no graph and no transport.
package event

import (
	"cmp"
	"encoding/json"
	"time"
)

// Source is where events come from, as Sigma's logsource says it.
type Source struct {
	Product  string `json:"product"`            // kubernetes, linux
	Service  string `json:"service,omitempty"`  // audit
	Category string `json:"category,omitempty"` // process_creation, …
}

// Event is one thing that happened in one cluster.
type Event struct {
	// ID is a hash over the cluster and the received bytes; ask Identity for it. Ids that
	// a sender chooses (auditID) are fields, never keys.
	ID string
	// Act is what the events of one act share, such as the stages of one request.
	// A second event of an act adds nothing to a count. Empty means ID.
	Act     string
	Cluster string
	Source  Source
	Time    time.Time // by the sender's clock
	// Fields are what rules see; a name that is not there is absent, not empty.
	Fields Fields
	// Unseen are the beginnings of the names of fields that the log left out of this event: where such a field is
	// absent, that says nothing.
	Unseen []string
	// Entities are what the event speaks of, most important first.
	Entities []Entity
	// Object is what the event wrote into its cluster, if it did.
	Object *Object
	// Raw is the event as evidence. Secret values were taken out.
	Raw json.RawMessage
	// Redact makes Raw, and Identify ID and Act, where that costs too much to do for events
	// nobody asks about.
	Redact   func() json.RawMessage
	Identify func() (id, act string)
}

// Identity is ID and Act, made if need be.
func (e *Event) Identity() (id, act string) {
	if e.ID == "" && e.Identify != nil {
		id, act := e.Identify()
		e.ID, e.Act = id, cmp.Or(e.Act, act)
	}
	return e.ID, e.Act
}

// Evidence is Raw, made if need be.
func (e *Event) Evidence() json.RawMessage {
	if e.Raw == nil && e.Redact != nil {
		e.Raw = e.Redact()
	}
	return e.Raw
}

// Fields holds every field's values: most have one, lists have many. Booleans
// are "true" and "false", numbers are decimal.
type Fields map[string][]string

// Field says what a field is: the words of the reference page and the check of
// rules at load.
type Field struct {
	Name, Sentence string
	// Example is a value as it comes.
	Example string
	// Number says that every value is one, Written that it is read of what a request wrote, which a log may leave out.
	Number, Written bool
}

// Role is the part an entity plays in an event.
type Role string

// What an entity is to the event.
const (
	Actor   Role = "actor"   // who did it
	Target  Role = "target"  // what it was done to
	Place   Role = "place"   // where it happened
	Related Role = "related" // what else is named: images, volumes, addresses
)

// Entity is a thing that an event speaks of.
type Entity struct {
	Role Role `json:"role"`
	// Kind is a kind of the graph's vocabulary: Pod, Container, Image, User, …
	// Process, Volume and Address are entities that the graph need not hold.
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// ID is the graph's stable id, if the thing can be named without asking.
	ID string `json:"id,omitempty"`
	// Detail is one more word: a host path, a digest, a process's arguments.
	Detail string `json:"detail,omitempty"`
}

// Object is a link of the chain from a person's request to what controllers
// made of it: the thing that was written, and the thing that owns it.
type Object struct {
	UID, Kind, Namespace, Name string
	// Owner is the controlling owner's uid, empty for what stands for itself; of
	// OwnerKind it is only if the object of that uid is of that kind.
	Owner, OwnerKind string
	// Claimed says that the object names that owner, and that nothing shows it to be so.
	Claimed bool
}
