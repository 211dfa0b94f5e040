package event

import "fmt"

// Rejected is text that is no event, and why. Position is the line of a file, or
// the number of an item of a list, counted from one.
type Rejected struct {
	Position int
	Why      string
}

// maxRejected bounds the list of one batch.
const maxRejected = 100

// Rejections are what of a batch is no event.
type Rejections struct {
	Rejected []Rejected
	// Dropped counts rejections beyond those listed.
	Dropped int
}

// Reject notes one.
func (r *Rejections) Reject(position int, err error) {
	if len(r.Rejected) == maxRejected {
		r.Dropped++
		return
	}
	r.Rejected = append(r.Rejected, Rejected{position, err.Error()})
}

// Refused is how many there are.
func (r *Rejections) Refused() int { return len(r.Rejected) + r.Dropped }

// None is an error if there is one: a rule's test is run on a log without.
func (r *Rejections) None() error {
	if len(r.Rejected) == 0 {
		return nil
	}
	return fmt.Errorf("line %d: %s", r.Rejected[0].Position, r.Rejected[0].Why)
}
