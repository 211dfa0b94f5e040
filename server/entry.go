package server

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// entry answers at the ports from the first moment: that the server lives, and what is missing until it can answer more.
// It is given the handler of everything once that is wired.
type entry struct {
	missing atomic.Value // string
	wired   atomic.Pointer[http.Handler]
}

func newEntry() *entry {
	e := &entry{}
	e.wait("the records are not opened yet")
	return e
}

// wait says what the start waits for, in words that tell nothing of what is watched.
func (e *entry) wait(missing string) { e.missing.Store(missing) }

func (e *entry) open(all http.Handler) { e.wired.Store(&all) }

func (e *entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if all := e.wired.Load(); all != nil {
		(*all).ServeHTTP(w, r)
		return
	}
	missing, _ := e.missing.Load().(string)
	answer := struct {
		Status  string   `json:"status"`
		Reasons []string `json:"reasons,omitempty"`
	}{"not ready", []string{missing}}
	status := http.StatusServiceUnavailable
	if r.URL.Path == "/healthz" {
		answer.Status, answer.Reasons, status = "ok", nil, http.StatusOK
	} else {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the asker left
}
