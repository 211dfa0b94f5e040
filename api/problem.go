package api

import (
	"encoding/json"
	"errors"
	"net/http"
)

// problem answers with application/problem+json (RFC 9457).
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "about:blank", "title": title, "status": status, "detail": detail}) // the asker left
}

// fail answers known with its own status and everything else as our fault.
func fail(w http.ResponseWriter, err, known error, status int, detail string) {
	if errors.Is(err, known) {
		problem(w, status, http.StatusText(status), detail)
		return
	}
	problem(w, http.StatusInternalServerError, "the server could not do this", err.Error())
}
