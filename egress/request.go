package egress

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// SameHost lets a client follow redirects on the host that was asked, for servers that a person named and that speak to
// us as one: an API server gets our token with every request.
func SameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) >= 10:
		return &Refused{Host: first.Host, Why: "leads round in circles"}
	case r.URL.Host != first.Host || r.URL.Scheme != first.Scheme:
		return &Refused{Host: first.Host, Why: "sends who asks to another host"}
	}
	return nil
}

// Network is a way to registries: For binds it to one. By itself it takes the host that is asked for the registry.
type Network interface {
	http.RoundTripper
	For(registry string) http.RoundTripper
}

// For is what a transport does for one registry; one that knows no registries is used as it is.
func For(t http.RoundTripper, registry string) http.RoundTripper {
	if n, ok := t.(Network); ok {
		return n.For(registry)
	}
	return t
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.For(origin(r).URL.Host).RoundTrip(r)
}

// For is the transport to one registry, HOST or HOST:PORT as references write it: its token server, and what it sends
// readers to.
func (t *Transport) For(registry string) http.RoundTripper {
	return &session{t, canonical(strings.ToLower(registry)), false}
}

// Files is the transport to a site that a person or our own list named for its files, and to what it sends readers to. It
// has no token server, and nothing that is asked for is a token.
func (t *Transport) Files(host string) http.RoundTripper {
	return &session{t, canonical(strings.ToLower(host)), true}
}

// session is one registry being asked, or one site of files.
type session struct {
	*Transport
	registry string
	files    bool
}

// RoundTrip implements http.RoundTripper.
func (s *session) RoundTrip(r *http.Request) (*http.Response, error) {
	token := s.isToken(r)
	if err := s.may(r.URL, r.Method, r.Response != nil, token); err != nil {
		closeBody(r)
		return nil, err
	}
	sent := r
	if !s.own(r.URL) {
		sent = withoutAccount(r, s.sign(r))
	}
	sent = s.mirrored(sent)
	resp, err := s.send(sent)
	if err != nil {
		return nil, inOurWords(s.named(r.URL), err)
	}
	resp.Request = r // where a redirect goes on from, whatever mirror answered
	return s.answer(r, resp, token)
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// by is the way to the registry.
func (s *session) by() way {
	if w, own := s.ways[s.registry]; own {
		return w
	}
	return s.way
}

// send goes through the proxy that people set for the address, or there.
func (s *session) send(r *http.Request) (*http.Response, error) {
	w := s.by()
	through, err := w.proxy(r.URL)
	if err != nil {
		return nil, err
	}
	if through == nil {
		return w.direct.RoundTrip(r)
	}
	if host := r.URL.Hostname(); isAddress(host) || local(host) { // of other names the proxy alone knows the address
		if err := s.mayConnectTo(r.URL); err != nil {
			return nil, err
		}
	}
	return w.proxied.RoundTrip(r)
}

// may judges where a request is about to go.
func (s *session) may(u *url.URL, method string, redirected, token bool) error {
	host := strings.ToLower(u.Hostname())
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.User != nil || !hostForm.MatchString(strings.ToLower(u.Host)):
		return &Refused{Host: s.registry, Why: "leads to an address that is none of HTTP"}
	case metadataName(host) || neverOpen(host):
		return &Refused{Host: spoken(host, u.Port(), u.Scheme), Why: "is a metadata service, or no machine: nothing is fetched from there"}
	case s.own(u):
		return s.secure(u)
	}
	to := spoken(host, u.Port(), u.Scheme)
	switch {
	case (!redirected || token) && !s.policy.givesTokens(s.registry, host):
		return &Refused{Host: s.registry, Why: "has its token server on another site, " + to,
			Allow: fmt.Sprintf("--registry-site %s=%s", s.registry, host)}
	case redirected && !s.policy.givesContent(s.registry, host):
		return &Refused{Host: s.registry, Why: "sends readers to another site, " + to,
			Allow: fmt.Sprintf("--registry-site %s=%s", s.registry, host)}
	case token && redirected && (u.Scheme != "https" || isAddress(host)):
		return &Refused{Host: s.registry, Why: "asks for tokens to be fetched at another host without a name or TLS"}
	case redirected && method != http.MethodGet && method != http.MethodHead:
		return &Refused{Host: s.registry, Why: "sends what was posted to another host, " + to}
	}
	return s.secure(u)
}

// neverOpen says whether a host is an address that stays closed to everybody.
func neverOpen(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	k := kindOf(a)
	return k != nil && k.Never
}

// secure refuses HTTP without TLS where nobody asked for it. A registry's own address may be that of a mirror which speaks
// it; hosts beside them, a token server above all, need their own word.
func (s *session) secure(u *url.URL) error {
	if u.Scheme == "https" || s.policy.Plain(u.Host) || s.policy.mirror(u).Plain {
		return nil
	}
	to := spoken(u.Hostname(), u.Port(), u.Scheme)
	return &Refused{Host: to, Why: "would be spoken to without TLS", Allow: fmt.Sprintf("--allow-private http://%s", to)}
}

// own says whether an address is the registry's own: its host and port, or those of its mirror.
func (s *session) own(u *url.URL) bool {
	at := addressOf(u)
	if at == (Host{s.registry, u.Scheme == "http"}).address() {
		return true
	}
	m, isMirrored := s.policy.Mirrors[s.registry]
	return isMirrored && at == m.address()
}

func addressOf(u *url.URL) string {
	return Host{strings.ToLower(u.Host), u.Scheme == "http"}.address()
}

// named is how people write what an address leads to.
func (s *session) named(u *url.URL) string {
	return spoken(strings.ToLower(u.Hostname()), u.Port(), u.Scheme)
}

// isToken says whether a request asks for a token. What the distribution specification has of requests is known; a token
// server is asked for anything else.
func (s *session) isToken(r *http.Request) bool {
	if s.files {
		return false
	}
	first := origin(r)
	if first.Method == http.MethodPost || !s.own(first.URL) {
		return true
	}
	p := first.URL.Path
	return p != "/v2/" && p != "/v2" && !slices.ContainsFunc([]string{"/manifests/", "/blobs/", "/tags/list", "/_catalog", "/referrers/"},
		func(part string) bool { return strings.HasPrefix(p, "/v2/") && strings.Contains(p, part) }) ||
		first.URL.Query().Has("service")
}

// origin is the request that redirects led away from.
func origin(r *http.Request) *http.Request {
	for r.Response != nil && r.Response.Request != nil {
		r = r.Response.Request
	}
	return r
}

// sign says whether what a request is signed with may go to a host that is not the registry: to a token server that was
// asked straight away, and to one that sites.yaml or a person names.
func (s *session) sign(r *http.Request) bool {
	host := strings.ToLower(r.URL.Hostname())
	if r.Response == nil {
		return s.policy.givesTokens(s.registry, host)
	}
	return listed(s.registry, host, knownSite.tokens)
}

// withoutAccount copies a request to another host than the registry's: nothing of who asks goes along.
func withoutAccount(r *http.Request, signed bool) *http.Request {
	r = r.Clone(r.Context())
	if !signed {
		r.Header.Del("Authorization")
	}
	for _, name := range []string{"Cookie", "Referer", "Proxy-Authorization"} {
		r.Header.Del(name)
	}
	return r
}

// mirror is where the host of an address is reached instead, empty where it is itself.
func (p Policy) mirror(u *url.URL) Host { return p.Mirrors[canonical(strings.ToLower(u.Host))] }

// mirrored is a request to where the registry is reached instead.
func (s *session) mirrored(r *http.Request) *http.Request {
	to := s.policy.mirror(r.URL)
	if to.Name == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.URL.Host, r.Host, r.URL.Scheme = to.Name, to.Name, "https"
	if to.Plain {
		r.URL.Scheme = "http"
	}
	return r
}

// mayConnectTo judges an address that stands written in a URL.
func (t *Transport) mayConnectTo(u *url.URL) error {
	host, port, err := net.SplitHostPort(addressOf(u))
	if err != nil {
		return err
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	return t.mayConnect(u.Hostname(), port, a)
}
