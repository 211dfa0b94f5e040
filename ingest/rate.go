package ingest

import (
	"cmp"
	"sync"
	"time"
)

// Rate is what one source may send a second, on the average of some seconds; 0 is the default.
type Rate struct {
	Events int64 // 100,000
	Bytes  int64 // 128 MiB, inflated
}

// burst is for how many seconds' worth a source may send at once.
const burst = 10

// rates count what senders sent. Whoever has sent too much waits until it is no longer too
// much; one body may be larger than all that, and is waited for the longer.
type rates struct {
	Rate
	now func() time.Time
	mu  struct {
		sync.Mutex
		by map[sender]*meters
	}
}

// meters are how much of its burst a sender has left.
type meters struct {
	events, bytes float64
	at            time.Time
}

// maxMeters bounds how many senders are counted: those that have all of their burst need not be.
const maxMeters = 20_000

func newRates(r Rate) *rates {
	out := &rates{Rate: Rate{cmp.Or(r.Events, 100_000), cmp.Or(r.Bytes, 128<<20)}, now: time.Now}
	out.mu.by = map[sender]*meters{}
	return out
}

// of is a sender's meters as of now; the lock is held. A sensor has half of what its cluster's
// sensors have.
func (r *rates) of(h sender, part float64) *meters {
	now := r.now()
	most := meters{float64(r.Events) * burst * part, float64(r.Bytes) * burst * part, now}
	m := r.mu.by[h]
	if m == nil {
		if len(r.mu.by) >= maxMeters {
			r.forget(now)
		}
		m = &most
		r.mu.by[h] = m
		return m
	}
	passed := now.Sub(m.at).Seconds()
	m.events = min(most.events, m.events+passed*most.events/burst)
	m.bytes = min(most.bytes, m.bytes+passed*most.bytes/burst)
	m.at = now
	return m
}

// forget forgets those that sent nothing for so long that they have all of their burst.
func (r *rates) forget(now time.Time) {
	for h, m := range r.mu.by {
		if now.Sub(m.at) > 2*burst*time.Second {
			delete(r.mu.by, h)
		}
	}
}

// wait is how long a sender has to wait until it may send again; 0 if it need not.
func (r *rates) wait(of sender) (longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	part := 1.0
	for _, h := range of.holders() {
		m := r.of(h, part)
		missing := max(-m.events/(float64(r.Events)*part), -m.bytes/(float64(r.Bytes)*part))
		longest = max(longest, time.Duration(missing*float64(time.Second)))
		part /= 2
	}
	return longest
}

// sent counts what a sender sent.
func (r *rates) sent(of sender, events int, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	part := 1.0
	for _, h := range of.holders() {
		m := r.of(h, part)
		m.events -= float64(events)
		m.bytes -= float64(bytes)
		part /= 2
	}
}
