package detect

import (
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

// place is an object of a cluster: uids are unique within one.
type place struct{ cluster, uid string }

// made is what is remembered of an object that some request wrote.
type made struct {
	kind, namespace, name string
	owner                 string // uid
	by                    event.Entity
	since                 time.Time
	children              []string // uids
}

const (
	maxChildren = 32
	// maxChain bounds a walk along owners: CronJob, Job, Pod and an operator's
	// resource above them is four.
	maxChain = 8
)

// chain remembers who made which object and what owns it, so that a pod leads
// back to the request of a person. Events may come in any order: an owner may be
// known by what it owns before it is seen itself.
type chain struct{ objects *recent[place, *made] }

func newChain(most int) *chain { return &chain{newRecent[place, *made](most, nil)} }

func (c *chain) at(p place) *made {
	m, _ := c.objects.get(p)
	return m
}

func (c *chain) need(p place) *made {
	m := c.at(p)
	if m == nil {
		m = &made{}
		c.objects.put(p, m)
	}
	return m
}

// note takes what an event wrote. The maker is who wrote it first, by the clock
// of the sender: whoever changes a thing later did not make it.
func (c *chain) note(e *event.Event) {
	o := e.Object
	m := c.need(place{strings.Clone(e.Cluster), strings.Clone(o.UID)})
	if m.kind == "" {
		m.kind, m.namespace, m.name = strings.Clone(o.Kind), strings.Clone(o.Namespace), strings.Clone(o.Name)
		m.owner = strings.Clone(o.Owner)
	}
	if m.by.Name == "" || e.Time.Before(m.since) {
		m.by, m.since = kept(first(e, event.Actor)), e.Time
	}
	if o.Owner != "" {
		owner := c.need(place{strings.Clone(e.Cluster), m.owner})
		add(&owner.children, strings.Clone(o.UID), maxChildren)
	}
}

// owners walks up from an object, itself first.
func (c *chain) owners(cluster, uid string, each func(uid string, m *made) (more bool)) {
	for range maxChain {
		m := c.at(place{cluster, uid})
		if uid == "" || !each(uid, m) || m == nil {
			return
		}
		uid = m.owner
	}
}

// root is the topmost object above one that is known, if there is any above it.
func (c *chain) root(cluster string, o *event.Object) *made {
	var top *made
	c.owners(cluster, o.Owner, func(_ string, m *made) bool {
		if m != nil && m.kind != "" {
			top = m
		}
		return true
	})
	return top
}

// below walks everything that an object owns, and what that owns.
func (c *chain) below(cluster, uid string, depth int, each func(uid string, m *made)) {
	m := c.at(place{cluster, uid})
	if m == nil || depth == maxChain {
		return
	}
	for _, child := range m.children {
		if m := c.at(place{cluster, child}); m != nil {
			each(child, m)
			c.below(cluster, child, depth+1, each)
		}
	}
}

// first is the first entity of a role.
func first(e *event.Event, role event.Role) event.Entity {
	for _, x := range e.Entities {
		if x.Role == role {
			return x
		}
	}
	return event.Entity{}
}

// kept is an entity that holds on to no event's text.
func kept(e event.Entity) event.Entity {
	return event.Entity{Role: e.Role, Kind: strings.Clone(e.Kind), Namespace: strings.Clone(e.Namespace), Name: strings.Clone(e.Name), ID: strings.Clone(e.ID), Detail: strings.Clone(e.Detail)}
}

// named is an entity as a sentence names it.
func named(kind, namespace, name string) string {
	if namespace != "" {
		name = namespace + "/" + name
	}
	return kind + " " + name
}
