package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	served "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/egress"
)

// companys is a registry with a certificate of an authority that nobody else knows.
func companys(t *testing.T) (host, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a company"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, is, is, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(served.New(served.Logger(log.New(io.Discard, "", 0))))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	authority = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	host = strings.TrimPrefix(s.URL, "https://")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(authority))
	ref, err := name.ParseReference(host + "/shop/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, says(t, time.Now(), "linux/amd64"), remote.WithTransport(&http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}})); err != nil {
		t.Fatal(err)
	}
	return host, authority
}

// connects is a proxy that connects to where it is asked to, and notes where that is.
func connects(t *testing.T) (address string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, r.Method+" "+r.Host)
		mu.Unlock()
		to, err := net.Dial("tcp", r.Host)
		if r.Method != http.MethodConnect || err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		from, rest, err := w.(http.Hijacker).Hijack()
		if err != nil {
			_ = to.Close()
			return
		}
		var ends sync.WaitGroup
		ends.Go(func() { _, _ = io.Copy(to, rest); _ = to.Close() })
		ends.Go(func() { _, _ = io.Copy(from, to); _ = from.Close() })
		ends.Wait()
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// TestARegistryIsReadAsAPersonSaidThatItIsReached: by an authority, through a proxy, at a mirror.
func TestARegistryIsReadAsAPersonSaidThatItIsReached(t *testing.T) {
	h, authority := companys(t)
	proxy, asked := connects(t)
	mirror := host(t, nil)
	push(t, mirror+"/shop/web:1")
	for _, test := range []struct {
		name    string
		what    collect.Registry
		fails   string
		proxied bool
	}{
		{"nothing is said", collect.Registry{Host: h}, "an authority that this machine does not know", false},
		{"its authority", collect.Registry{Host: h, Authorities: authority}, "", false},
		{"its authority and a proxy", collect.Registry{Host: h, Authorities: authority, Proxy: "http://" + proxy}, "", true},
		{"no proxy", collect.Registry{Host: h, Authorities: authority, Proxy: egress.NoProxy}, "", false},
		{"a proxy that is away", collect.Registry{Host: h, Authorities: authority, Proxy: "http://127.0.0.1:1"}, "connection refused", false},
		{"a mirror", collect.Registry{Host: "registry.example", Mirror: mirror}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := len(asked())
			got, _, err := read(t, reader(), test.what, nil)
			through := len(asked()) > before
			if test.fails == "" && (err != nil || names(got) != "shop/web:1") || test.fails != "" && err == nil || through != test.proxied {
				t.Errorf("%s, %v, through the proxy %t", names(got), err, through)
			}
			if test.fails != "" && !strings.Contains(err.Error(), test.fails) {
				t.Errorf("%v, want %q", err, test.fails)
			}
		})
	}
}

func TestAWayThatMakesNoSenseIsRefused(t *testing.T) {
	for want, what := range map[string]collect.Registry{
		"mirror":                      {Host: "r.example", Mirror: "not a host"},
		"proxy: proxy \"ftp://p\"":    {Host: "r.example", Proxy: "ftp://p"},
		"without a user or password":  {Host: "r.example", Proxy: "http://user:word@p"},
		"certificates of authorities": {Host: "r.example", Authorities: "none"},
		"registry":                    {Host: "https://r.example"},
	} {
		if _, err := Valid(what); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "word@") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if what, err := Valid(collect.Registry{Host: "Docker.io", Mirror: "http://mirror.example:5000", Proxy: "http://p:3128"}); err != nil ||
		what.Host != "docker.io" {
		t.Errorf("%+v, %v", what, err)
	}
	p := egress.Policy{}
	if err := p.Mirror("docker.io=one.example"); err != nil {
		t.Fatal(err)
	}
	q, err := Way(p, collect.Registry{Host: "docker.io", Mirror: "two.example"})
	if err != nil || q.Mirrors["index.docker.io"].Name != "two.example" || p.Mirrors["index.docker.io"].Name != "one.example" {
		t.Errorf("what a connection says counts before flags, and changes them not: %v, %v, %v", q, p, err)
	}
}
