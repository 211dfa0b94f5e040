package live

import (
	"context"
	"slices"
	"sync"
)

// Event says that there is a new World and what is different in it. An empty
// Cluster means several or all of them.
type Event struct {
	Version uint64
	Cluster string
	Kinds   []string
}

// merge folds a later event into one nobody has taken yet.
func (e Event) merge(later Event) Event {
	if e.Cluster != later.Cluster {
		e.Cluster = ""
	}
	e.Version = later.Version
	e.Kinds = slices.Compact(slices.Sorted(slices.Values(slices.Concat(e.Kinds, later.Kinds))))
	return e
}

// hub hands every event to every subscriber and never waits for one.
type hub struct {
	mu struct {
		sync.Mutex
		subscribers map[chan Event]struct{}
		closed      bool
	}
}

func (h *hub) subscribe(ctx context.Context) <-chan Event {
	ch := make(chan Event, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.closed {
		close(ch)
		return ch
	}
	if h.mu.subscribers == nil {
		h.mu.subscribers = map[chan Event]struct{}{}
	}
	h.mu.subscribers[ch] = struct{}{}
	context.AfterFunc(ctx, func() { h.leave(ch) })
	return ch
}

func (h *hub) leave(ch chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.mu.subscribers[ch]; there {
		delete(h.mu.subscribers, ch)
		close(ch)
	}
}

// send replaces what a slow subscriber has not taken by both events merged.
func (h *hub) send(e Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.mu.subscribers {
		out := e
		select {
		case waiting := <-ch:
			out = waiting.merge(e)
		default:
		}
		ch <- out // room for one, and only this goroutine puts
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mu.closed = true
	for ch := range h.mu.subscribers {
		delete(h.mu.subscribers, ch)
		close(ch)
	}
}
