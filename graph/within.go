package graph

import "slices"

// sight is which nodes of a view its reader may see. A node that is not seen is
// not found, not counted, and no edge leads to it.
type sight struct {
	// shared holds a bitmap for each shared kind; clusters, for each other kind, of
	// the segments of which something is seen.
	shared   []Bitmap
	clusters map[*Segment][]Bitmap
}

// Within is the view of a reader who may see only what is in a scope. A shared
// node is seen when a node of a cluster that is seen is joined to it, or a shared
// node that is seen leads to it. What is not seen of a view stays unseen.
func (v *View) Within(s Scope) *View {
	if s.All {
		return v
	}
	out := *v
	out.sight = &sight{shared: make([]Bitmap, len(v.vocab.kinds)), clusters: map[*Segment][]Bitmap{}}
	for k, kind := range v.vocab.kinds {
		if kind.Shared {
			out.sight.shared[k] = NewBitmap(v.shared.Len(k))
		}
	}
	for _, seg := range v.clusters {
		if tenants, seen := s.Segments[seg.name]; seen {
			out.sight.clusters[seg] = v.tenantsOf(seg, tenants)
			out.sight.touch(v, seg)
		}
	}
	out.sight.follow(v)
	return &out
}

// tenantsOf is what a reader of some tenants sees of a segment; without any, all.
func (v *View) tenantsOf(seg *Segment, tenants []string) []Bitmap {
	out := make([]Bitmap, len(v.vocab.kinds))
	for k, kind := range v.vocab.kinds {
		if kind.Shared || len(tenants) > 0 && kind.Tenant == "" {
			continue
		}
		out[k] = NewBitmap(seg.Len(k))
		for i := range uint32(seg.Len(k)) {
			n := Node{v, seg, k, i}
			if (len(tenants) == 0 || slices.Contains(tenants, n.Text(kind.Tenant))) && v.sees(n) {
				out[k].Set(i)
			}
		}
	}
	return out
}

// touch lets the shared nodes be seen that seen nodes of a segment are joined to.
func (s *sight) touch(v *View, seg *Segment) {
	own := s.clusters[seg]
	for e := range v.vocab.edges {
		for _, r := range seg.Rels(e) {
			switch from, to := v.vocab.kinds[r.From].Shared, v.vocab.kinds[r.To].Shared; {
			case to && !from:
				for i := range own[r.From].All() {
					far, _ := r.Out(i)
					s.see(v, seg, r.To, far)
				}
			case from && !to:
				for i := range own[r.To].All() {
					far, _ := r.In(i)
					s.see(v, seg, r.From, far)
				}
			}
		}
	}
}

func (s *sight) see(v *View, seg *Segment, kind int, stubs []uint32) {
	for _, stub := range stubs {
		if i := seg.Stubs(kind)[stub]; v.sees(Node{v, v.shared, kind, i}) {
			s.shared[kind].Set(i)
		}
	}
}

// follow lets be seen what shared nodes that are seen lead to.
func (s *sight) follow(v *View) {
	type row struct {
		kind int
		i    uint32
	}
	var todo []row
	for k, seen := range s.shared {
		for i := range seen.All() {
			todo = append(todo, row{k, i})
		}
	}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for e := range v.vocab.edges {
			for _, r := range v.shared.Rels(e) {
				if r.From != at.kind {
					continue
				}
				far, _ := r.Out(at.i)
				for _, i := range far {
					if !s.shared[r.To].Has(i) && v.sees(Node{v, v.shared, r.To, i}) {
						s.shared[r.To].Set(i)
						todo = append(todo, row{r.To, i})
					}
				}
			}
		}
	}
}

// sees says whether the reader of the view may see a node.
func (v *View) sees(n Node) bool {
	if v.sight == nil {
		return true
	}
	if n.seg.shared {
		return v.sight.shared[n.kind].Has(n.i)
	}
	own := v.sight.clusters[n.seg]
	return own != nil && own[n.kind] != nil && own[n.kind].Has(n.i)
}
