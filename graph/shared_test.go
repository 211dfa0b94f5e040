package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var estateVocabulary = NewVocabulary([]Kind{
	{Name: "Pod"},
	{Name: "Image", Shared: true, Columns: []Column{{Name: "name", Type: Text}, {Name: "running", Type: Bool}, {Name: "highs", Type: Int},
		{Name: "scan", Type: Text, Dict: true}, {Name: "severity", Type: Enum, Enum: []string{"Low", "High"}}, {Name: "tags", Type: List}}},
	{Name: "Package", Shared: true, Dependent: true, Columns: []Column{{Name: "version", Type: Text}}},
	{Name: "Vulnerability", Shared: true, Dependent: true, Columns: []Column{{Name: "score", Type: Float}}},
}, []EdgeKind{{Name: "USES"}, {Name: "HAS_PACKAGE", Columns: []Column{{Name: "layer", Type: Text, Dict: true}}},
	{Name: "HAS_VULNERABILITY", Columns: []Column{{Name: "fixed", Type: Text}, {Name: "rank", Type: Int}, {Name: "used", Type: Bool},
		{Name: "severity", Type: Enum, Enum: []string{"Low", "High"}}, {Name: "paths", Type: List}}},
	{Name: "AFFECTED_BY"}, {Name: "REPLACES"}})

// model is the shared segment as one writes it first: maps, copied whole.
type model struct {
	nodes map[string]modelNode // by kind and id
	edges map[[3]string]map[string][]modelEdge
	lost  map[string]bool // nodes that lost an edge since the last copy
	born  int
}

type modelNode struct {
	props map[string]Value
	born  int
}

type modelEdge struct {
	to    string
	props []Prop
}

func newModel() *model {
	return &model{nodes: map[string]modelNode{}, edges: map[[3]string]map[string][]modelEdge{}, lost: map[string]bool{}}
}

func (m *model) put(kind, id string, props ...Prop) {
	n, there := m.nodes[kind+" "+id]
	if !there {
		m.born++
		n = modelNode{map[string]Value{}, m.born}
		m.nodes[kind+" "+id] = n
	}
	for _, p := range props {
		n.props[p.Name] = p.Value
	}
}

func (m *model) setEdges(edge, fromKind, from, toKind string, to []Target) {
	key := [3]string{edge, fromKind, toKind}
	if m.edges[key] == nil {
		m.edges[key] = map[string][]modelEdge{}
	}
	for _, e := range m.edges[key][from] {
		m.lost[toKind+" "+e.to] = true
	}
	var list []modelEdge
	for _, t := range to {
		list = append(list, modelEdge{t.ID, t.Props})
	}
	m.edges[key][from] = list
}

func (m *model) remove(kind, id string) {
	delete(m.nodes, kind+" "+id)
	delete(m.lost, kind+" "+id)
	for key, from := range m.edges {
		if key[1] == kind {
			for _, e := range from[id] {
				m.lost[key[2]+" "+e.to] = true
			}
			delete(from, id)
		}
		if key[2] == kind {
			for f, list := range from {
				from[f] = slices.DeleteFunc(slices.Clone(list), func(e modelEdge) bool { return e.to == id })
			}
		}
	}
}

// copied is the model with everything copied, after what nothing uses has left.
func (m *model) copied() *model {
	for len(m.lost) > 0 {
		lost := slices.Collect(maps.Keys(m.lost))
		clear(m.lost)
		for _, name := range lost {
			kind, id, _ := strings.Cut(name, " ")
			if kind != "Image" && m.hasNode(name) && !m.used(kind, id) {
				m.remove(kind, id)
			}
		}
	}
	c := newModel()
	for name, n := range m.nodes {
		c.nodes[name] = modelNode{maps.Clone(n.props), n.born}
	}
	for key, from := range m.edges {
		c.edges[key] = maps.Clone(from)
	}
	return c
}

func (m *model) hasNode(name string) bool { _, there := m.nodes[name]; return there }

func (m *model) used(kind, id string) bool {
	for key, from := range m.edges {
		for _, list := range from {
			if key[2] == kind && slices.ContainsFunc(list, func(e modelEdge) bool { return e.to == id }) {
				return true
			}
		}
	}
	return false
}

func told(props []Prop) string {
	var out []string
	for _, p := range props {
		if !p.IsNull() {
			out = append(out, fmt.Sprintf("%s=%s", p.Name, p.String()))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ",")
}

// text is everything the model says, sorted.
func (m *model) text() []string {
	var out []string
	for name, n := range m.nodes {
		var props []Prop
		for p, v := range n.props {
			props = append(props, Prop{p, v})
		}
		out = append(out, name+" "+told(props))
	}
	for key, from := range m.edges {
		for f, list := range from {
			var all []string
			for _, e := range list {
				all = append(all, fmt.Sprintf("%s %s -%s-> %s %s %s", key[1], f, key[0], key[2], e.to, told(e.props)))
			}
			slices.Sort(all)
			out = append(out, slices.Compact(all)...)
		}
	}
	slices.Sort(out)
	return out
}

func edgeText(e Edge) string {
	var props []Prop
	for _, c := range e.vocab.edges[e.rel.Edge].Columns {
		props = append(props, Prop{c.Name, e.Value(c.Name)})
	}
	return fmt.Sprintf("%s %s -%s-> %s %s %s", e.From.Kind(), e.From.ID(), e.Kind(), e.To.Kind(), e.To.ID(), told(props))
}

// viewText is everything a view says of shared nodes, sorted: once by going
// along the edges, once against them.
func viewText(v *View) (along, against []string) {
	for k, kind := range v.vocab.Kinds() {
		if !kind.Shared {
			continue
		}
		for n := range v.Nodes(kind.Name) {
			var props []Prop
			for _, c := range kind.Columns {
				props = append(props, Prop{c.Name, n.Value(c.Name)})
			}
			text := kind.Name + " " + n.ID() + " " + told(props)
			along, against = append(along, text), append(against, text)
			for e := range n.Out("") {
				along = append(along, edgeText(e))
			}
			for e := range n.In("") {
				if e.From.seg.shared {
					against = append(against, edgeText(e))
				}
			}
			if found, ok := v.Node(kind.Name, n.ID()); !ok || found != n || found.KindIndex() != k {
				along = append(along, "cannot find "+n.ID())
			}
		}
	}
	slices.Sort(along)
	slices.Sort(against)
	return along, against
}

// used is a cluster's segment and what it refers to, by the time each was born.
type usedImages struct {
	seg  *Segment
	uses map[string]int
}

// estate does the same to a Shared and to the model.
type estate struct {
	t        *testing.T
	g        *rand.Rand
	shared   *Shared
	model    *model
	size     int
	clusters map[string]usedImages
}

func newEstate(t *testing.T, seed uint64, size int) *estate {
	return &estate{t: t, g: rand.New(rand.NewPCG(seed, 7)), shared: NewShared(estateVocabulary), model: newModel(), size: size,
		clusters: map[string]usedImages{}}
}

func (s *estate) id() string { return fmt.Sprintf("%d", s.g.IntN(s.size)) }

func (s *estate) put(kind string, props ...Prop) string {
	id := s.id()
	s.putID(kind, id, props...)
	return id
}

func (s *estate) putID(kind, id string, props ...Prop) {
	before := s.model.hasNode(kind + " " + id)
	if s.shared.Has(kind, id) != before {
		s.t.Fatalf("Has %s %s: %v", kind, id, !before)
	}
	if changed := s.shared.Put(kind, id, props...); !before && !changed {
		s.t.Fatalf("a new %s changed nothing", kind)
	}
	s.model.put(kind, id, props...)
	if s.shared.Put(kind, id, props...) {
		s.t.Fatalf("the same %s twice changed something", kind)
	}
}

func (s *estate) setEdges(edge, fromKind, toKind string, n int, props func() []Prop) {
	from := s.put(fromKind)
	var to []Target
	for range s.g.IntN(n) {
		to = append(to, Target{toKind, s.put(toKind), props()})
	}
	s.shared.SetEdges(edge, fromKind, from, toKind, to)
	s.model.setEdges(edge, fromKind, from, toKind, to)
	if s.shared.SetEdges(edge, fromKind, from, toKind, to) {
		s.t.Fatalf("the same %s twice changed something", edge)
	}
}

func (s *estate) image() []Prop {
	all := []Prop{S("name", "app-"+s.id()), I("highs", int64(s.g.IntN(5))), S("scan", []string{"queued", "done", "failed"}[s.g.IntN(3)]),
		S("severity", []string{"Low", "High"}[s.g.IntN(2)]), L("tags", []string{s.id()}), {Name: "name"}, {Name: "highs"}, {Name: "scan"},
		{Name: "severity"}, {Name: "tags"}}
	return s.some(all)
}

// some chooses a few properties, each name once.
func (s *estate) some(all []Prop) (out []Prop) {
	s.g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, p := range all[:s.g.IntN(5)] {
		if !slices.ContainsFunc(out, func(o Prop) bool { return o.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}

func (s *estate) finding() []Prop {
	all := []Prop{S("fixed", s.id()), I("rank", int64(s.g.IntN(3))), B("used", s.g.IntN(2) == 0), S("severity", "High"),
		L("paths", []string{s.id()}), {Name: "fixed"}}
	return s.some(all)
}

func (s *estate) step() {
	switch s.g.IntN(10) {
	case 0, 1:
		s.put("Image", s.image()...)
	case 2, 3: // the mark that changes without the image
		s.put("Image", B("running", s.g.IntN(2) == 0))
	case 4, 5:
		s.setEdges("HAS_VULNERABILITY", "Image", "Vulnerability", 12, s.finding)
	case 6:
		s.setEdges("HAS_PACKAGE", "Image", "Package", 12, func() []Prop { return []Prop{S("layer", s.id())} })
	case 7:
		s.setEdges("AFFECTED_BY", "Package", "Vulnerability", 4, func() []Prop { return nil })
	case 8:
		s.setEdges("REPLACES", "Image", "Image", 3, func() []Prop { return nil })
	case 9:
		kind, id := []string{"Image", "Image", "Image", "Package"}[s.g.IntN(4)], s.id()
		if there := s.model.hasNode(kind + " " + id); s.shared.Remove(kind, id) != there {
			s.t.Fatalf("Remove %s: %v", kind, !there)
		} else if there {
			s.model.remove(kind, id)
		}
	}
}

// build makes a cluster's segment on a version, by a builder or by extending the
// one that is there.
func (s *estate) build(frozen *Segment, m *model) {
	name := fmt.Sprintf("cluster-%d", s.g.IntN(4))
	old, there := s.clusters[name]
	uses := map[string]int{}
	if there && s.g.IntN(2) == 0 {
		v := NewView(estateVocabulary, frozen, old.seg)
		x := NewExtension(v, old.seg)
		pod, _ := v.Node("Pod", name+"/pod")
		for id, born := range old.uses {
			if m.nodes["Image "+id].born == born {
				uses[id] = born
			}
		}
		for range 3 {
			if image, ok := v.Node("Image", s.id()); ok {
				x.Edge("USES", pod, image)
				uses[image.ID()] = m.nodes["Image "+image.ID()].born
			}
		}
		s.clusters[name] = usedImages{x.Build(), uses}
		return
	}
	b := NewBuilder(estateVocabulary, name)
	pod := b.Node("Pod", "pod")
	for range 5 {
		id := s.id()
		b.Edge("USES", pod, b.Ref("Image", id))
		if n, ok := m.nodes["Image "+id]; ok {
			uses[id] = n.born
		}
	}
	seg, _ := b.Build(frozen)
	s.clusters[name] = usedImages{seg, uses}
}

// check holds a version against the model of its time.
func check(t *testing.T, frozen *Segment, m *model, clusters map[string]usedImages) {
	t.Helper()
	var segs []*Segment
	for _, c := range clusters {
		segs = append(segs, c.seg)
	}
	v, want := NewView(estateVocabulary, frozen), m.text()
	along, against := viewText(v)
	for way, got := range map[string][]string{"along": along, "against": against} {
		if !slices.Equal(got, want) {
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Fatalf("%s the edges, of %d and %d lines, first:\n got %q\nwant %q", way, len(got), len(want),
						got[i:min(i+3, len(got))], want[i:min(i+3, len(want))])
				}
			}
		}
	}
	edges := 0
	for _, rels := range frozen.rels {
		for _, r := range rels {
			edges += r.Len()
		}
	}
	if len(m.nodes)+edges != len(want) {
		t.Fatalf("%d edges are counted; %d nodes, %d lines", edges, len(m.nodes), len(want))
	}
	v = NewView(estateVocabulary, frozen, segs...)
	for name, c := range clusters {
		var got, want, back []string
		for id, born := range c.uses {
			if m.nodes["Image "+id].born == born {
				want = append(want, id)
			}
		}
		pod, _ := v.Node("Pod", name+"/pod")
		for e := range pod.Out("USES") {
			got = append(got, e.To.ID())
		}
		for n := range v.Nodes("Image") {
			for e := range n.In("USES") {
				if e.From == pod {
					back = append(back, n.ID())
				}
			}
		}
		slices.Sort(want)
		for _, list := range []*[]string{&got, &back} {
			slices.Sort(*list)
			*list = slices.Compact(*list) // an extension may repeat an edge that was there
		}
		if !slices.Equal(got, want) || !slices.Equal(back, want) {
			t.Fatalf("%s uses %v, against the edges %v, want %v", name, got, back, want)
		}
	}
}

func TestEveryVersionSaysWhatAModelThatCopiesEverythingSays(t *testing.T) {
	for seed := range uint64(20) {
		s := newEstate(t, seed, 40)
		s.shared.atOnce = int(seed%3) * 20 // so that merges happen beside the writer, too
		rounds := 50
		if seed == 0 {
			rounds = 10
			s.size = 2 * pieceRows
			for n := range s.size {
				s.putID("Image", fmt.Sprint(n), s.image()...)
			}
		}
		type version struct {
			frozen *Segment
			model  *model
		}
		var versions []version
		for range rounds {
			for range s.g.IntN(12) {
				s.step()
			}
			v := version{model: s.model.copied()}
			if s.g.IntN(10) == 0 {
				v.frozen = s.shared.Compact()
			} else {
				v.frozen = s.shared.Freeze()
			}
			if s.g.IntN(2) == 0 {
				s.build(v.frozen, v.model)
			}
			check(t, v.frozen, v.model, s.clusters)
			versions = append(versions, v)
		}
		for _, v := range versions { // none changed since
			check(t, v.frozen, v.model, nil)
		}
	}
}

func TestReadersOfOldVersionsAreNotDisturbedByTheWriter(t *testing.T) {
	s := newEstate(t, 1, 60)
	s.shared.atOnce = 0
	type version struct {
		frozen   *Segment
		model    *model
		clusters map[string]usedImages
	}
	var now atomic.Pointer[version]
	now.Store(&version{s.shared.Freeze(), s.model.copied(), nil})
	var done atomic.Bool
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for !done.Load() {
				v := now.Load()
				check(t, v.frozen, v.model, v.clusters)
			}
		})
	}
	for range 150 {
		for range 5 {
			s.step()
		}
		v := &version{s.shared.Freeze(), s.model.copied(), nil}
		s.build(v.frozen, v.model)
		v.clusters = maps.Clone(s.clusters)
		now.Store(v)
	}
	done.Store(true)
	readers.Wait()
}

// putImage is an image with packages and findings of its own and of others.
func putImage(s *Shared, n int) string {
	id := fmt.Sprintf("sha256:%064d", n)
	s.Put("Image", id, S("name", "registry.test/app"), S("scan", "done"), I("highs", 3))
	var packages, found []Target
	for p := range 20 {
		name := fmt.Sprintf("pkg:deb/p@%d", n*10+p)
		s.Put("Package", name, S("version", "1"))
		packages = append(packages, Target{"Package", name, []Prop{S("layer", "l")}})
		cve := fmt.Sprintf("CVE-%d", n+p)
		s.Put("Vulnerability", cve, F("score", 7))
		found = append(found, Target{"Vulnerability", cve, []Prop{S("fixed", "2")}})
		s.SetEdges("AFFECTED_BY", "Package", name, "Vulnerability", []Target{{"Vulnerability", cve, nil}})
	}
	s.SetEdges("HAS_PACKAGE", "Image", id, "Package", packages)
	s.SetEdges("HAS_VULNERABILITY", "Image", id, "Vulnerability", found)
	return id
}

func TestImagesThatComeAndGoLeaveMemoryBounded(t *testing.T) {
	s := NewShared(estateVocabulary)
	const stay = 50
	var here []string
	turn := func(from, to int) uint64 {
		for n := from; n < to; n++ {
			here = append(here, putImage(s, n))
			if len(here) > stay {
				// Not the oldest, so that those that stay lie among those that left.
				gone := (n * 7) % len(here)
				s.Remove("Image", here[gone])
				here = slices.Delete(here, gone, gone+1)
			}
			if n%10 == 0 {
				s.Freeze()
			}
		}
		s.Compact()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	first := turn(0, 1000)
	after := turn(1000, 11_000)
	t.Logf("%d KiB after 1,000 images, %d KiB after 10,000 more", first>>10, after>>10)
	if after > 2*first+1<<20 {
		t.Errorf("memory grew from %d to %d KiB", first>>10, after>>10)
	}
	seg := s.Compact()
	for _, kind := range []string{"Image", "Package", "Vulnerability"} {
		k := estateVocabulary.KindIndex(kind)
		nodes, rows := seg.Nodes(k).Count(), seg.Len(k)
		if want := map[string]int{"Image": stay}[kind]; nodes == 0 || want > 0 && nodes != want || nodes > 20*stay {
			t.Errorf("%d of kind %s are left", nodes, kind)
		}
		if rows > 2*20*stay {
			t.Errorf("%d rows for %d of kind %s", rows, nodes, kind)
		}
	}
	for _, id := range here {
		s.Remove("Image", id)
	}
	seg = s.Compact()
	for k, table := range seg.tables {
		for _, c := range append(slices.Clone(table.cols), table.ids) {
			if slices.ContainsFunc(c.pieces, func(col *Col) bool { return col != nil }) {
				t.Errorf("nothing is left, and there is a piece of a column of kind %s", estateVocabulary.kinds[k].Name)
			}
		}
	}
	if edges := seg.rels; len(edges[0])+len(edges[1])+len(edges[2])+len(edges[3]) > 0 {
		t.Errorf("nothing is left, and there are edges %v", edges)
	}
	runtime.KeepAlive(s)
}

// Marks change often: what they cost must not depend on what else there is.
func TestAMarkCopiesOnePieceOfItsColumnAndNothingElse(t *testing.T) {
	s := NewShared(estateVocabulary)
	for n := range 3 * pieceRows {
		s.Put("Image", fmt.Sprint(n), B("running", false), S("name", "x"))
	}
	before := s.Freeze()
	s.Put("Image", fmt.Sprint(pieceRows), B("running", true))
	after := s.Freeze()
	k := estateVocabulary.KindIndex("Image")
	for c, column := range after.tables[k].cols {
		for p, col := range column.pieces {
			if same := col == before.tables[k].cols[c].pieces[p]; same == (p == 1 && estateVocabulary.kinds[k].Columns[c].Name == "running") {
				t.Errorf("column %s, piece %d: the same %v", estateVocabulary.kinds[k].Columns[c].Name, p, same)
			}
		}
	}
	if s.Freeze() != after {
		t.Error("a version without any change is a new one")
	}
}

func TestTiersStayFewAndMergesAreTakenOver(t *testing.T) {
	s := NewShared(estateVocabulary)
	s.atOnce = 100
	most := 0
	for n := range 400 {
		putImage(s, n)
		seg := s.Freeze()
		for _, rels := range seg.rels {
			most = max(most, len(rels))
		}
		for _, r := range s.rels {
			for until := time.Now().Add(time.Minute); r.merged != nil && len(r.merged) == 0 && time.Now().Before(until); {
				runtime.Gosched()
			}
		}
	}
	if most > 12 {
		t.Errorf("%d tiers of one edge kind", most)
	}
	for e, rels := range s.Compact().rels {
		if len(rels) != 1 || rels[0].tier.stale != 0 {
			t.Errorf("edge %d: %d tiers are left after compaction", e, len(rels))
		}
	}
}

func TestALargeChangeWithoutAVersionIsNotKeptAsSingleValues(t *testing.T) {
	s := NewShared(estateVocabulary)
	const n = flushAt // two values each
	for i := range n {
		s.Put("Image", fmt.Sprint(i), S("name", fmt.Sprint("app-", i)))
		if waits := len(s.kinds[estateVocabulary.KindIndex("Image")].vals); waits > flushAt {
			t.Fatalf("%d values wait after %d images", waits, i)
		}
	}
	v := NewView(estateVocabulary, s.Freeze())
	for _, i := range []int{0, 1, pieceRows, n - 1} {
		if image, found := v.Node("Image", fmt.Sprint(i)); !found || image.Text("name") != fmt.Sprint("app-", i) {
			t.Errorf("image %d: found %v, name %s", i, found, image.Text("name"))
		}
	}
}

func TestWordsThatNothingSaysAnyMoreLeaveTheDictionary(t *testing.T) {
	s := NewShared(estateVocabulary)
	k := estateVocabulary.KindIndex("Image")
	scan := columnIndex(estateVocabulary.kinds[k].Columns, "scan")
	for n := range 3 * pieceRows {
		s.Put("Image", "a", S("scan", fmt.Sprint(n)))
		col, _ := s.Freeze().tables[k].cols[scan].at(0)
		if _, dict := col.Dict(); len(dict) > 2*pieceRows || col.Value(0).Str() != fmt.Sprint(n) {
			t.Fatalf("%d words for one value, %s, which should be %d", len(dict), col.Value(0), n)
		}
	}
}

func TestATierOfWhichMostIsGoneIsWrittenAnew(t *testing.T) {
	s := NewShared(estateVocabulary)
	var images []string
	for n := range 100 {
		images = append(images, putImage(s, n))
	}
	s.atOnce = 1 << 20
	for _, r := range s.rels {
		r.atOnce = s.atOnce
	}
	s.Freeze()
	for _, id := range images[:60] {
		s.Remove("Image", id)
	}
	for _, rels := range s.Freeze().rels {
		for _, r := range rels {
			if r.tier.stale > r.Len() {
				t.Errorf("%d edges are gone and %d left", r.tier.stale, r.Len())
			}
		}
	}
}
