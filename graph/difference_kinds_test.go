package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// allTypes has a column of each type, on nodes and on edges, and edges between own and shared nodes both ways.
var allTypes = NewVocabulary([]Kind{
	{Name: "Image", Shared: true, Columns: []Column{{Name: "size", Type: Int}, {Name: "name", Type: Text}}},
	{Name: "Pod", Columns: allColumns},
	{Name: "Node", Columns: []Column{{Name: "name", Type: Text}}},
}, []EdgeKind{{Name: "USES", Columns: allColumns}, {Name: "RUNS", Columns: nil}, {Name: "GAINS", Columns: nil}})

var allColumns = []Column{
	{Name: "text", Type: Text}, {Name: "word", Type: Text, Dict: true}, {Name: "count", Type: Int}, {Name: "share", Type: Float},
	{Name: "open", Type: Bool}, {Name: "since", Type: Time}, {Name: "tags", Type: List}, {Name: "level", Type: Enum, Enum: []string{"low",
		"high"}},
}

// someProps says few things, so that two of them are often the same and often differ in one thing or in what is not said.
func someProps(r *rand.Rand) (out []Prop) {
	all := []func(n int) Prop{
		func(n int) Prop { return S("text", fmt.Sprint("t", n)) }, func(n int) Prop { return S("word", fmt.Sprint("w", n)) },
		func(n int) Prop { return I("count", int64(n)) }, func(n int) Prop { return F("share", float64(n)/2) },
		func(n int) Prop { return B("open", n == 1) }, func(n int) Prop { return T("since", time.Unix(int64(n), 0)) },
		func(n int) Prop { return L("tags", [][]string{{"a"}, {"a", "b"}}[n]) },
		func(n int) Prop { return S("level", []string{"low", "high"}[n]) },
	}
	for range r.IntN(3) {
		out = append(out, all[r.IntN(len(all))](r.IntN(2)))
	}
	return slices.CompactFunc(out, func(a, b Prop) bool { return a.Name == b.Name })
}

func anySegment(r *rand.Rand, shared *Segment) *Segment {
	b := NewBuilder(allTypes, "c")
	var pods, images, nodes []Ref
	for i := range 5 {
		if r.IntN(6) > 0 {
			pods = append(pods, b.Node("Pod", fmt.Sprint("p", i), someProps(r)...))
		}
	}
	for i := range 4 {
		if r.IntN(2) == 0 { // the others are mentioned first by what extends it
			images = append(images, b.Ref("Image", fmt.Sprint("i", i)))
		}
	}
	if r.IntN(2) == 0 { // or the kind has no table
		nodes = append(nodes, b.Node("Node", "n", S("name", "n")))
	}
	seen := map[[2]Ref]bool{}
	edge := func(kind string, from, to []Ref, props []Prop) {
		if len(from) == 0 || len(to) == 0 {
			return
		}
		ends := [2]Ref{from[r.IntN(len(from))], to[r.IntN(len(to))]}
		if !seen[ends] {
			seen[ends] = true
			b.Edge(kind, ends[0], ends[1], props...)
		}
	}
	for range r.IntN(7) {
		edge("USES", pods, images, someProps(r))
		edge("USES", pods, pods, someProps(r))
		edge("USES", images, pods, someProps(r))
		edge("RUNS", nodes, pods, nil)
	}
	seg, _ := b.Build(shared)
	return seg
}

func anyShared(r *rand.Rand) *Segment {
	s := NewShared(allTypes)
	for _, i := range r.Perm(4) {
		s.Put("Image", fmt.Sprint("i", i), I("size", int64(r.IntN(2))))
	}
	return s.Freeze()
}

// extended adds edges of a kind that the segment has or has not, between its own nodes and to shared ones that it may not mention yet.
func extended(r *rand.Rand, seg, shared *Segment) *Segment {
	v := NewView(allTypes, shared, seg)
	pods, images := slices.Collect(v.Nodes("Pod")), slices.Collect(v.Nodes("Image"))
	x := NewExtension(v, seg)
	for range r.IntN(4) {
		if len(pods) == 0 {
			break
		}
		at := pods[r.IntN(len(pods))]
		switch r.IntN(4) {
		case 0:
			x.Edge("GAINS", at, images[r.IntN(len(images))])
		case 1:
			x.Edge("USES", at, pods[r.IntN(len(pods))], someProps(r)...)
		default:
			x.Edge("GAINS", at, pods[r.IntN(len(pods))])
		}
	}
	return x.Build()
}

// toldSide is what a segment says, in words that do not depend on where in it a node is. Shared nodes are the same where they have
// the same row.
type toldSide struct {
	side
	nodes []map[string]string         // by kind: what each says
	rows  []map[string]uint32         // by kind: where it is
	edges map[int]map[string][]string // by edge: what all of one kind between two nodes say
	ends  map[string][2]endOf
	whole bool // no two adjacencies are of the same kinds
}

type endOf struct {
	kind int
	name string
}

func tell(s side) *toldSide {
	t := &toldSide{side: s, edges: map[int]map[string][]string{}, ends: map[string][2]endOf{}, whole: true}
	names := make([][]string, len(allTypes.kinds))
	for k, kind := range allTypes.kinds {
		t.nodes, t.rows = append(t.nodes, map[string]string{}), append(t.rows, map[string]uint32{})
		for row := range uint32(s.seg.Len(k)) {
			table, at := s.table(k, row)
			name := string(table.id(at))
			if kind.Shared {
				name += fmt.Sprint(" in row ", at)
			}
			says := ""
			for c := range kind.Columns {
				says += table.cols[c].value(at).String() + "|"
			}
			t.nodes[k][name], t.rows[k][name], names[k] = says, row, append(names[k], name)
		}
	}
	for e := range allTypes.edges {
		t.edges[e] = map[string][]string{}
		seen := map[[2]int]bool{}
		for _, r := range s.seg.Rels(e) {
			t.whole = t.whole && !seen[[2]int{r.From, r.To}]
			seen[[2]int{r.From, r.To}] = true
			for from := range r.out.all() {
				to, pos := r.Out(from)
				for i := range to {
					ends := [2]endOf{{r.From, names[r.From][from]}, {r.To, names[r.To][to[i]]}}
					says := ""
					for c := range r.cols {
						if col := r.Col(c); col != nil && !col.Value(pos+uint32(i)).IsNull() {
							says += fmt.Sprint(c, col.Value(pos+uint32(i)).String(), "|")
						}
					}
					key := fmt.Sprint(ends)
					t.ends[key] = ends
					t.edges[e][key] = append(t.edges[e][key], says)
				}
			}
		}
	}
	return t
}

// differing are the edges of one side of a kind that the other has not so.
func (t *toldSide) differing(o *toldSide, edge int) (out []string) {
	for key, says := range t.edges[edge] {
		theirs := slices.Sorted(slices.Values(o.edges[edge][key]))
		if !slices.Equal(slices.Sorted(slices.Values(says)), theirs) {
			out = append(out, key)
		}
	}
	return out
}

// toldEdges are those that a difference tells of one side.
func toldEdges(t *testing.T, d *Difference, s *toldSide, side, edge int) (out []string) {
	names := make([]map[uint32]string, len(allTypes.kinds))
	for k := range names {
		names[k] = map[uint32]string{}
		for name, row := range s.rows[k] {
			names[k][row] = name
		}
	}
	d.Edges(side, edge, func(from, to int, all []Ends) {
		if len(all) == 0 {
			t.Errorf("no edges between %d and %d are told", from, to)
		}
		for _, e := range all {
			out = append(out, fmt.Sprint([2]endOf{{from, names[from][e.From]}, {to, names[to][e.To]}}))
		}
	})
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// checkDifference holds a difference to what the sides say in words. An extended one does not tell
// which shared nodes differ, or have edges that do.
func checkDifference(t *testing.T, d *Difference, was, is *toldSide, extended bool) {
	t.Helper()
	sides := [2]*toldSide{was, is}
	for k := range allTypes.kinds {
		moved := len(was.rows[k]) != len(is.rows[k])
		for side, s := range sides {
			o := sides[1-side]
			for name, row := range s.rows[k] {
				there, known := o.rows[k][name]
				differs := !known || s.nodes[k][name] != o.nodes[k][name]
				if told := !extended || !allTypes.kinds[k].Shared; told {
					if all := d.Nodes(side, k); all != nil && all.Has(row) != differs || all == nil && differs {
						t.Errorf("side %d: %s %s differs: %v, want %v", side, allTypes.kinds[k].Name, name, !differs, differs)
					}
					if side == After && d.NodeDiffers(k, row) != differs {
						t.Errorf("%s differs: %v", name, !differs)
					}
				}
				other := [2][]int32{d.Back(k), d.Rows(k)}[side][row]
				if known && other != int32(there) || !known && other >= 0 {
					t.Errorf("side %d: %s is in row %d there, want %d", side, name, other, there)
				}
				moved = moved || !known || there != row
			}
		}
		if d.Moved(k) != moved {
			t.Errorf("%s: moved: %v, want %v", allTypes.kinds[k].Name, d.Moved(k), moved)
		}
	}
	anyEdge := map[string]bool{}
	for e := range allTypes.edges {
		differ := map[string]bool{}
		for side, s := range sides {
			want, got := slices.Sorted(slices.Values(s.differing(sides[1-side], e))), toldEdges(t, d, s, side, e)
			if was.whole && is.whole && !slices.Equal(want, got) {
				t.Errorf("side %d: %s edges that differ: %v, want %v", side, allTypes.edges[e].Name, got, want)
			}
			for _, key := range got {
				for i, end := range s.ends[key] {
					differ[fmt.Sprint(end, i == 0)] = true
				}
			}
			for _, key := range want {
				if !slices.Contains(got, key) {
					t.Errorf("side %d: %s differs, and is not told", side, key)
				}
			}
		}
		for k := range allTypes.kinds {
			for name, row := range is.rows[k] {
				for _, out := range []bool{true, false} {
					want := differ[fmt.Sprint(endOf{k, name}, out)]
					if got := d.EdgesDiffer(k, row, e, out); got != want && !(extended && allTypes.kinds[k].Shared) {
						t.Errorf("%s %s, out %v: edges differ: %v, want %v", allTypes.edges[e].Name, name, out, got, want)
					}
					anyEdge[fmt.Sprint(k, row, out)] = anyEdge[fmt.Sprint(k, row, out)] || want
				}
			}
		}
	}
	for k, kind := range allTypes.kinds {
		for _, row := range is.rows[k] {
			if extended && kind.Shared {
				continue
			}
			for _, out := range []bool{true, false} {
				if got, want := d.EdgesDiffer(k, row, -1, out), anyEdge[fmt.Sprint(k, row, out)]; got != want {
					t.Errorf("any edge differs: %v, want %v", got, want)
				}
			}
		}
	}
}

// TestADifferenceIsExact compares segments of all types of properties in words: what is the same is not told for different either.
func TestADifferenceIsExact(t *testing.T) {
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		wasShared := anyShared(r)
		isShared := wasShared
		if seed%3 == 0 {
			isShared = anyShared(r)
		}
		was, is := anySegment(r, wasShared), anySegment(r, isShared)
		switch seed % 7 {
		case 0:
			is = was
			if was.base != isShared.version {
				is = was.on(isShared)
			}
		case 1:
			was, is = extended(r, was, wasShared), extended(r, is, isShared)
		}
		d := NewDifference(was, wasShared, is, isShared)
		if d.SameShared() != (wasShared == isShared) {
			t.Errorf("one shared segment: %v", d.SameShared())
		}
		checkDifference(t, d, tell(side{was, wasShared}), tell(side{is, isShared}), false)
		further, now := extended(r, was, wasShared), extended(r, is, isShared)
		switch seed % 4 { // only one side gains something
		case 1:
			further = was
		case 2:
			now = is
		}
		x := d.Extended(further, now)
		checkDifference(t, x, tell(side{further, wasShared}), tell(side{now, isShared}), true)
		checkDifference(t, d, tell(side{was, wasShared}), tell(side{is, isShared}), false) // and the one before it still says the same
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestNothingDiffersFromItself, whatever there is of it.
func TestNothingDiffersFromItself(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	shared := anyShared(r)
	for range 50 {
		seg := anySegment(r, shared)
		d := NewDifference(seg, shared, seg, shared)
		if len(d.edges)+len(d.ends) > 0 || slices.Contains(d.moved, true) {
			t.Fatalf("edges of %v, moved %v", slices.Collect(maps.Keys(d.edges)), d.moved)
		}
	}
}
