package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/breakwater-sec/breakwater/image"
)

// Mirrors sends requests for a registry's host somewhere else: HOST=HOST:PORT
// with plain HTTP on loopback and HTTPS elsewhere.
func Mirrors(list []string) (http.RoundTripper, error) {
	to := map[string]string{}
	for _, m := range list {
		from, where, ok := strings.Cut(m, "=")
		if !ok || from == "" || where == "" {
			return nil, fmt.Errorf("--registry-mirror %q: want HOST=HOST:PORT", m)
		}
		to[from] = where
	}
	if len(to) == 0 {
		return nil, nil // the default
	}
	return mirrored{to, image.Transport()}, nil
}

type mirrored struct {
	to   map[string]string
	base http.RoundTripper
}

func (m mirrored) RoundTrip(r *http.Request) (*http.Response, error) {
	where, ok := m.to[r.URL.Hostname()]
	if !ok {
		return m.base.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = where, where
	r.URL.Scheme = "https"
	if host, _, _ := strings.Cut(where, ":"); host == "localhost" || strings.HasPrefix(host, "127.") {
		r.URL.Scheme = "http"
	}
	return m.base.RoundTrip(r)
}
