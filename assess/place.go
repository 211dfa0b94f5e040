package assess

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// placeAfter is how long an image waits that found no place before it looks again.
const placeAfter = 5 * time.Second

// errSlow says that a registry left its worker to others, errNoPlace that none of an image's
// registries had a place among the workers.
var (
	errSlow    = errors.New("the registry is slow, and slow ones hold as many workers as they may")
	errNoPlace = fmt.Errorf("the registries that may have it hold as many workers as they may: %w", errElsewhere)
)

// most is how many workers a prompt registry may hold, and together all that are not known to
// be prompt: all but one.
func (a *Assessor) most() int { return max(1, a.config.Workers-1) }

// half is how many of them one that is not known to be prompt may hold, and together all that
// are slow.
func (a *Assessor) half() int { return max(1, a.config.Workers/2) }

// places are the workers that registries hold.
type places struct {
	prompt, slow        map[string]bool
	held                map[string]int
	notPrompt, slowOnes int
}

// full says that a registry holds its share.
func (a *Assessor) full(p places, host string) bool {
	if p.prompt[host] {
		return p.held[host] >= a.most()
	}
	return p.held[host] >= a.half()
}

// places counts them, without one image.
func (a *Assessor) places(without string) places {
	p := places{held: map[string]int{}}
	p.prompt, p.slow = a.prompt.are()
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, host := range a.mu.reading {
		if id == without {
			continue
		}
		p.held[host]++
		if !p.prompt[host] {
			p.notPrompt++
		}
		if p.slow[host] {
			p.slowOnes++
		}
	}
	return p
}

// open are the registries that have a place.
func (a *Assessor) open() Hosts {
	p := a.places("")
	h := Hosts{Not: a.throttle.now()}
	if a.config.Quiet != nil {
		h.Quiet = a.config.Quiet()
	}
	for host := range p.held {
		if a.full(p, host) {
			h.Not = append(h.Not, host)
		}
	}
	if p.slowOnes >= a.half() {
		h.Not = append(h.Not, slices.Collect(maps.Keys(p.slow))...)
	}
	if p.notPrompt >= a.most() {
		h.Only = append([]string{}, slices.Collect(maps.Keys(p.prompt))...)
	}
	return h
}

// enter notes from where an image is read now, unless that registry has no place.
func (a *Assessor) enter(id, host string) bool {
	a.leasing.Lock() // nobody takes the place meanwhile
	defer a.leasing.Unlock()
	p := a.places(id)
	if a.full(p, host) || !p.prompt[host] && p.notPrompt >= a.most() || p.slow[host] && p.slowOnes >= a.half() {
		return false
	}
	a.mu.Lock()
	a.mu.reading[id] = host
	a.mu.Unlock()
	return true
}

// lasts notes that the registry of an image holds a worker for long, and says whether it must
// leave it: those that are slow hold more than they may.
func (a *Assessor) lasts(id string) bool {
	a.mu.Lock()
	host := a.mu.reading[id]
	a.mu.Unlock()
	a.prompt.lasts(host)
	return a.places("").slowOnes > a.half()
}
