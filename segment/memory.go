package segment

import (
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/rbac"
	"github.com/breakwater-sec/breakwater/ref"
)

// Memory is what was drawn of one cluster the last time, but for what access control decides. Where nothing else is different, it
// is not drawn again: all the rest is drawn from facts without the objects of access control, so that it cannot depend on them.
// The questions about rights, and whose registries are, must be the same each time. It is used by one drawing after the other,
// and what came of one is no longer good when the next begins.
type Memory struct {
	facts *collect.Facts // nil: nothing was drawn
	drawn *cluster
	// Again is whether something was taken over the last time.
	Again bool
}

// accessKinds are those of access control.
var accessKinds = []string{"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}

// Drawn is the func of that name. A nil Memory remembers nothing.
func (m *Memory) Drawn(f *collect.Facts, powers []rbac.Power, more func(*Judged)) *Result {
	if m == nil {
		m = &Memory{}
	}
	r := judgeRights(f, powers)
	defer r.asked.Wait()
	var known Judged
	more(&known)
	rest := f.Except(accessKinds...)
	c := m.drawn
	if m.Again = m.facts != nil && m.facts.Same(rest) && c.images.meanThe(known.Image); m.Again {
		m.facts = nil // until it is whole again
		c.rewind()
	} else {
		m.facts = nil
		j := traffic(rest)
		more(&j)
		c = newCluster(rest, j)
		c.drawRest()
		c.setMark()
	}
	c.judged.Machines = known.Machines
	c.rights = func() { r.tell(&c.judged) }
	out := c.drawRights(f)
	m.drawn, m.facts = c, rest.Clone()
	return out
}

// marked is what a cluster was when all but what access control decides was drawn.
type marked struct {
	facts  *collect.Facts
	judged Judged
	gaps   int
	// What was noted since.
	drawn []string
	put   []ref.Ref
}

// setMark has the cluster remember where access control begins. What only the rest asks is let go of.
func (c *cluster) setMark() {
	c.judged.Exposure, c.judged.Policies, c.judged.Clouds = nil, nil, nil
	c.marked = &marked{facts: c.facts, judged: c.judged, gaps: len(c.gaps)}
	c.b.Mark()
}

func (c *cluster) rewind() {
	m := c.marked
	c.b.Rewind()
	for _, id := range m.drawn {
		delete(c.drawn, id)
	}
	for _, is := range slices.Backward(m.put) {
		key := thing{is.Kind, is.Name}
		if left := c.things[key]; len(left) > 1 {
			c.things[key] = left[:len(left)-1]
		} else {
			delete(c.things, key)
		}
	}
	c.facts, c.judged, c.gaps = m.facts, m.judged, c.gaps[:m.gaps]
	m.drawn, m.put = m.drawn[:0], m.put[:0]
}

// draws notes that something is drawn, and says whether it was before.
func (c *cluster) draws(id string) (before bool) {
	if c.drawn[id] {
		return true
	}
	c.drawn[id] = true
	if c.marked != nil {
		c.marked.drawn = append(c.marked.drawn, id)
	}
	return false
}

// meanThe says that each use of an image means what it meant.
func (i imageUses) meanThe(id func(assess.Use) string) bool {
	is := newImageUses(id)
	for _, u := range i.meant {
		if is.id(u.use) != u.id {
			return false
		}
	}
	return true
}
