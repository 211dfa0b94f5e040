package server

import (
	"net/http"
	"sync/atomic"

	"github.com/breakwater-sec/breakwater/api"
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
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Path == "/healthz" {
		api.AnswerAlive(w)
		return
	}
	w.Header().Set("Retry-After", "1")
	missing, _ := e.missing.Load().(string)
	api.AnswerReady(w, []string{missing})
}
