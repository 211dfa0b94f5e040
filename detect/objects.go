package detect

import (
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/breakwater-sec/breakwater/event"
)

// place is an object of a cluster: uids are unique within one.
type place struct{ cluster, uid string }

// made is what is remembered of an object that some request wrote.
type made struct {
	kind, namespace, name string
	owner, ownerKind      string // the owner's uid, and what it must be
	by                    event.Entity
	since                 time.Time
	owned                 []string // uids
}

const (
	maxOwned = 32
	// maxDepth bounds a walk along owners: CronJob, Job, Pod and an operator's
	// resource above them is four.
	maxDepth = 8
	// maxWalk bounds the objects of a walk to what is owned: who makes up objects can let
	// each own all of the next.
	maxWalk = 256
)

// objects remembers who made which object and what owns it, so that a pod leads
// back to the request of a person. Events may come in any order: an owner may be
// known by what it owns before it is seen itself.
type objects struct{ recent *simplelru.LRU[place, *made] }

func newObjects(most int) *objects { return &objects{remembering[place, *made](most, nil)} }

// find is what is known of an object, or nil.
func (o *objects) find(p place) *made {
	m, _ := o.recent.Get(p)
	return m
}

// entry is what is known of an object, begun if nothing is.
func (o *objects) entry(p place) *made {
	m := o.find(p)
	if m == nil {
		m = &made{}
		o.recent.Add(p, m)
	}
	return m
}

// written takes what an event wrote. The maker is who wrote it first, by the clock
// of the sender: who changes a thing later did not make it.
func (o *objects) written(e *event.Event) {
	x := e.Object
	m := o.entry(place{strings.Clone(e.Cluster), strings.Clone(x.UID)})
	if m.kind == "" {
		m.kind, m.namespace, m.name = strings.Clone(x.Kind), strings.Clone(x.Namespace), strings.Clone(x.Name)
	}
	if m.by.Name == "" || e.Time.Before(m.since) {
		m.by, m.since = kept(first(e, event.Actor)), e.Time
	}
	if x.Owner != "" && !x.Claimed {
		m.owner, m.ownerKind = strings.Clone(x.Owner), strings.Clone(x.OwnerKind)
		owner := o.entry(place{strings.Clone(e.Cluster), m.owner})
		add(&owner.owned, strings.Clone(x.UID), maxOwned)
	}
}

// owners walks up from an object, itself first. An object that is known to be of
// another kind than it was named as is no owner.
func (o *objects) owners(cluster, uid, kind string, each func(uid string, m *made) (more bool)) {
	for range maxDepth {
		m := o.find(place{cluster, uid})
		if uid == "" || !m.is(kind) || !each(uid, m) || m == nil {
			return
		}
		uid, kind = m.owner, m.ownerKind
	}
}

// is says that nothing speaks against the kind.
func (m *made) is(kind string) bool { return m == nil || m.kind == "" || kind == "" || m.kind == kind }

// topOwner is the topmost owner of an object that is known, if there is any.
func (o *objects) topOwner(cluster string, of *event.Object) *made {
	var top *made
	o.owners(cluster, of.Owner, of.OwnerKind, func(_ string, m *made) bool {
		if m != nil && m.kind != "" {
			top = m
		}
		return true
	})
	return top
}

// owned walks what an object owns, and what that owns, each once.
func (o *objects) owned(cluster, uid string, each func(uid string, m *made)) {
	o.ownedTo(maxDepth, cluster, uid, map[string]bool{uid: true}, each)
}

func (o *objects) ownedTo(depth int, cluster, uid string, seen map[string]bool, each func(uid string, m *made)) {
	m := o.find(place{cluster, uid})
	if m == nil || depth == 0 {
		return
	}
	for _, child := range m.owned {
		c := o.find(place{cluster, child})
		if c == nil || !m.is(c.ownerKind) || seen[child] || len(seen) > maxWalk {
			continue
		}
		seen[child] = true
		each(child, c)
		o.ownedTo(depth-1, cluster, child, seen, each)
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
	return event.Entity{Role: e.Role, Kind: strings.Clone(e.Kind), Namespace: strings.Clone(e.Namespace), Name: strings.Clone(e.Name),
		ID: strings.Clone(e.ID), Detail: strings.Clone(e.Detail)}
}
