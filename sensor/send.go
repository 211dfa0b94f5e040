package sensor

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	// shortest and longest bound the time between two tries.
	shortest = time.Second
	longest  = time.Minute
	// longestAsked bounds what a server may ask for.
	longestAsked = 5 * time.Minute
	// finalTries are how often records are sent that the server says it will never
	// take: what said so may have stood between us.
	finalTries = 3
)

// send brings the buffer's files to the server until ctx ends.
func (s *Sensor) send(ctx context.Context) {
	for ctx.Err() == nil {
		first := s.buffer.first()
		if first == nil {
			select {
			case <-s.buffer.ready:
			case <-ctx.Done():
			}
			continue
		}
		if kept, done := s.deliver(ctx, first); done {
			s.buffer.remove(first, kept)
		}
	}
}

// deliver sends one file, again and again if need be, until the server has it,
// will never take it, or ctx ends.
func (s *Sensor) deliver(ctx context.Context, file *segment) (kept, done bool) {
	lines, err := file.read()
	if err != nil {
		s.config.Log.Error("cannot read the buffer", "error", err)
		return false, true
	}
	refusals := 0
	for try := 0; ctx.Err() == nil; try++ {
		err := s.config.Link.records(ctx, lines)
		if err == nil {
			return true, true
		}
		var answer *answerError
		if errors.As(err, &answer) && answer.final() {
			refusals++
		}
		if refusals == finalTries {
			s.config.Log.Error("the server refuses records for good", "error", err, "records", file.events)
			return false, true
		}
		s.complain(ctx, err)
		pause(ctx, delay(try, answer))
	}
	return false, false
}

// complain says once per try what is wrong, and what to do where we know.
func (s *Sensor) complain(ctx context.Context, err error) {
	var answer *answerError
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &answer) && answer.status == http.StatusUnauthorized:
		s.config.Log.Error(
			"the server does not know the join token: make a new one with `breakwater connect` and give it to this sensor; "+
				"records wait in the buffer",
			"error",
			err,
		)
	case errors.As(err, &answer) && answer.stranger():
		s.config.Log.Error("the server does not let this node speak; records wait in the buffer", "error", err)
	default:
		s.config.Log.Warn("cannot send records; they wait in the buffer", "error", err)
	}
}

// delay is how long to wait after the try of that number, counted from 0. It is
// spread, so that the nodes of a cluster do not come back at one moment.
func delay(try int, answer *answerError) time.Duration {
	d := min(shortest<<min(try, 10), longest)
	if answer != nil && answer.stranger() {
		d = longest
	}
	if answer != nil && answer.after > 0 {
		asked := min(answer.after, longestAsked)
		return asked + rand.N(asked/4+1)
	}
	return d/2 + rand.N(d/2+1)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
