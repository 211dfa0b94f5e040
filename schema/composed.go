package schema

// Composed is a connection of several edges that people name with one word.
// Nothing of it is stored: a query that uses it is expanded to its steps, and
// the expansion is what the query's text shows.
type Composed struct {
	Name     string // "RUNS_IMAGE"; no edge kind may have it
	From, To string
	Forward  string // from From's side: "images they run"
	Backward string // from To's side: "pods running them"
	Sentence string
	Steps    []Step // from From to To
}

// Step is one edge of a Composed, and the kind it arrives at.
type Step struct {
	Edge string
	In   bool // against the edge's direction
	To   string
}
