package server

import (
	"context"
	"sync"
	"time"
)

// health is what the server knows of itself: whether what it answers is worth asking for.
type health struct {
	mu struct {
		sync.Mutex
		unwritable string
	}
}

// probeEvery is how often a write is tried, and how long one may take.
const probeEvery = 15 * time.Second

// probe tries to write now and then, so that who asks whether the server is ready costs the
// database nothing.
func (v *Server) probe(ctx context.Context) error {
	t := time.NewTicker(probeEvery)
	defer t.Stop()
	for {
		v.tryWrite(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (v *Server) tryWrite(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, probeEvery)
	defer cancel()
	err := v.Store.Probe(within)
	if ctx.Err() != nil {
		return
	}
	v.disk.noRoom(err)
	why := ""
	if err != nil {
		why = "the records cannot be written"
	}
	v.health.mu.Lock()
	was := v.health.mu.unwritable
	v.health.mu.unwritable = why
	v.health.mu.Unlock()
	switch {
	case was == "" && err != nil:
		v.log.Error("the records cannot be written; what is there can be read", "error", err)
	case was != "" && err == nil:
		v.log.Info("the records can be written again")
	}
}

// Unready says why the server is not ready, in words that tell nothing of what it watches;
// none if it is.
func (v *Server) Unready() (reasons []string) {
	if w := v.Live.World(); w.Version == 0 && len(w.Clusters) > 0 {
		reasons = append(reasons, "the first picture is not computed yet")
	}
	v.health.mu.Lock()
	defer v.health.mu.Unlock()
	if why := v.health.mu.unwritable; why != "" {
		reasons = append(reasons, why)
	}
	return reasons
}

// writable says that the last try to write went well, or that there was none yet.
func (h *health) writable() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.mu.unwritable == ""
}
