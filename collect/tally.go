package collect

// Tally counts everything that a source held and what became of it:
// Read = Kept + Left + Lost.
type Tally struct {
	Read int
	// Kept are facts now.
	Kept int
	// Left are known and no facts, by the reason for that.
	Left map[string]int
	// Lost are gaps: nobody knows what they would have said.
	Lost int
}

// Balanced says whether everything read was counted out again.
func (t Tally) Balanced() bool {
	sum := t.Kept + t.Lost
	for _, n := range t.Left {
		sum += n
	}
	return sum == t.Read
}

// Outcome is what a reader made of one thing that it was given: a fact, a reason
// why it is none, or a gap. A reader returns one for each thing, so that nothing
// can be dropped without a word.
type Outcome struct {
	put  *Change
	left string
	gap  *Gap
}

// Kept is the outcome of what became a fact.
func Kept(c Change) Outcome { return Outcome{put: &c} }

// Left is the outcome of what was understood and is no fact, with the reason.
func Left(why string) Outcome { return Outcome{left: why} }

// Lost is the outcome of what could not be read or understood.
func Lost(g Gap) Outcome { return Outcome{gap: &g} }

// Count files an outcome. One that says nothing is a fault of its reader, and is
// told like anything else that was lost.
func (f *Facts) Count(o Outcome) {
	f.Tally.Read++
	switch {
	case o.put != nil:
		f.Tally.Kept++
		f.Apply(*o.put)
	case o.left != "":
		f.Tally.Left[o.left]++
	default:
		f.Tally.Lost++
		if o.gap == nil {
			o.gap = &Gap{Source: "file", What: "an object", Why: "its reader did not say what became of it",
				Consequence: "What it describes is missing: nothing here can be taken for absent."}
		}
		f.Apply(Change{Op: GapOpen, Gap: o.gap})
	}
}
