package collect

import (
	"iter"
	"maps"
	"reflect"
	"time"
)

// NewFacts is an empty cluster: every map is there to be read and written.
func NewFacts() *Facts {
	f := &Facts{Unread: map[string]int{}, Gaps: map[GapKey]Gap{}, ResourceVersions: map[string]string{},
		Tally: Tally{Left: map[string]int{}}}
	for _, t := range tables {
		t.clear(f)
	}
	return f
}

// Apply moves the facts by one change and says whether anything that counts is
// different now. A Put of equal content, Alive and Synced change nothing but
// AsOf. A kind or an object type that Facts does not hold is a mistake of the
// caller and panics.
func (f *Facts) Apply(c Change) (changed bool) {
	switch c.Op {
	case Put:
		return tableOf(c.Kind).put(f, c.Kind, c.Key, c.Object)
	case Gone:
		return tableOf(c.Kind).gone(f, c.Kind, c.Key)
	case Resynced:
		if c.Version != "" {
			f.ResourceVersions[c.Kind] = c.Version
		}
		return tableOf(c.Kind).retain(f, c.Kind, c.Keys)
	case GapOpen:
		return f.openGap(*c.Gap)
	case GapClosed:
		_, changed = f.Gaps[c.Gap.Key()]
		delete(f.Gaps, c.Gap.Key())
		return changed
	case Info:
		info := c.Object.(ClusterInfo)
		changed = f.Cluster != info
		f.Cluster = info
		return changed
	case Counted:
		old, known := f.Unread[c.Kind]
		f.Unread[c.Kind] = c.Object.(int)
		return !known || old != c.Object.(int)
	case Synced, Alive:
		if c.Time.After(f.AsOf) {
			f.AsOf = c.Time
		}
	}
	return false
}

// openGap keeps the time of the first sight while the same thing stays unseen.
func (f *Facts) openGap(g Gap) bool {
	old, known := f.Gaps[g.Key()]
	if known {
		g.Since = old.Since
	}
	f.Gaps[g.Key()] = g
	return !known || !reflect.DeepEqual(old, g)
}

// Clone copies the maps and shares what they point to, which nobody changes:
// the copy stays as it is while the original goes on.
func (f *Facts) Clone() *Facts {
	n := *f
	for _, t := range tables {
		t.clone(&n)
	}
	n.Unread, n.Gaps, n.ResourceVersions = maps.Clone(f.Unread), maps.Clone(f.Gaps), maps.Clone(f.ResourceVersions)
	n.Tally.Left = maps.Clone(f.Tally.Left)
	return &n
}

// Except is the facts without the objects of some kinds, and without what they are as of. All else is shared.
func (f *Facts) Except(kinds ...string) *Facts {
	out := *f
	out.AsOf = time.Time{}
	for _, kind := range kinds {
		tableOf(kind).clear(&out)
	}
	return &out
}

// Same says that the facts are made of the very same objects as others, and say the same of all else. What they are as of does not count.
func (f *Facts) Same(o *Facts) bool {
	a, b := *f, *o
	for _, t := range tables {
		if !t.same(&a, &b) {
			return false
		}
		t.clear(&a)
		t.clear(&b)
	}
	a.AsOf, b.AsOf = time.Time{}, time.Time{}
	return reflect.DeepEqual(&a, &b)
}

// Each yields every object of a kind, sorted by namespace and name.
func (f *Facts) Each(kind string) iter.Seq2[Key, any] {
	return func(yield func(Key, any) bool) { tableOf(kind).each(f, kind, yield) }
}

// Get is the object of a kind that has the key, nil if there is none.
func (f *Facts) Get(kind string, k Key) any { return tableOf(kind).get(f, kind, k) }

// Len is how many objects of a kind there are.
func (f *Facts) Len(kind string) int { return tableOf(kind).len(f, kind) }
