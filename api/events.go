package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// quiet is the longest an event stream says nothing: proxies and browsers drop
// connections that look dead.
const quiet = 20 * time.Second

// events streams an event for every new world until the asker leaves, their session ends or is
// ended, or the stream has lasted long enough: its page asks for the next.
func (s session) events(w http.ResponseWriter, r *http.Request) {
	give, err := s.bounds.streams.take(r.Context(), s.who, 0)
	if err != nil {
		crowded(w, r, err)
		return
	}
	defer give()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	send := func(version uint64, cluster string, kinds []string) bool {
		b, err := json.Marshal(Event{Version: int(version), Cluster: cluster, Kinds: list(kinds)})
		if err != nil {
			return false
		}
		_, err = fmt.Fprintf(w, "event: world\ndata: %s\n\n", b)
		return err == nil && out.Flush() == nil
	}
	events := s.Subscribe(r.Context())
	// The first says what there is: a page that reconnects learns what it missed.
	if !send(s.World.Version, "", nil) {
		return
	}
	ping := time.NewTicker(quiet)
	defer ping.Stop()
	end := time.NewTimer(min(time.Until(s.until), s.bounds.Life))
	defer end.Stop()
	again := time.NewTicker(s.bounds.Recheck)
	defer again.Stop()
	for {
		select {
		case e, ok := <-events:
			if !ok || !send(e.Version, e.Cluster, e.Kinds) {
				return
			}
		case <-ping.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil || out.Flush() != nil {
				return
			}
		case <-again.C:
			if !s.still(r.Context()) {
				return
			}
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}
