package api

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/graph"
)

// Operator is who asks over the socket of the data folder: the account that the server runs as.
// They show no token; the kernel said who they are.
type Operator struct {
	// Person is the account's name, Address where the request came from, in words.
	Person, Address string
	Sees            graph.Scope
}

type operatorKey struct{}

// WithOperator is the context of requests that come over the socket. Nothing in a request leads to it.
func WithOperator(ctx context.Context, o Operator) context.Context {
	return context.WithValue(ctx, operatorKey{}, o)
}

func operatorOf(ctx context.Context) (Operator, bool) {
	o, ok := ctx.Value(operatorKey{}).(Operator)
	return o, ok
}

// linkLasts is how long a sign-in link is of use.
const linkLasts = 10 * time.Minute

// newSignInLink makes a link for a person, with the rights of the operator who asks.
func (s *server) newSignInLink(w http.ResponseWriter, r *http.Request) {
	operator, ok := operatorOf(r.Context())
	if !ok {
		notFound(w, r)
		return
	}
	var body struct {
		Person string `json:"person"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Person == "" || len(body.Person) > 100 {
		problem(w, http.StatusBadRequest, "the request cannot be read", `want {"person": …}, for whom the link is, in at most 100 bytes`)
		return
	}
	scope, err := json.Marshal(operator.Sees)
	if err != nil {
		failed(s.Log, w, r, err)
		return
	}
	token, err := s.Sessions.NewSignIn(r.Context(), linkLasts, string(scope), body.Person)
	if err != nil {
		failed(s.Log, w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"link": SignInLink(s.URL, token)}) // the asker left
}

// SignInLink carries the token behind #, which browsers do not send to servers, proxies or logs;
// the page posts it.
func SignInLink(url, token string) string { return url + "/sign-in#" + token }

// ofBrowser says whether a browser made the request: they say of every POST from which page it is.
func ofBrowser(r *http.Request) bool {
	return r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != ""
}

// ownName says whether the request is addressed to a name that only this server has. Browsers send
// the cookies of a name to each of its ports: those of 127.0.0.1 would reach every program of the machine.
func (s *server) ownName(r *http.Request) bool {
	host := hostOf(r)
	if u, err := url.Parse(s.URL); err == nil && strings.EqualFold(u.Hostname(), host) && !loopbackName(host) {
		return true
	}
	return slices.ContainsFunc(s.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// hostOf is the name that a request is addressed to, without its port.
func hostOf(r *http.Request) string {
	if h, _, err := net.SplitHostPort(r.Host); err == nil {
		return h
	}
	return r.Host
}
