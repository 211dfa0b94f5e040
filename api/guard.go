package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	sessionCookie = "breakwater_session"
	// hostCookie is its name under TLS. Browsers take one of such a name from the very host alone: what stands beside it
	// under the same domain can give nobody a session that is not theirs.
	hostCookie   = "__Host-" + sessionCookie
	sessionLasts = 12 * time.Hour
	maxBody      = 1 << 20
)

// contentPolicy lets a page load and ask nothing but this server. Inline styles
// are allowed because the component library sets element styles; scripts are not.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// strictTransport keeps browsers from plain HTTP, once they have come by TLS.
const strictTransport = "max-age=31536000"

// headers sets on every answer what browsers need to be strict. Nothing is stored but what
// says so itself: the portal's assets.
func headers(secure bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if secure {
			h.Set("Strict-Transport-Security", strictTransport)
		}
		next.ServeHTTP(w, r)
	})
}

// knownHost refuses requests that were addressed to a name we do not serve: a
// page elsewhere could otherwise point a name of its own at our address and read
// the answers (DNS rebinding).
// What it says names no name of ours: who may read it may be another account of the machine.
func (s *server) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r)
		_, local := operatorOf(r.Context())
		switch {
		case local, loopbackName(host), s.ownName(r):
			next.ServeHTTP(w, r)
		case strings.HasSuffix(strings.ToLower(host), ".localhost"):
			problem(w, http.StatusMisdirectedRequest, "unknown host",
				"the server has another name since it was started: print a new sign-in link with: breakwater sign-in")
		default:
			problem(w, http.StatusMisdirectedRequest, "unknown host",
				"this server does not answer to the name "+host+"; start it with --host "+host+" if it should")
		}
	})
}

func loopbackName(host string) bool {
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// sameOrigin refuses a change that another site's page sent with our cookie.
// Browsers send Origin with every such request; tools that send none carry no
// cookie of a browser either.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin := r.Header.Get("Origin"); origin != "" && r.Method != http.MethodGet && r.Method != http.MethodHead {
			if u, err := url.Parse(origin); err != nil || !strings.EqualFold(u.Host, r.Host) {
				problem(w, http.StatusForbidden, "foreign origin", "the request comes from a page of "+origin)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// cookie is the name of the cookie that holds a session.
func (s *server) cookie() string {
	if s.Secure {
		return hostCookie
	}
	return sessionCookie
}

func (s *server) sessionToken(r *http.Request) string {
	if b, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return b
	}
	if c, err := r.Cookie(s.cookie()); err == nil {
		return c.Value
	}
	return ""
}

// bounded limits how much of a request is read.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}
