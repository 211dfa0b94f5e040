package assess

import "time"

// States of an image, as the schema's Image.scan has them.
const (
	Unknown     = "unknown"
	Queued      = "queued"
	Scanning    = "scanning"
	Done        = "done"
	Failed      = "failed"
	Unsupported = "unsupported"
)

// Record is what is stored of one image: how far reading it is, and what is inside.
type Record struct {
	ID, Reference string
	// Host is the registry that Reference asks.
	Host         string
	State, Error string
	// Attempts counts readings that began since it last went well, the one that is going on
	// too.
	Attempts int
	NextTry  time.Time
	// Ended counts readings in a row that began and that nobody told the end of: each
	// counts when it begins, so that what ends the reader, or all of the server, counts too.
	Ended int
	// Wanted is how urgent it is.
	Wanted    Urgency
	Platform  string
	Size      int64
	UpdatedAt time.Time
	// Pushed says of an image to queue that its registry just told of it: it is read before those that
	// are as urgent.
	Pushed bool
	// Inventory is the JSON of what was read inside; nil if nothing was, and where
	// a method says that it leaves it out.
	Inventory []byte
}

// Urgency orders what is to be read.
type Urgency int

const (
	Listed  Urgency = iota // only a registry has it
	Named                  // a cluster names it
	Running                // a container runs it
	Exposed                // one runs it that the internet reaches
)

// Build is a digest that means the same image as another: a platform's manifest,
// or a configuration.
type Build struct{ Digest, ID, Platform string }
