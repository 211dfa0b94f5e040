package graph

import "slices"

// sight is which nodes of a view its reader may see. A node that is not seen is
// not found, not counted, and no edge leads to it.
type sight struct {
	of string // the scope
	// shared holds a bitmap for each shared kind; clusters, for each other kind, of
	// the segments of which something is seen.
	shared   []Bitmap
	clusters map[*Segment][]Bitmap
}

// Within is the view of a reader who may see only what is in a scope. A shared
// node is seen when a node of a cluster that is seen is joined to it, or a shared
// node that is seen leads to it. What is not seen of a view stays unseen.
func (v *View) Within(s Scope) *View {
	if s.All || v.sight != nil && v.sight.of == s.String() {
		return v
	}
	seen := &sight{of: s.String(), shared: make([]Bitmap, len(v.vocab.kinds)), clusters: map[*Segment][]Bitmap{}}
	for k, kind := range v.vocab.kinds {
		if kind.Shared {
			seen.shared[k] = NewBitmap(v.shared.Len(k))
		}
	}
	out := *v
	out.sight, out.clusters, out.byName = seen, nil, map[string]*Segment{}
	for _, seg := range v.clusters {
		tenants, there := s.Segments[seg.name]
		if !there {
			continue
		}
		own := v.tenantsOf(seg, tenants)
		seen.touch(v, seg, own)
		if len(tenants) > 0 {
			seg = seg.unnamed()
		}
		seen.clusters[seg] = own
		out.clusters, out.byName[seg.name] = append(out.clusters, seg), seg
	}
	seen.follow(v)
	return &out
}

// unnamed is a segment without the columns that may name anything.
func (s *Segment) unnamed() *Segment {
	out := *s
	out.tables = slices.Clone(s.tables)
	for k, table := range s.tables {
		if table == nil || !slices.ContainsFunc(s.vocab.kinds[k].Columns, func(c Column) bool { return c.Names }) {
			continue
		}
		bare := *table
		bare.cols = slices.Clone(table.cols)
		for c, col := range s.vocab.kinds[k].Columns {
			if col.Names {
				bare.cols[c] = column{bits: whole}
			}
		}
		out.tables[k] = &bare
	}
	out.rels = make(map[int][]*Rel, len(s.rels))
	for e, rels := range s.rels {
		for _, r := range rels {
			bare := *r
			bare.cols = slices.Clone(r.cols)
			for c, column := range s.vocab.edges[e].Columns {
				if column.Names && c < len(bare.cols) {
					bare.cols[c] = nil
				}
			}
			out.rels[e] = append(out.rels[e], &bare)
		}
	}
	return &out
}

// Restated is the view with other values in a column of a shared kind, for the
// nodes that are seen: what a node says of others depends on which are seen.
func (v *View) Restated(kind, name string, value func(Node) Value) *View {
	k := v.vocab.KindIndex(kind)
	c := columnIndex(v.vocab.kinds[k].Columns, name)
	old := v.shared.tables[k]
	var changes []change
	for i := range uint32(old.n) {
		said := Value{}
		if n := (Node{v, v.shared, k, i}); v.sees(n) {
			said = value(n)
		}
		changes = append(changes, change{i, said})
	}
	table := *old
	table.cols = slices.Clone(old.cols)
	table.cols[c] = column{bits: pieceBits}.changed(v.vocab.kinds[k].Columns[c], old.n, changes)
	shared := *v.shared
	shared.tables = slices.Clone(v.shared.tables)
	shared.tables[k] = &table
	out := *v
	out.shared = &shared
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
func (s *sight) touch(v *View, seg *Segment, own []Bitmap) {
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

// Whole says that everything is seen.
func (v *View) Whole() bool { return v.sight == nil }

// Seen is which nodes of a kind in a segment are seen, of a view that is not
// whole; nil if none is.
func (v *View) Seen(kind int, seg *Segment) Bitmap {
	if seg.shared {
		return v.sight.shared[kind]
	}
	return v.sight.clusters[seg][kind]
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
