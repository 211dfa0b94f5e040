package server

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/breakwater-sec/breakwater/egress"
)

// Egress is what a person allows beyond registries of the internet, as flags write it.
type Egress struct {
	// Mirrors are HOST=HOST:PORT: where a registry is reached instead.
	Mirrors []string `json:"mirrors,omitempty"`
	// Allow are hosts, addresses and networks that are not of the internet.
	Allow []string `json:"allow,omitempty"`
	// Sites are HOST=HOST: where a registry keeps tokens or layers beside its own site.
	Sites []string `json:"sites,omitempty"`
	// Authorities are HOST=FILE: certificates of who may sign for a registry; Proxies are HOST=URL: through which proxy it is reached.
	Authorities []string `json:"authorities,omitempty"`
	Proxies     []string `json:"proxies,omitempty"`
}

// Policy reads the flags.
func (e Egress) Policy() (p egress.Policy, err error) {
	for _, list := range []struct {
		flag   string
		values []string
		read   func(string) error
	}{{"--registry-mirror", e.Mirrors, p.Mirror}, {"--allow-private", e.Allow, p.Allow}, {"--registry-site", e.Sites, p.Site},
		{"--registry-proxy", e.Proxies, func(s string) error {
			host, through, _ := strings.Cut(s, "=")
			return p.Proxy(host, through)
		}}, {"--registry-ca", e.Authorities, func(s string) error {
			host, file, _ := strings.Cut(s, "=")
			pem, err := readAuthorities(file)
			if err != nil {
				return err
			}
			return p.Authority(host, pem)
		}}} {
		for _, v := range list.values {
			if err := list.read(v); err != nil {
				return p, fmt.Errorf("%s %w", list.flag, err)
			}
		}
	}
	return p, nil
}

// network is the way to registries of now: people connect and disconnect them while the server runs.
type network struct {
	now func() egress.Policy
	mu  struct {
		sync.Mutex
		policy    egress.Policy
		transport *egress.Transport
	}
}

// Transport is that of the policy of now; its connections are kept until the policy changes.
func (n *network) Transport() *egress.Transport {
	p := n.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.transport != nil && reflect.DeepEqual(n.mu.policy, p) {
		return n.mu.transport
	}
	if n.mu.transport != nil {
		n.mu.transport.CloseIdle()
	}
	n.mu.policy, n.mu.transport = p, p.Transport()
	return n.mu.transport
}

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	return n.Transport().RoundTrip(r)
}

// For implements egress.Network.
func (n *network) For(registry string) http.RoundTripper { return n.Transport().For(registry) }
