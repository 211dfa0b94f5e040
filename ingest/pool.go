package ingest

import (
	"net/netip"
	"sync"
)

// sender is who sends a request: a source, at an address. node is whose certificate was
// shown; it is empty for an API server, and for a sensor that showed a token.
type sender struct {
	source
	address netip.Addr
	node    string
}

// String names a sender among those that share connections.
func (s sender) String() string {
	if s.node != "" {
		return string(s.kind) + " " + s.cluster + "/" + s.node
	}
	return string(s.kind) + " " + s.cluster + " " + s.address.String()
}

// holders are those between whom room is shared out for a sender: its source and, of a
// sensor, its node within that, or its address where the node is not proved. One sensor of a
// cluster must not use up what is the others'.
func (s sender) holders() []sender {
	switch {
	case s.kind == Runtime && s.node != "":
		return []sender{{source: s.source}, {source: s.source, node: s.node}}
	case s.kind == Runtime && s.address.IsValid():
		return []sender{{source: s.source}, s}
	}
	return []sender{{source: s.source}}
}

// pool is room that all sources share: memory, or the stream's disk. Nobody waits for a
// part of it, and nobody may hold more than half of what the others leave: of k who take
// all they can, each gets the k+1st part, and as much is left for those who come then.
type pool struct {
	size int64
	mu   struct {
		sync.Mutex
		held int64
		by   map[sender]int64
	}
}

func newPool(size int64) *pool {
	p := &pool{size: size}
	p.mu.by = map[sender]int64{}
	return p
}

// take takes some room, or says that there is none.
func (p *pool) take(of sender, n int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	size, held := p.size, p.mu.held
	for _, h := range of.holders() { // each within the part of the one before
		own := p.mu.by[h]
		size = (size - (held - own)) / 2
		if held = own; own+n > size {
			return false
		}
	}
	p.mu.held += n
	for _, h := range of.holders() {
		p.mu.by[h] += n
	}
	return true
}

// give gives room back.
func (p *pool) give(of sender, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.held = max(0, p.mu.held-n)
	for _, h := range of.holders() {
		if p.mu.by[h] -= n; p.mu.by[h] <= 0 {
			delete(p.mu.by, h)
		}
	}
}

// hold says how much a source holds, whatever was counted.
func (p *pool) hold(of source, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := sender{source: of}
	p.mu.held += n - p.mu.by[h]
	p.mu.by[h] = n
}

// only forgets what sources hold that have nothing any more.
func (p *pool) only(have map[source]uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for h, n := range p.mu.by {
		if have[h.source] == 0 {
			p.mu.held -= n
			delete(p.mu.by, h)
		}
	}
}

// holds is how much a source holds.
func (p *pool) holds(of source) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.by[sender{source: of}]
}

// left is how much nobody holds.
func (p *pool) left() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.size - p.mu.held
}
