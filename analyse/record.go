package analyse

import (
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
)

// record is what was read of the graph to tell something: as long as none of it is different, and what was walked
// to it is the same, the same is told. See Memory.
type record struct {
	reads  []read
	toward []aimed   // where the steps lead that were read
	proofs []proof   // evidence, which is asked again
	parts  []*record // of what was told once for several
	open   bool      // something was looked for and not there: nobody knows when it comes
	verdict
}

// read is one thing that was read of a node: its kind and index, and what.
type read uint64

// What is read of a node. Edges of a kind follow, those that lead from it before those to it.
const (
	readProperties = iota
	readSteps      // by which an attacker goes on
	readEdges
)

func readOf(kind int, index uint32, what int) read {
	return read(kind)<<48 | read(what)<<32 | read(index)
}

func (r read) kind() int     { return int(r >> 48) }
func (r read) what() int     { return int(uint16(r >> 32)) }
func (r read) index() uint32 { return uint32(r) }

// proof is the evidence of a derived edge.
type proof struct {
	of       *technique
	from, to read // which nodes
	said     []Evidence
}

func (r *record) note(n graph.Node, what int) {
	now := readOf(n.KindIndex(), n.Index(), what)
	if last := len(r.reads) - 1; last < 0 || r.reads[last] != now {
		r.reads = append(r.reads, now)
	}
}

// uses makes what was told once a part of what is told now.
func (r *record) uses(part *record) {
	if last := len(r.parts) - 1; last < 0 || r.parts[last] != part {
		r.parts = append(r.parts, part)
	}
}

// whole puts in order what was noted, in no more memory than it takes.
func (r *record) whole() {
	slices.Sort(r.reads)
	r.reads = slices.Clone(slices.Compact(r.reads))
}

// reader is told what a search reads while it tells something that is remembered.
type reader struct {
	record *record // nil: nothing is noted
	deaf   bool    // to edges: what is looked through them was noted otherwise
}

// Properties of a node are read.
func (r *reader) Properties(n graph.Node) {
	if r.record != nil {
		r.record.note(n, readProperties)
	}
}

// Edges of a node are looked at.
func (r *reader) Edges(n graph.Node, edge int, out bool) {
	if r.record == nil || r.deaf {
		return
	}
	what := readEdges + 2*(edge+1) // the first two are those of all kinds
	if !out {
		what++
	}
	r.record.note(n, what)
}

// aimed is where a step leads: to a group, or to anything of its kind.
type aimed struct {
	group group
	kind  bool
}

// steps notes that what leads from some nodes to others decides what is told, and that what is looked at to find it does not.
func (r *reader) steps(from []graph.Node, to aimed) (done func()) {
	if r.record == nil {
		return func() {}
	}
	r.record.toward = append(r.record.toward, to)
	for _, n := range from {
		r.record.note(n, readSteps)
	}
	was := r.deaf
	r.deaf = true
	return func() { r.deaf = was }
}

// apart does what is told once for all who need it, and notes for it what it reads.
func (r *reader) apart(of **record, do func()) {
	outer, deaf := r.record, r.deaf
	if outer == nil {
		do()
		return
	}
	if *of == nil {
		*of = &record{}
	}
	r.record, r.deaf = *of, false
	do()
	(*of).whole()
	r.record, r.deaf = outer, deaf
	outer.uses(*of)
}

// unheard does what is noted in another way.
func (r *reader) unheard(do func()) {
	outer := r.record
	r.record = nil
	do()
	r.record = outer
}

// again notes the use of what was told before.
func (r *reader) again(of *record) {
	if r.record != nil && of != nil {
		r.record.uses(of)
	}
}

// proves notes the evidence of an edge.
func (r *reader) proves(t *technique, e graph.Edge, said []Evidence) {
	if r.record != nil {
		r.record.proofs = append(r.record.proofs, proof{of: t, from: readOf(e.From.KindIndex(), e.From.Index(), readProperties),
			to: readOf(e.To.KindIndex(), e.To.Index(), readProperties), said: said})
	}
}

// lookup finds a node by its id.
func (s *search) lookup(kind, id string) (graph.Node, bool) {
	n, there := s.view.Node(kind, id)
	switch {
	case s.reader.record == nil:
	case there:
		s.reader.Properties(n)
	default:
		s.reader.record.open = true
	}
	return n, there
}

// individual is one of the ground as the search sees it.
func (s *search) individual(i int32) graph.Node { return s.field.nodes[i].On(s.view) }

// listen has what the search reads from now on noted.
func (s *search) listen() {
	if s.memory != nil {
		s.view = s.survey.view.Witnessed(&s.reader)
	}
}
