package egress_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/egress"
)

// authority signs certificates that nobody else knows.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: t.Name()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, is, is, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// serve is a TLS server of this machine with a certificate for a name.
func (a authority) serve(t *testing.T, name string, h http.HandlerFunc) (port string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	der, err := x509.CreateCertificate(rand.Reader, is, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, err = net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// connecting is a proxy that connects to this machine, whatever name it is asked for, and notes what it hears.
type connecting struct {
	mu    sync.Mutex
	asked []string
	heard bytes.Buffer
	code  int // what it answers, if not that it connects
}

func (p *connecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	if p.code != 0 {
		w.Header().Set("X-Why", marker)
		http.Error(w, marker, p.code)
		return
	}
	_, port, err := net.SplitHostPort(r.Host)
	if r.Method != http.MethodConnect || err != nil {
		http.Error(w, marker, http.StatusMethodNotAllowed)
		return
	}
	to, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		http.Error(w, marker, http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	from, rest, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = to.Close()
		return
	}
	var ends sync.WaitGroup
	ends.Go(func() { _, _ = io.Copy(io.MultiWriter(to, p), rest); _ = to.Close() })
	ends.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
	ends.Wait()
}

// Write notes what goes to a registry.
func (p *connecting) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard.Write(b)
}

func (p *connecting) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, ", ")
}

func startProxy(t *testing.T, p *connecting) (address string) {
	t.Helper()
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// policyFor is what a person says who names hosts.
func policyFor(t *testing.T, hosts ...string) (p egress.Policy) {
	t.Helper()
	for _, h := range hosts {
		if err := p.Allow(h); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func greet(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }

// TestAnAuthorityCountsForItsRegistry and for no other; that of the registry counts for its token server, too.
func TestAnAuthorityCountsForItsRegistry(t *testing.T) {
	a := newAuthority(t)
	one := "registry.one.example:" + a.serve(t, "registry.one.example", greet)
	token := "auth.one.example:" + a.serve(t, "auth.one.example", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w,
			`{"token":"x"}`)
	})
	two := "registry.two.example:" + a.serve(t, "registry.two.example", greet)
	p := policyFor(t, one, two, token)
	must(t, p.Authority(one, a.pem))
	tr := here(t, p)
	if got, err := get(t, tr.For(one), "https://"+one+"/v2/"); got != "200 hello" || err != nil {
		t.Errorf("the registry: %q, %v", got, err)
	}
	if got, err := get(t, tr.For(one), "https://"+token+"/token"); got != `200 {"token":"x"}` || err != nil {
		t.Errorf("its token server: %q, %v", got, err)
	}
	if _, err := get(t, tr.For(two), "https://"+two+"/v2/"); err == nil || !strings.Contains(err.Error(),
		"an authority that this machine does not know") {
		t.Errorf("another registry by the same authority: %v", err)
	}
	other := newAuthority(t)
	q := policyFor(t, one)
	must(t, q.Authority(one, other.pem))
	if _, err := get(t, here(t, q).For(one), "https://"+one+"/v2/"); err == nil {
		t.Error("a registry that another authority signed is believed")
	}
	three := "registry.three.example:" + a.serve(t, "somebody.example", greet)
	r := policyFor(t, three)
	must(t, r.Authority(three, a.pem))
	if _, err := get(t, here(t, r).For(three), "https://"+three+"/v2/"); err == nil || !strings.Contains(err.Error(), "for another name") {
		t.Errorf("a certificate for another name: %v", err)
	}
}

// TestARegistryIsReachedThroughItsProxy which sees a name and what is encrypted, and no other registry's.
func TestARegistryIsReachedThroughItsProxy(t *testing.T) {
	a, p := newAuthority(t), &connecting{}
	one := "registry.one.example:" + a.serve(t, "registry.one.example", greet)
	two := "registry.two.example:" + a.serve(t, "registry.two.example", greet)
	policy := policyFor(t, one, two)
	must(t, policy.Proxy(one, "http://"+startProxy(t, p)))
	must(t, policy.Authority(one, a.pem))
	must(t, policy.Authority(two, a.pem))
	tr := here(t, policy)
	for _, at := range []string{one, two} {
		if got, err := get(t, tr.For(at), "https://"+at+"/v2/"); got != "200 hello" || err != nil {
			t.Errorf("%s: %q, %v", at, got, err)
		}
	}
	if p.said() != "CONNECT "+one {
		t.Errorf("the proxy was asked %q", p.said())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard.Len() == 0 || strings.Contains(p.heard.String(), "for-the-registry") {
		t.Errorf("the proxy heard %d bytes, with the account among them: %t", p.heard.Len(), strings.Contains(p.heard.String(),
			"for-the-registry"))
	}
}

// TestProxiesOfTheEnvironmentHoldWhereNobodySaidAnotherOne.
func TestProxiesOfTheEnvironmentHoldWhereNobodySaidAnotherOne(t *testing.T) {
	a, env, own := newAuthority(t), &connecting{}, &connecting{}
	at := map[string]string{}
	for _, n := range []string{"registry", "direct", "inside", "own"} {
		name := n + ".one.example"
		at[n] = name + ":" + a.serve(t, name, greet)
	}
	t.Setenv("HTTPS_PROXY", "http://user:word@"+startProxy(t, env))
	t.Setenv("https_proxy", "")
	t.Setenv("NO_PROXY", "inside.one.example")
	t.Setenv("no_proxy", "")
	p := policyFor(t, at["registry"], at["direct"], at["inside"], at["own"])
	for _, of := range at {
		must(t, p.Authority(of, a.pem))
	}
	must(t, p.Proxy(at["direct"], egress.NoProxy))
	must(t, p.Proxy(at["own"], "http://"+startProxy(t, own)))
	tr := here(t, p)
	for name, of := range at {
		if got, err := get(t, tr.For(of), "https://"+of+"/v2/"); got != "200 hello" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if env.said() != "CONNECT "+at["registry"] || own.said() != "CONNECT "+at["own"] {
		t.Errorf("the environment's proxy was asked %q, the registry's own %q", env.said(), own.said())
	}
}

// TestAProxySpeaksTLSIfItIsSaidTo with a certificate that the registry's authorities may have signed.
func TestAProxySpeaksTLSIfItIsSaidTo(t *testing.T) {
	a, p := newAuthority(t), &connecting{}
	one := "registry.one.example:" + a.serve(t, "registry.one.example", greet)
	proxy := "proxy.example:" + a.serve(t, "proxy.example", p.ServeHTTP)
	policy := policyFor(t, one)
	must(t, policy.Authority(one, a.pem))
	must(t, policy.Proxy(one, "https://"+proxy))
	if got, err := get(t, here(t, policy).For(one), "https://"+one+"/v2/"); got != "200 hello" || err != nil || p.said() != "CONNECT "+one {
		t.Errorf("%q, %v; the proxy was asked %q", got, err, p.said())
	}
}

// TestWhatAProxySaysIsToldInOurWords.
func TestWhatAProxySaysIsToldInOurWords(t *testing.T) {
	for code, want := range map[int]string{http.StatusForbidden: "the proxy does not connect to it (403)",
		http.StatusProxyAuthRequired: "the proxy wants a user and password (407)", http.StatusBadGateway: "(502)"} {
		policy := policyFor(t, "registry.one.example")
		must(t, policy.Proxy("registry.one.example", "http://"+startProxy(t, &connecting{code: code})))
		_, err := get(t, here(t, policy).For("registry.one.example"), "https://registry.one.example/v2/")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), marker) {
			t.Errorf("%d: %v, want %q", code, err, want)
		}
	}
	policy := policyFor(t, "registry.one.example")
	must(t, policy.Proxy("registry.one.example", "http://proxy.meta.example:3128"))
	if _, err := get(t, here(t, policy).For("registry.one.example"), "https://registry.one.example/v2/"); err == nil ||
		!strings.Contains(err.Error(), "metadata service") {
		t.Errorf("a proxy at a metadata service: %v", err)
	}
}

// TestAProxyOpensNothing that is closed without one: what a registry sends readers to is judged as ever.
func TestAProxyOpensNothing(t *testing.T) {
	a, p := newAuthority(t), &connecting{}
	to := ""
	one := "registry.one.example:" + a.serve(t, "registry.one.example",
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
	policy := policyFor(t, one)
	must(t, policy.Authority(one, a.pem))
	must(t, policy.Proxy(one, "http://"+startProxy(t, p)))
	tr := here(t, policy)
	for _, to = range []string{"https://10.0.0.1/", "https://169.254.169.254/latest/", "https://metadata.google.internal/", "http://" + one +
		"/",
		"https://blobs.elsewhere.example/", "https://[::1]:9/"} {
		if _, err := get(t, tr.For(one), "https://"+one+"/v2/a/blobs/sha256:0"); err == nil || egress.Cause(err) == nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	if got := strings.ReplaceAll(p.said(), "CONNECT "+one, ""); strings.Trim(got, ", ") != "" {
		t.Errorf("the proxy was asked for more than the registry: %q", p.said())
	}
}

// TestAMirrorStandsBehindProxyAndAuthorityOfItsRegistry.
func TestAMirrorStandsBehindProxyAndAuthorityOfItsRegistry(t *testing.T) {
	a, p := newAuthority(t), &connecting{}
	mirror := "mirror.example:" + a.serve(t, "mirror.example", greet)
	policy := policyFor(t, "registry.one.example")
	must(t, policy.Mirror("registry.one.example="+mirror))
	must(t, policy.Authority("registry.one.example", a.pem))
	must(t, policy.Proxy("registry.one.example", "http://"+startProxy(t, p)))
	got, err := get(t, here(t, policy).For("registry.one.example"), "https://registry.one.example/v2/")
	if got != "200 hello" || err != nil || p.said() != "CONNECT "+mirror {
		t.Errorf("%q, %v; the proxy was asked %q", got, err, p.said())
	}
}

func TestAPolicyWithAuthoritiesAndProxiesIsTheSameReadAgain(t *testing.T) {
	p := policyFor(t, "registry.one.example")
	must(t, p.Authority("Registry.one.example", newAuthority(t).pem))
	must(t, p.Proxy("docker.io", "socks5://proxy.example:1080"))
	text, err := json.Marshal(p)
	must(t, err)
	var q egress.Policy
	must(t, json.Unmarshal(text, &q))
	if !reflect.DeepEqual(p, q) || p.Authorities["registry.one.example"] == "" || p.Proxies["index.docker.io"] == "" {
		t.Errorf("have %v, want %v", q, p)
	}
}

func TestWhatIsNoProxyAndNoAuthorityIsRefused(t *testing.T) {
	var p egress.Policy
	for _, s := range []string{"", "proxy:3128", "ftp://proxy", "http://", "http://user:word@proxy", "http://proxy/path", "http://proxy?a=b",
		"NONE",
		"http://proxy:99999999", "http://pr oxy", "http://proxy#x"} {
		if err := p.Proxy("r.example", s); err == nil {
			t.Errorf("%q is a proxy", s)
		} else if strings.Contains(err.Error(), "word") && !strings.Contains(err.Error(), "password") {
			t.Errorf("%q is told again: %v", s, err)
		}
	}
	good := newAuthority(t).pem
	for _, s := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good + strings.Repeat(" ", 48<<10),
		good + "-----BEGIN PRIVATE KEY-----\n"} {
		if err := p.Authority("r.example", s); err == nil {
			t.Errorf("%.40q is an authority", s)
		}
	}
	if err := p.Authority("not a host", good); err == nil {
		t.Error("what is no host has an authority")
	}
	if err := p.Proxy("not a host", "http://proxy:3128"); err == nil {
		t.Error("what is no host has a proxy")
	}
	if len(p.Authorities)+len(p.Proxies) > 0 {
		t.Errorf("kept %v", p)
	}
}

// FuzzWay takes what somebody typed for a proxy and for certificates: what is taken can be used.
func FuzzWay(f *testing.F) {
	f.Add("http://proxy:3128", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	f.Add("socks5://[fd12::1]:1080", "")
	f.Add("none", "-----BEGIN")
	f.Fuzz(func(t *testing.T, proxy, pem string) {
		var p egress.Policy
		if err := p.Proxy("r.example", proxy); err == nil && strings.Contains(proxy, "@") {
			t.Errorf("%q is taken, which may hold a password", proxy)
		}
		_ = p.Authority("r.example", pem)
		tr := p.Transport()
		tr.Lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, nil }
		ended, end := context.WithCancel(t.Context()) // nothing is connected to
		end()
		r, err := http.NewRequestWithContext(ended, http.MethodGet, "https://r.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := tr.For("r.example").RoundTrip(r); err == nil {
			_ = resp.Body.Close()
			t.Errorf("a registry that is nowhere answers through %q", proxy)
		}
		tr.CloseIdle()
	})
}
