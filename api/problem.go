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

// fail answers known with its own status and everything else as our fault.
func fail(w http.ResponseWriter, err, known error, status int, detail string) {
	if errors.Is(err, known) {
		problem(w, status, http.StatusText(status), detail)
		return
	}
	problem(w, http.StatusInternalServerError, "the server could not do this", err.Error())
}
