package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
)

// Senders is what the store knows of those that send something and are no person: what they show.
type Senders interface {
	IngestToken(ctx context.Context, token string) (store.IngestToken, error)
	UsedIngestToken(ctx context.Context, id, from string, at time.Time) error
}

// pushes takes the notification of a registry: who shows the token of one makes that one be asked, and no more.
func (s *server) pushes(w http.ResponseWriter, r *http.Request) {
	of, ok := s.sender(w, r, store.PushToken, "breakwater registry webhook HOST makes one")
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, registries.MaxNotification))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		problem(w, status, "the notification cannot be read", fmt.Sprintf("want at most %d bytes", registries.MaxNotification))
		return
	}
	n, err := registries.ReadNotification(body)
	if err != nil {
		problem(w, http.StatusBadRequest, "the notification cannot be read", err.Error())
		return
	}
	taken, err := s.Pushed(of.Subject, n.Pushes)
	if err != nil {
		failed(s.Log, w, r, ofRegistry(err, of.Subject))
		return
	}
	takenOn(w, PushesTaken{Form: n.Form, Taken: taken, Ignored: len(n.Pushes) - taken + n.Odd})
}

// takenOn answers what came of something that is done later.
func takenOn(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(what) // the asker left
}

// allowPushes answers who asks whether CloudEvents may be sent here, as their specification of webhooks wants it.
func (s *server) allowPushes(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.sender(w, r, store.PushToken, "breakwater registry webhook HOST makes one"); !ok {
		return
	}
	if origin := r.Header.Get("WebHook-Request-Origin"); origin != "" {
		w.Header().Set("WebHook-Allowed-Origin", origin)
		w.Header().Set("WebHook-Allowed-Rate", "60")
	}
	w.Header().Set("Allow", "POST")
	w.WriteHeader(http.StatusNoContent)
}

// sender is whose the token of a request is, if it is of that kind; else it says no.
func (s *server) sender(w http.ResponseWriter, r *http.Request, kind, made string) (store.IngestToken, bool) {
	token := shownToken(r)
	if token == "" || s.Senders == nil {
		problem(w, http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized), "want a token: "+made)
		return store.IngestToken{}, false
	}
	give, err := s.bounds.senders.take(r.Context(), address(r), s.bounds.Wait) // only the store is waited for
	if err != nil {
		crowded(w, r, err)
		return store.IngestToken{}, false
	}
	defer give()
	known, cancel := context.WithTimeout(r.Context(), knownWithin)
	defer cancel()
	of, err := s.Senders.IngestToken(known, token)
	switch {
	case errors.Is(err, store.ErrNotFound):
		problem(w, http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized), "the token does not count, or not any more: "+made)
		return store.IngestToken{}, false
	case err != nil:
		s.unknown(w, r, err)
		return store.IngestToken{}, false
	case of.Kind != kind:
		problem(w, http.StatusForbidden, http.StatusText(http.StatusForbidden), "the token is for something else: "+made)
		return store.IngestToken{}, false
	}
	if now := time.Now(); now.Sub(of.UsedAt) >= time.Minute || of.UsedFrom != address(r) {
		if err := s.Senders.UsedIngestToken(known, of.ID, address(r), now); err != nil {
			s.Log.Warn("cannot note that a token was used", "token", of.ID, "error", err)
		}
	}
	return of, true
}

// shownToken is the token that a request shows: not every sender lets people choose how.
func shownToken(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	if shown := r.Header.Get("Authorization"); shown != "" {
		return strings.TrimSpace(strings.TrimPrefix(shown, "Bearer "))
	}
	return r.URL.Query().Get("token")
}
