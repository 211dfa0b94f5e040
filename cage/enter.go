package cage

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What parent and child say to each other before the work: the limits, and what of them
// holds or why it does not. A child is told nothing else until it has limited itself.
const (
	limits, holds, fails = 'l', 'h', 'f'
	mostSaid             = 64 << 10
)

// Enter is what a child does first: it limits itself as its parent says, and answers what
// holds.
func Enter(in io.Reader, out io.Writer) (held Held, err error) {
	m, err := Receive(in, map[byte]int{limits: mostSaid})
	if err != nil {
		return held, err
	}
	var l Limits
	if err := json.Unmarshal(m.Body, &l); err != nil {
		return held, fmt.Errorf("read the limits of a cage: %w", err)
	}
	if held, err = limit(l); err != nil {
		return held, errors.Join(fmt.Errorf("enter the cage: %w", err), Send(out, fails, []byte(err.Error())))
	}
	text, err := json.Marshal(held)
	if err != nil {
		return held, err
	}
	return held, Send(out, holds, text)
}

// entered waits until a child has limited itself.
func (c *child) entered() error {
	if c.within {
		return nil
	}
	text, err := json.Marshal(c.limits)
	if err != nil {
		return err
	}
	if err := Send(c.in, limits, text); err != nil {
		return err
	}
	m, err := Receive(c.out, map[byte]int{holds: mostSaid, fails: mostSaid})
	if err != nil {
		return err
	}
	if m.Kind == fails {
		return fmt.Errorf("a reader cannot enter its cage: %.200q", m.Body)
	}
	c.within = true
	return json.Unmarshal(m.Body, &c.held)
}
