package egress

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

// asking is one registry being asked, by what people said.
func asking(t *testing.T, p Policy, registry string) *session {
	tr := p.Transport()
	t.Cleanup(tr.CloseIdle)
	return tr.For(registry).(*session)
}

func parsed(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func request(t *testing.T, method, to string) *http.Request {
	t.Helper()
	return &http.Request{Method: method, URL: parsed(t, to), Header: http.Header{}}
}

// holds compares an error with a part of its text, "" for none.
func holds(err error, want string) bool {
	return want == "" && err == nil || want != "" && err != nil && strings.Contains(err.Error(), want)
}

func TestWhereARequestMayGo(t *testing.T) {
	const registry, content = "r.registry.example", "https://b.s3.amazonaws.com/x"
	p := Policy{Sites: map[string][]string{registry: {"10.0.0.1"}}, Named: []Host{{"auth.registry.example", true}}}
	for _, c := range []struct {
		to, method        string
		redirected, token bool
		want              string
	}{
		{"https://r.registry.example/v2/", "GET", false, false, ""},
		{"https://R.Registry.example/v2/", "POST", true, true, ""},
		{"http://r.registry.example/v2/", "GET", false, false, "give --allow-private http://r.registry.example"},
		{"ftp://r.registry.example/v2/", "GET", true, false, "none of HTTP"},
		{"https://:443/v2/", "GET", true, false, "none of HTTP"},
		{"https:///v2/", "GET", true, false, "none of HTTP"},
		{"https://-r.registry.example/", "GET", true, false, "none of HTTP"},
		{"https://[fe80::1%25eth0]/", "GET", true, false, "none of HTTP"},
		{"https://a@r.registry.example/", "GET", true, false, "none of HTTP"},
		{"https://[::ffff:169.254.169.254]/", "GET", true, false, "[::ffff:169.254.169.254] is a metadata service"},
		{"https://Metadata.Google.Internal./", "GET", true, false, "none of HTTP"},
		{"https://Metadata.Google.Internal/", "GET", true, false, "metadata.google.internal is a metadata service"},

		{"https://evil.test/", "GET", false, false, "has its token server on another site, evil.test"},
		{"https://evil.test:8443/", "GET", false, true, "has its token server on another site, evil.test:8443"},
		{"https://evil.test/", "GET", true, false, "sends readers to another site, evil.test"},
		{content, "GET", true, false, ""},
		{content, "HEAD", true, false, ""},
		{content, "POST", true, false, "sends what was posted to another host"},
		{content, "GET", true, true, "has its token server on another site"},
		{content, "GET", false, false, "has its token server on another site"},

		{"https://auth.registry.example/", "POST", false, true, ""},
		{"https://auth.registry.example/", "GET", true, true, ""},
		{"http://auth.registry.example/", "GET", false, true, ""},
		{"http://auth.registry.example/", "GET", true, false, ""},
		{"http://auth.registry.example/", "GET", true, true, "without a name or TLS"},
		{"https://10.0.0.1/", "GET", true, true, "without a name or TLS"},
		{"https://10.0.0.1/", "GET", true, false, ""},
	} {
		if err := asking(t, p, registry).may(parsed(t, c.to), c.method, c.redirected, c.token); !holds(err, c.want) {
			t.Errorf("%s %s, redirected %v, for a token %v: %v, want %q", c.method, c.to, c.redirected, c.token, err, c.want)
		}
	}
}

// TestPlainHTTPIsOfTheHostThatAPersonSaid: that a registry or its mirror speaks it says nothing of a token server.
func TestPlainHTTPIsOfTheHostThatAPersonSaid(t *testing.T) {
	plain := Policy{Named: []Host{{"r.site.example", true}}}
	mirrored := func(to string, named ...Host) Policy {
		p := Policy{Named: named}
		if err := p.Mirror("r.site.example=" + to); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		name, to string
		policy   Policy
		allowed  bool
	}{
		{"named so", "http://r.site.example/v2/", plain, true},
		{"with the port written", "http://r.site.example:80/v2/", plain, true},
		{"another port", "http://r.site.example:8080/v2/", plain, false},
		{"its token server", "http://auth.site.example/token", plain, false},
		{"its token server over TLS", "https://auth.site.example/token", plain, true},
		{"nobody said so", "http://r.site.example/v2/", Policy{}, false},
		{"a mirror that speaks it, by the registry's name", "http://r.site.example/v2/", mirrored("http://m.example"), true},
		{"a mirror that speaks it", "http://m.example/v2/", mirrored("http://m.example"), true},
		{"a mirror that does not", "http://m.example:443/v2/", mirrored("m.example"), false},
		{"a mirror that does not, of a registry that does", "http://m.example:443/v2/", mirrored("m.example", plain.Named...), false},
		{"a token server beside a mirror that speaks it", "http://auth.site.example/token", mirrored("http://m.example"), false},
		{"a token server beside a mirror on this machine", "http://auth.site.example/token", mirrored("localhost:5000"), false},
	} {
		err := asking(t, c.policy, "r.site.example").may(parsed(t, c.to), http.MethodGet, false, true)
		if (err == nil) != c.allowed || err != nil && !strings.Contains(err.Error(), "without TLS") {
			t.Errorf("%s: %s: %v, want allowed %v", c.name, c.to, err, c.allowed)
		}
	}
}

func TestARegistrysOwnAddresses(t *testing.T) {
	mirrored := Policy{Mirrors: map[string]Host{"r.example": {"m.example", true}}}
	for _, c := range []struct {
		policy Policy
		to     string
		want   bool
	}{
		{Policy{}, "https://r.example/", true},
		{Policy{}, "https://r.example:443/", true},
		{Policy{}, "http://r.example/", true},
		{Policy{}, "https://r.example:80/", false},
		{Policy{}, "https://r.example:8443/", false},
		{Policy{}, "https://m.example/", false},
		{Policy{}, "https:///", false},
		{mirrored, "https://r.example/", true},
		{mirrored, "http://m.example/", true},
		{mirrored, "https://m.example/", false},
		{mirrored, "http://n.example/", false},
	} {
		if got := asking(t, c.policy, "r.example").own(parsed(t, c.to)); got != c.want {
			t.Errorf("%s with mirrors %v: %v, want %v", c.to, c.policy.Mirrors, got, c.want)
		}
	}
}

func TestAMirrorIsSpokenToAsAPersonSaid(t *testing.T) {
	mirrors := map[string]Host{"r.example": {"m.example", false}, "index.docker.io": {"m.example:5000", true}}
	s := asking(t, Policy{Mirrors: mirrors}, "r.example")
	for from, want := range map[string]string{
		"http://r.example/v2/":    "https://m.example/v2/",
		"https://R.example/v2/":   "https://m.example/v2/",
		"https://docker.io/v2/":   "http://m.example:5000/v2/",
		"https://o.example/v2/":   "https://o.example/v2/",
		"https://r.example:5/v2/": "https://r.example:5/v2/",
	} {
		if got := s.mirrored(request(t, http.MethodGet, from)).URL.String(); got != want {
			t.Errorf("%s is reached at %s, want %s", from, got, want)
		}
	}
}

func TestWhichRequestsAreForTokens(t *testing.T) {
	s := asking(t, Policy{}, "r.example")
	for _, c := range []struct {
		method, to string
		want       bool
	}{
		{"GET", "https://r.example/v2/", false},
		{"GET", "https://r.example/v2", false},
		{"GET", "https://r.example/v2/a/manifests/b", false},
		{"HEAD", "https://r.example/v2/a/b/blobs/sha256:0", false},
		{"GET", "https://r.example/v2/a/tags/list", false},
		{"GET", "https://r.example/v2/_catalog?n=1", false},
		{"GET", "https://r.example/v2/a/referrers/sha256:0", false},
		{"POST", "https://r.example/v2/a/manifests/b", true},
		{"GET", "https://auth.r.example/v2/a/manifests/b", true},
		{"GET", "https://r.example/v3/a/manifests/b", true},
		{"GET", "https://r.example/v2/token", true},
		{"GET", "https://r.example/token", true},
		{"GET", "https://r.example/v2/?service=x", true},
	} {
		if got := s.isToken(request(t, c.method, c.to)); got != c.want {
			t.Errorf("%s %s is for a token: %v, want %v", c.method, c.to, got, c.want)
		}
	}
	led := request(t, http.MethodGet, "https://r.example/v2/a/blobs/b")
	led.Response = &http.Response{Request: request(t, http.MethodGet, "https://r.example/token")}
	if !s.isToken(led) {
		t.Error("where a token server leads is not asked for a token")
	}
	led.Response = &http.Response{} // of a client that tells no more
	if origin(led) != led || s.isToken(led) {
		t.Error("a response without a request is taken for one")
	}
}

// TestAnAddressWrittenOutIsJudgedThoughAProxyConnects asks no proxy: which one is refused says how far a request came.
func TestAnAddressWrittenOutIsJudgedThoughAProxyConnects(t *testing.T) {
	const proxied = "is not the proxy that people set"
	for _, c := range []struct{ to, want string }{
		{"https://10.0.0.1/", "10.0.0.1 is at a private address, and nobody named it"},
		{"https://[::ffff:10.0.0.1]:8443/", "[::ffff:10.0.0.1]:8443 is at a private address"},
		{"https://localhost/", "localhost is at an address of this machine, and nobody named it"},
		{"https://127.0.0.1/", "127.0.0.1 is at an address of this machine"},
		{"https://192.168.1.1/", proxied},
		{"https://8.8.8.8/", proxied},
		{"https://r.example/", proxied},
	} {
		s := asking(t, Policy{Named: []Host{{"192.168.1.1", false}}}, "r.example")
		s.proxy = func(*url.URL) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }
		s.proxied.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }
		if _, err := s.send(request(t, http.MethodGet, c.to).WithContext(t.Context())); !holds(err, c.want) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
	}
	s := asking(t, Policy{}, "r.example")
	broken := errors.New("broken")
	s.proxy = func(*url.URL) (*url.URL, error) { return nil, broken }
	if _, err := s.send(request(t, http.MethodGet, "https://r.example/")); err != broken {
		t.Errorf("a proxy that cannot be told: %v", err)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestARefusedRequestIsClosed(t *testing.T) {
	sent := &closing{Reader: strings.NewReader("secret")}
	r := request(t, http.MethodPost, "https://evil.test/")
	r.Body = sent
	if _, err := asking(t, Policy{}, "r.example").RoundTrip(r); err == nil || !sent.closed {
		t.Errorf("%v, closed %v", err, sent.closed)
	}
	r.Body = nil
	if _, err := asking(t, Policy{}, "r.example").RoundTrip(r); err == nil {
		t.Error("another site is asked")
	}
}

func TestWhoGoesRoundInCirclesIsStopped(t *testing.T) {
	r := request(t, http.MethodGet, "https://r.example/")
	for many, want := range map[int]string{1: "", 9: "", 10: "leads round in circles"} {
		var via []*http.Request
		for range many {
			via = append(via, r)
		}
		if err := SameHost(r, via); !holds(err, want) {
			t.Errorf("after %d: %v, want %q", many, err, want)
		}
	}
}

func TestForBindsWhatKnowsRegistries(t *testing.T) {
	tr := Policy{}.Transport()
	if s, ok := For(tr, "docker.io").(*session); !ok || s.registry != "index.docker.io" {
		t.Errorf("it is bound to %+v", s)
	}
	if other := http.NewFileTransport(http.Dir(".")); For(other, "r.example") != other {
		t.Error("what knows no registries is changed")
	}
}

func TestWhichAddressesMayBeConnectedTo(t *testing.T) {
	nets := func(s ...string) (p Policy) {
		for _, n := range s {
			p.Networks = append(p.Networks, netip.MustParsePrefix(n))
		}
		return p
	}
	mirror := Policy{Mirrors: map[string]Host{"x.example": {"m.example", false}}}
	for _, c := range []struct {
		policy              Policy
		host, port, address string
		want                string
	}{
		{Policy{}, "r.example", "443", "8.8.8.8", ""},
		{Policy{}, "r.example", "443", "10.0.0.1", "give --allow-private r.example, or connect the registry with --registry r.example"},
		{nets("10.0.0.0/8"), "r.example", "443", "10.1.1.1", ""},
		{nets("10.0.0.0/8"), "r.example", "443", "192.168.1.1", "nobody named it"},
		{nets("10.0.0.0/8"), "r.example", "443", "64:ff9b::10.1.1.1", ""},
		{nets("10.0.0.0/8"), "r.example", "443", "::ffff:10.1.1.1", ""},
		{nets("64:ff9b::/96"), "r.example", "443", "64:ff9b::10.1.1.1", ""},
		{nets("0.0.0.0/0", "::/0"), "r.example", "443", "64:ff9b::169.254.169.254", "nothing is fetched from there"},
		{nets("169.254.0.0/16"), "r.example", "443", "169.254.1.1", ""},
		{Policy{Named: []Host{{"169.254.1.1", false}}}, "169.254.1.1", "443", "169.254.1.1", ""},
		{Policy{Named: []Host{{"r.example", false}}}, "r.example", "443", "169.254.1.1", "give --allow-private ADDRESS with that address"},
		{Policy{Named: []Host{{"r.example", false}}}, "r.example", "443", "10.0.0.1", ""},
		{Policy{Named: []Host{{"r.example", true}}}, "r.example", "443", "10.0.0.1", "nobody named it"},
		{mirror, "m.example", "443", "10.0.0.1", ""},
		{mirror, "m.example", "80", "10.0.0.1", "nobody named it"},
		{mirror, "x.example", "443", "10.0.0.1", "nobody named it"},
	} {
		err := c.policy.Transport().mayConnect(c.host, c.port, netip.MustParseAddr(c.address))
		if !holds(err, c.want) {
			t.Errorf("%s:%s at %s under %+v: %v, want %q", c.host, c.port, c.address, c.policy, err, c.want)
		}
	}
}
