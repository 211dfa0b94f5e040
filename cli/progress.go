package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/terminal"
)

// progress is a line of a terminal that says how far a scan has come, drawn over itself: of a long layer each second again,
// so that nobody takes it for dead.
type progress struct {
	to      io.Writer // nil where nobody watches: a pipe wants the answer
	of      int
	started time.Time
	mu      struct {
		sync.Mutex
		image, layer string
		number       int
	}
}

// scanProgress draws until stop is called.
func scanProgress(w io.Writer, images int) (p *progress, stop func()) {
	p = &progress{of: images, started: time.Now()}
	if !isTerminal(w) {
		return p, func() {}
	}
	p.to = w
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		second := time.NewTicker(time.Second)
		defer second.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-second.C:
				p.draw(now)
			}
		}
	}()
	return p, func() { close(done); <-ended }
}

// begin says which image is read next.
func (p *progress) begin(reference string) {
	p.mu.Lock()
	p.mu.image, p.mu.layer = reference, "opening"
	p.mu.number++
	p.mu.Unlock()
	p.draw(time.Now())
}

// layer says that a layer of it was read.
func (p *progress) layer(l image.Progress) {
	from := "read"
	if l.FromCache {
		from = "known"
	}
	p.mu.Lock()
	p.mu.layer = fmt.Sprintf("layer %d of %d, the last %s (%s)", l.Layer, l.Of, from, size(l.Bytes))
	p.mu.Unlock()
	p.draw(time.Now())
}

// end clears the line: what follows is an answer.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.image = ""
	if p.to != nil {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

func (p *progress) draw(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.to == nil || p.mu.image == "" {
		return
	}
	count := ""
	if p.of > 1 {
		count = fmt.Sprintf("[%d of %d] ", p.mu.number, p.of)
	}
	fmt.Fprintf(p.to, "\r\x1b[K%s%s: %s, %s", count, terminal.Plain(p.mu.image), p.mu.layer, now.Sub(p.started).Round(time.Second))
}
