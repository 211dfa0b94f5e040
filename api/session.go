package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/breakwater-sec/breakwater/store"
)

// maxSignIn bounds what is read of somebody who is not signed in.
const maxSignIn = 4 << 10

// signIn exchanges the token of a sign-in link for a session.
func (s *server) signIn(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Token string `json:"token"`
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxSignIn)
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Token == "" {
		problem(w, http.StatusBadRequest, "the request cannot be read", "want {\"token\": …} from the sign-in link")
		return
	}
	if ofBrowser(r) && !s.ownName(r) {
		problem(w, http.StatusForbidden, "not under this name", "a browser would show the session of "+hostOf(r)+
			" to every program that listens on this machine: open the link as the server printed it, or print a new one with: "+
			"breakwater sign-in")
		return
	}
	give, err := s.bounds.signIns.take(r.Context(), "", s.bounds.Wait) // the body has come: only the store is waited for
	if err != nil {
		crowded(w, r, errMany)
		return
	}
	defer give()
	known, cancel := context.WithTimeout(r.Context(), knownWithin)
	defer cancel()
	token, err := s.Sessions.SignIn(known, body.Token, sessionLasts)
	if errors.Is(err, store.ErrNotFound) {
		s.signInFailed(w, r)
		return
	}
	if err == nil {
		err = s.signedInAs(known, r, token)
	}
	if err != nil {
		s.unknown(w, r, err)
		return
	}
	s.setCookie(w, token, int(sessionLasts.Seconds()))
	w.WriteHeader(http.StatusNoContent)
}

// signInFailed says no, and records it now and then. A link that is good is taken however many were not.
func (s *server) signInFailed(w http.ResponseWriter, r *http.Request) {
	n, from, since, record := s.failures.add(address(r), time.Now())
	if record {
		if err := s.Sessions.Record(r.Context(), store.Activity{Address: from, Action: "sign in",
			Detail: fmt.Sprintf("%d since %s", n, since.UTC().Format("15:04 MST")), Outcome: "refused: no such link"}); err != nil {
			s.Log.Error("a failed sign-in cannot be recorded", "error", err)
		}
	}
	if n > tooMany {
		w.Header().Set("Retry-After", strconv.Itoa(int(failuresFor.Seconds())))
		problem(w, http.StatusTooManyRequests, "too many sign-ins failed", "use a link that was not used; print one with: breakwater sign-in")
		return
	}
	problem(w, http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized),
		"this sign-in link was used before, is older than ten minutes or of an earlier start; print a new one with: breakwater sign-in")
}

func (s *server) setCookie(w http.ResponseWriter, token string, age int) {
	http.SetCookie(w, &http.Cookie{Name: s.cookie(), Value: token, Path: "/", MaxAge: age, HttpOnly: true, Secure: s.Secure,
		SameSite: http.SameSiteStrictMode})
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) {
	if err := s.Sessions.SignOut(r.Context(), s.sessionToken(r)); err != nil {
		failed(s.Log, w, r, err)
		return
	}
	s.setCookie(w, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// GetSession implements StrictServerInterface.
func (s session) GetSession(context.Context, GetSessionRequestObject) (GetSessionResponseObject, error) {
	return GetSession200JSONResponse{Until: s.until}, nil
}
