package egress

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestProxiesAsEnvironmentsNameThem(t *testing.T) {
	for s, want := range map[string]string{
		"proxy:3128": "proxy:3128", "proxy": "proxy:80", "http://proxy": "proxy:80", "https://proxy": "proxy:443", "socks5://proxy": "proxy:1080",
		"socks5h://proxy": "proxy:1080", "http://user:password@proxy:3128": "proxy:3128", "http://[fd12::1]:3128": "[fd12::1]:3128",
		"": "", "http://": "", "http://%zz": "",
	} {
		if got := proxyAddress(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestToAProxyMeansToThatOfTheEnvironment(t *testing.T) {
	s, other := httptest.NewServer(nil), httptest.NewServer(nil)
	defer s.Close()
	defer other.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, s.URL)
	}
	tr := Policy{}.Transport()
	for to, want := range map[string]string{s.Listener.Addr().String(): "", other.Listener.Addr().String(): "is not the proxy"} {
		c, err := tr.proxied.DialContext(t.Context(), "tcp", to)
		if err == nil {
			_ = c.Close()
		}
		if !holds(err, want) {
			t.Errorf("%s: %v, want %q", to, err, want)
		}
	}
}

// TestOnlyNamesAreLookedUp asks this machine for its own name, too: without a Lookup the machine looks up.
func TestOnlyNamesAreLookedUp(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer s.Close()
	address := s.Listener.Addr().String()
	_, port := split(address)
	here := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	metadata, loopback := netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("127.0.0.1")
	found := map[string][]netip.Addr{"two.example": {metadata, loopback}, "no.example": nil}
	lookup := func(_ context.Context, host string) ([]netip.Addr, error) {
		a, known := found[host]
		if !known {
			t.Errorf("%s is looked up", host)
		}
		return a, nil
	}
	for _, c := range []struct {
		host   string
		lookup func(context.Context, string) ([]netip.Addr, error)
		want   string
	}{
		{"127.0.0.1", lookup, ""},
		{"localhost", nil, ""},
		{"two.example", lookup, ""}, // the second is open
		{"no.example", lookup, "no such host"},
	} {
		tr := Policy{Networks: here, Named: []Host{{"two.example:" + port, true}, {"no.example:" + port, true}}}.Transport()
		tr.Lookup = c.lookup
		at := c.host + ":" + port
		resp, err := tr.For(at).RoundTrip(request(t, http.MethodGet, "http://"+at+"/v2/").WithContext(t.Context()))
		if err == nil {
			_ = resp.Body.Close()
		}
		if !holds(err, c.want) {
			t.Errorf("%s: %v, want %q", c.host, err, c.want)
		}
		tr.CloseIdle()
	}
}

func TestTheHeaderOfAnAnswerHasABound(t *testing.T) {
	for length, fails := range map[int]bool{255 << 10: false, 256 << 10: true} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", length))
		}))
		at := s.Listener.Addr().String()
		tr := Policy{Named: []Host{{at, true}}}.Transport()
		resp, err := tr.For(at).RoundTrip(request(t, http.MethodGet, s.URL+"/v2/").WithContext(t.Context()))
		if err == nil {
			_ = resp.Body.Close()
		}
		if (err != nil) != fails {
			t.Errorf("%d bytes: %v, want an error %v", length, err, fails)
		}
		tr.CloseIdle()
		s.Close()
	}
}

// TestAnAccountStaysWithTheRegistryItself follows a redirect on its own host, as clients do.
func TestAnAccountStaysWithTheRegistryItself(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Cookie"))
		if strings.HasSuffix(r.URL.Path, "/first") {
			http.Redirect(w, r, "/v2/a/blobs/second", http.StatusTemporaryRedirect)
		}
	}))
	defer s.Close()
	at := s.Listener.Addr().String()
	tr := Policy{Named: []Host{{at, true}}}.Transport()
	defer tr.CloseIdle()
	r := request(t, http.MethodGet, s.URL+"/v2/a/blobs/first").WithContext(t.Context())
	r.Header.Set("Authorization", "Bearer x")
	r.Header.Set("Cookie", "a=b")
	resp, err := (&http.Client{Transport: tr.For(at)}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := strings.Join(asked, ", "); got != "/v2/a/blobs/first Bearer x a=b, /v2/a/blobs/second Bearer x a=b" {
		t.Errorf("asked %s", got)
	}
}
