package assess

import (
	"sync"
	"time"
)

const (
	// busyFor is the first pause of a registry that asks to slow down and does not
	// say for how long; it doubles, up to busyMost.
	busyFor  = 2 * time.Second
	busyMost = time.Hour
)

// Busy is how long to leave a registry alone that asked to slow down: for as long as
// it said, and longer each time.
func Busy(said time.Duration, times int) time.Duration {
	return min(max(said, busyFor<<min(times, 10)), busyMost)
}

// throttle is which registries asked to slow down.
type throttle struct {
	mu    sync.Mutex
	hosts map[string]pausedUntil
}

type pausedUntil struct {
	at    time.Time
	times int
}

func newThrottle() *throttle { return &throttle{hosts: map[string]pausedUntil{}} }

// back notes that a registry wants a pause and says until when.
func (t *throttle) back(host string, said time.Duration) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.hosts[host]
	t.hosts[host] = pausedUntil{time.Now().Add(Busy(said, p.times)), p.times + 1}
	return t.hosts[host].at
}

// answered ends the counting of a registry's pauses.
func (t *throttle) answered(host string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.hosts, host)
}

// now are the hosts that are to be left alone.
func (t *throttle) now() (hosts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for host, p := range t.hosts {
		if time.Now().Before(p.at) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
