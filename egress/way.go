package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"
)

// NoProxy is what a person says of a registry that is reached without the proxy of the environment.
const NoProxy = "none"

// Proxy reads through which proxy a registry and what it sends readers to is reached, in place of that of the environment:
// http://HOST:PORT, https:// or socks5://, or none. Its user and password, if it wants any, stand in the environment alone:
// a policy is told to others.
func (p *Policy) Proxy(registry, through string) error {
	if err := ValidProxy(through); err != nil {
		return err
	}
	host, err := ParseHost(registry)
	if err != nil {
		return err
	}
	if p.Proxies == nil {
		p.Proxies = map[string]string{}
	}
	p.Proxies[host.Name] = through
	return nil
}

// ValidProxy says what is wrong with a proxy.
func ValidProxy(s string) error {
	if s == NoProxy {
		return nil
	}
	if strings.Contains(s, "@") { // it may be a password: it is not told again
		return errors.New("want a proxy without a user or password: one that wants them stands in HTTPS_PROXY")
	}
	u, err := url.Parse(s)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5"}, u.Scheme) || !hostForm.MatchString(strings.ToLower(u.Host)) ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("proxy %.300q: want http://HOST:PORT, https://HOST:PORT, socks5://HOST:PORT or %s", s, NoProxy)
	}
	return nil
}

// MaxAuthorities bounds the certificates of one registry, in bytes.
const MaxAuthorities = 48 << 10

// Authority takes certificates (PEM) of who may sign for a registry and what it sends readers to, beside those that this
// machine knows.
func (p *Policy) Authority(registry, pem string) error {
	if err := ValidAuthorities(pem); err != nil {
		return err
	}
	host, err := ParseHost(registry)
	if err != nil {
		return err
	}
	if p.Authorities == nil {
		p.Authorities = map[string]string{}
	}
	p.Authorities[host.Name] = pem
	return nil
}

// ValidAuthorities says what is wrong with certificates of authorities.
func ValidAuthorities(pem string) error {
	switch {
	case len(pem) > MaxAuthorities:
		return fmt.Errorf("want certificates of at most %d bytes, have %d", MaxAuthorities, len(pem))
	case strings.Contains(pem, "PRIVATE KEY"):
		return errors.New("want certificates alone, have a private key among them")
	case !x509.NewCertPool().AppendCertsFromPEM([]byte(pem)):
		return errors.New("want a certificate as PEM, -----BEGIN CERTIFICATE-----, have none that can be read")
	}
	return nil
}

// Of is the policy as far as one registry is asked: what is said of the ways to others is left out.
func (p Policy) Of(registry string) Policy {
	of := canonical(strings.ToLower(registry))
	for _, said := range []*map[string]string{&p.Authorities, &p.Proxies} {
		if value, there := (*said)[of]; there {
			*said = map[string]string{of: value}
		} else {
			*said = nil
		}
	}
	return p
}

// way is how requests go out: directly, or through a proxy.
type way struct {
	proxy func(*url.URL) (*url.URL, error)
	// direct connects to what requests are for, proxied to the proxies that people set and to nothing else.
	direct, proxied *http.Transport
}

// wayOf is the way to a registry. Where nobody said anything of it the proxies are those of the environment.
func (t *Transport) wayOf(registry string) way {
	var roots *x509.CertPool
	if pem := t.policy.Authorities[registry]; pem != "" {
		var err error
		if roots, err = x509.SystemCertPool(); err != nil {
			roots = x509.NewCertPool()
		}
		roots.AppendCertsFromPEM([]byte(pem)) // what is none was refused when it was said
	}
	switch through := t.policy.Proxies[registry]; through {
	case "":
		env := httpproxy.FromEnvironment()
		return t.through(env.ProxyFunc(), []string{env.HTTPProxy, env.HTTPSProxy}, roots)
	case NoProxy:
		return t.through(func(*url.URL) (*url.URL, error) { return nil, nil }, nil, roots)
	default:
		at, err := url.Parse(through)
		return t.through(func(*url.URL) (*url.URL, error) { return at, err }, []string{through}, roots)
	}
}

func (t *Transport) through(proxy func(*url.URL) (*url.URL, error), proxies []string, roots *x509.CertPool) way {
	w := way{proxy: proxy, direct: t.connecting(t.mayConnect, roots)}
	w.proxied = t.connecting(func(host, port string, a netip.Addr) error {
		if k := kindOf(a); k != nil && k.Never {
			return &Refused{Host: net.JoinHostPort(host, port), Why: "is at " + k.Name + ", and no proxy"}
		}
		for _, set := range proxies {
			if proxyAddress(set) == net.JoinHostPort(host, port) {
				return nil
			}
		}
		return &Refused{Host: net.JoinHostPort(host, port), Why: "is not the proxy that people set"}
	}, roots)
	w.proxied.Proxy = func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }
	w.proxied.OnProxyConnectResponse = proxyAnswer
	return w
}

// proxyAnswer says in our words what a proxy answers to who asks it to connect.
func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefuses{answer.StatusCode}
}

// proxyRefuses says that a proxy does not connect.
type proxyRefuses struct{ code int }

func (p *proxyRefuses) Error() string {
	if p.code == http.StatusProxyAuthRequired {
		return "the proxy wants a user and password (407): give them in HTTPS_PROXY"
	}
	return fmt.Sprintf("the proxy does not connect to it (%d)", p.code)
}

// trusting is how TLS is spoken, with authorities beside those that this machine knows.
func trusting(roots *x509.CertPool) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}
