package event

import (
	"errors"
	"fmt"
)

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

// Outcome is what a decoder made of one text that it was given: what it says, or a
// reason why it says nothing. What it says comes out by Take alone, which notes the
// reason otherwise, so that no text can be dropped without a word.
type Outcome[T any] struct {
	of   T
	read bool
	why  error
}

// Read is the outcome of what was understood.
func Read[T any](of T) Outcome[T] { return Outcome[T]{of: of, read: true} }

// Refused is the outcome of what is no event.
func Refused[T any](why error) Outcome[T] { return Outcome[T]{why: why} }

var errUnsaid = errors.New("its decoder did not say what became of it")

// Err is why the text says nothing, nil if it says something.
func (o *Outcome[T]) Err() error {
	if !o.read && o.why == nil {
		return errUnsaid
	}
	return o.why
}

// Take gives what a text says, or notes at its position why it says nothing.
func (o *Outcome[T]) Take(r *Rejections, position int) (of T, read bool) {
	if err := o.Err(); err != nil {
		r.reject(position, err)
	}
	return o.of, o.read
}

func (r *Rejections) reject(position int, err error) {
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
