package assess

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/image"
)

const (
	// slowAfter is how long a registry may hold a worker before it counts as slow, unless it sends at least promptRate,
	// and slowFor how long it then does.
	slowAfter  = 2 * time.Minute
	slowFor    = time.Hour
	promptRate = 1 << 20 // bytes of an image a second
	// failsWithin is how long a failure may take and say nothing of the registry.
	failsWithin = 10 * time.Second
	// promptFor is how long a registry counts as prompt after it gave an image.
	promptFor = 24 * time.Hour
	// mostHosts bounds how many registries are remembered; those that held a worker last stay.
	mostHosts = 1000
)

// prompt is how registries have answered: who creates a pod names one, so there may be as many that are slow as somebody
// likes. Those that gave an image lately keep places among the workers that no others get; those that were slow have fewer
// yet.
type prompt struct {
	mu    sync.Mutex
	hosts map[string]answered
}

// answered is how a registry did.
type answered struct {
	at   time.Time // it was asked
	gave time.Time // it gave an image last
	slow time.Time // until when it counts as slow
}

func newPrompt() *prompt { return &prompt{hosts: map[string]answered{}} }

// read notes how long a registry held a worker, and what it gave, if it did.
func (p *prompt) read(host string, took time.Duration, inv *image.Inventory) {
	now, gave := time.Now(), inv != nil
	quick := took < slowAfter || gave && float64(inv.Size()) >= promptRate*took.Seconds()
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[host]
	h.at = now
	switch {
	case !quick:
		h.slow = now.Add(slowFor)
	case gave:
		h.gave, h.slow = now, time.Time{}
	case took >= failsWithin:
		h.gave = time.Time{}
	}
	p.hosts[host] = h
	p.forget()
}

// lasts notes that a registry holds a worker for long.
func (p *prompt) lasts(host string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hosts[host]
	h.at, h.slow = now, now.Add(slowFor)
	p.hosts[host] = h
	p.forget()
}

// forget is called with mu held.
func (p *prompt) forget() {
	if len(p.hosts) <= mostHosts {
		return
	}
	oldest := slices.MinFunc(slices.Collect(maps.Keys(p.hosts)), func(a, b string) int { return p.hosts[a].at.Compare(p.hosts[b].at) })
	delete(p.hosts, oldest)
}

// are gives the registries that are prompt and those that are slow; of all others nothing is known.
func (p *prompt) are() (prompt, slow map[string]bool) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	prompt, slow = map[string]bool{}, map[string]bool{}
	for host, h := range p.hosts {
		switch {
		case now.Before(h.slow):
			slow[host] = true
		case now.Sub(h.gave) < promptFor:
			prompt[host] = true
		}
	}
	return prompt, slow
}
