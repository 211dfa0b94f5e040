package graph

import "slices"

// Compose is the edges that two adjacencies of a segment make together, as edges of
// another kind: from where first begins to where then ends, each pair once. It has
// no columns. Pairs that besides holds already are left out.
func (s *Segment) Compose(edge int, first, then *Rel, besides []*Rel) *Rel {
	c := &composed{first: first, then: then}
	for _, r := range besides {
		if r.From == first.From && r.To == then.To {
			c.besides = append(c.besides, r)
		}
	}
	r := &Rel{Edge: edge, From: first.From, To: then.To, made: c}
	c.edges, c.plain = c.product()
	if !c.plain {
		c.edges = 0
		for i := range first.out.all() {
			c.edges += len(c.out(i))
		}
	}
	return r
}

// composed are edges that are not held: what leads to a node in the middle leads to what that leads to. They are
// found when they are asked for, since what is asked is mostly of few of many.
type composed struct {
	first, then *Rel
	besides     []*Rel // between the same kinds
	plain       bool   // no way leads to a pair that is there already
	edges       int
}

// product is how many ways lead over a node in the middle, and whether each is an edge of its own.
func (c *composed) product() (ways int, plain bool) {
	if c.then.inPos != nil {
		return 0, false // edges with columns may be parallel
	}
	for m := range c.then.out.all() {
		starts, _ := c.first.In(m)
		if !c.apart(starts) {
			return 0, false
		}
		ends, _ := c.then.Out(m)
		ways += len(starts) * len(ends)
	}
	return ways, true
}

// apart says that from each of the nodes one way leads on, and nothing is held besides.
func (c *composed) apart(starts []uint32) bool {
	for _, i := range starts {
		if middle, _ := c.first.Out(i); len(middle) > 1 {
			return false
		}
		for _, r := range c.besides {
			if held, _ := r.Out(i); len(held) > 0 {
				return false
			}
		}
	}
	return true
}

func (c *composed) out(i uint32) []uint32 {
	middle, _ := c.first.Out(i)
	if c.plain && len(middle) == 1 {
		ends, _ := c.then.Out(middle[0])
		return ends
	}
	var ends []uint32
	for _, m := range middle {
		next, _ := c.then.Out(m)
		ends = append(ends, next...)
	}
	return c.once(ends, func(r *Rel) []uint32 {
		held, _ := r.Out(i)
		return held
	})
}

func (c *composed) in(j uint32) []uint32 {
	middle, _ := c.then.In(j)
	if c.plain && len(middle) == 1 {
		starts, _ := c.first.In(middle[0])
		return starts
	}
	var starts []uint32
	for _, m := range middle {
		before, _ := c.first.In(m)
		starts = append(starts, before...)
	}
	return c.once(starts, func(r *Rel) []uint32 {
		held, _ := r.In(j)
		return held
	})
}

// once puts ends in order, each once, without those that are held besides.
func (c *composed) once(ends []uint32, held func(*Rel) []uint32) []uint32 {
	slices.Sort(ends)
	ends = slices.Compact(ends)
	for _, r := range c.besides {
		if there := held(r); len(there) > 0 {
			ends = slices.DeleteFunc(ends, func(end uint32) bool { return has(there, end) })
		}
	}
	return ends
}

func has(sorted []uint32, i uint32) bool {
	_, there := slices.BinarySearch(sorted, i)
	return there
}
