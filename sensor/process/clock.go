package process

import "time"

// clock turns the kernel's time since its start into time of day.
type clock struct{ boot time.Time }

// step is what the two clocks may differ before the node's was set, and not
// merely adjusted: below, one process must not seem to have started twice.
const step = time.Second

// tick follows the node's clock.
func (c *clock) tick() {
	boot := time.Now().Round(0).Add(-sinceBoot())
	if d := boot.Sub(c.boot); d > step || d < -step {
		c.boot = boot
	}
}

// longest is more than any node was ever up: bytes that say so are no time.
const longest = 1 << 62

func (c *clock) time(sinceBoot uint64) time.Time {
	return c.boot.Add(time.Duration(min(sinceBoot, longest))).UTC()
}
