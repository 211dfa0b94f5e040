package live

import "time"

// cooldown times its length is the least pause that a computation costs: a cluster is
// computed at most a quarter of the time.
const cooldown = 3

// pace says when a cluster may be computed again. What was computed is paid for by time;
// one computation may be owed in advance, so that what changes while a quiet cluster is
// computed waits for no pause.
type pace struct {
	paid time.Time // until then
	next time.Time
}

// took notes a computation.
func (p *pace) took(started, ended time.Time) {
	cost := (1 + cooldown) * ended.Sub(started)
	p.paid = later(p.paid, started).Add(cost)
	p.next = later(ended, p.paid.Add(-cost))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
