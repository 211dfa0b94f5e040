package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// problem answers with application/problem+json (RFC 9457).
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": title, "status": status, "detail": detail}) // the asker left
}

// unread says that a request cannot be read, or is too large to be.
func unread(w http.ResponseWriter, _ *http.Request, err error) {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		problem(w, http.StatusRequestEntityTooLarge, "too large",
			fmt.Sprintf("want at most %d KiB in one request: send less at once", large.Limit>>10))
		return
	}
	problem(w, http.StatusBadRequest, "the request cannot be read", err.Error())
}

// errNobodyKnown is what is told of an error to somebody who is not known yet: our inside is nobody's business.
var errNobodyKnown = errors.New("who asks cannot be told at the moment; ask again in a moment")

// unknown answers somebody whom the store could not be asked about.
func (s *server) unknown(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the asker left
	}
	s.Log.Error("cannot tell who asks", "path", r.URL.Path, "error", err)
	later(w, http.StatusServiceUnavailable, "the records do not answer", errNobodyKnown)
}
