// Package egress decides what a server fetches from. What it reads of clusters and registries is text of others, and
// such text names hosts: an image's registry, the token server of a registry, the place that a redirect leads to. Without
// more, who writes it could have the server ask the machines beside it.
//
// So a Policy holds what people said, and its Transport does no more: it connects to addresses of the internet, and to
// others where a person named the host; it keeps to the registry's own site; it gives a registry's account to that
// registry and its token server alone; it speaks plain HTTP where a person said so; and it hands on no text that a
// foreign server sent with an error.
package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Policy says what a server may fetch from. It is a plain value without secrets: written as JSON and read again it is the
// same, so that another process can be given it. The zero Policy reaches registries of the internet, over TLS.
type Policy struct {
	// Named are the hosts that a person named, which may be anywhere.
	Named []Host `json:"named,omitempty"`
	// Networks are addresses beyond the internet that may be connected to, whatever name leads there.
	Networks []netip.Prefix `json:"networks,omitempty"`
	// Mirrors say where a registry's host is reached instead.
	Mirrors map[string]Host `json:"mirrors,omitempty"`
	// Sites are hosts where a registry keeps tokens and layers, beside its own site and those of sites.yaml.
	Sites map[string][]string `json:"sites,omitempty"`
	// Authorities are certificates (PEM) of who may sign for a registry and its sites, beside those that this machine knows.
	Authorities map[string]string `json:"authorities,omitempty"`
	// Proxies say through which proxy a registry and its sites are reached, in place of that of the environment.
	Proxies map[string]string `json:"proxies,omitempty"`
}

// Host is a host as a person names it: HOST or HOST:PORT, where no port is that of the scheme.
type Host struct {
	Name string `json:"name"`
	// Plain says that it speaks no TLS.
	Plain bool `json:"plain,omitempty"`
}

// ParseHost reads [http://]HOST[:PORT].
func ParseHost(s string) (Host, error) {
	rest, insecure := strings.CutPrefix(s, "http://")
	rest = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(rest, "https://"), "/"))
	if strings.Contains(rest, "@") { // it may be a password: it is not told again
		return Host{}, errors.New("want HOST or HOST:PORT without a user or password")
	}
	if !hostForm.MatchString(rest) || len(rest) > maxHost {
		return Host{}, fmt.Errorf("%.300q: want [http://]HOST[:PORT]", s)
	}
	return Host{canonical(rest), insecure}, nil
}

const maxHost = 261 // a name of DNS, a colon and a port

var hostForm = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$`)

// canonical is one name for each registry: Docker's has several.
func canonical(host string) string {
	switch host {
	case "docker.io", "registry-1.docker.io":
		return "index.docker.io"
	}
	return host
}

// With is the policy with further hosts that a person named.
func (p Policy) With(hosts ...Host) Policy {
	p.Named = slices.Concat(p.Named, hosts)
	return p
}

// Allow reads what a person allows beyond the internet: [http://]HOST[:PORT], an address or a network.
func (p *Policy) Allow(s string) error {
	if n, err := netip.ParsePrefix(s); err == nil {
		p.Networks = append(p.Networks, n.Masked())
		return nil
	}
	if a, err := netip.ParseAddr(s); err == nil {
		p.Networks = append(p.Networks, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
		return nil
	}
	h, err := ParseHost(s)
	if err != nil {
		return fmt.Errorf("%w, an address, or a network such as 10.0.0.0/8", err)
	}
	p.Named = append(p.Named, h)
	return nil
}

// Mirror reads HOST=[http://]HOST[:PORT]: where a registry is reached instead. One on this machine speaks plain HTTP.
func (p *Policy) Mirror(s string) error {
	from, to, _ := strings.Cut(s, "=")
	host, err := ParseHost(from)
	where, err2 := ParseHost(to)
	if errors.Join(err, err2) != nil {
		return fmt.Errorf("%q: want HOST=HOST:PORT", s)
	}
	where.Plain = where.Plain || local(where.hostname())
	if p.Mirrors == nil {
		p.Mirrors = map[string]Host{}
	}
	p.Mirrors[host.Name] = where
	return nil
}

// Site reads HOST=HOST: a registry, and where it keeps tokens or layers beside its own site.
func (p *Policy) Site(s string) error {
	registry, site, _ := strings.Cut(s, "=")
	host, err := ParseHost(registry)
	also, err2 := ParseHost(site)
	if errors.Join(err, err2) != nil {
		return fmt.Errorf("%q: want HOST=HOST, a registry and where its tokens or layers are", s)
	}
	if p.Sites == nil {
		p.Sites = map[string][]string{}
	}
	p.Sites[host.Name] = append(p.Sites[host.Name], also.hostname())
	return nil
}

// hostname is the host without its port.
func (h Host) hostname() string { name, _ := split(h.Name); return name }

// address is HOST:PORT as it is connected to.
func (h Host) address() string {
	name, port := split(h.Name)
	if port == "" {
		port = "443"
		if h.Plain {
			port = "80"
		}
	}
	return net.JoinHostPort(name, port)
}

// split takes host and port apart; the port may be missing.
func split(host string) (name, port string) {
	if name, port, err := net.SplitHostPort(host); err == nil {
		return name, port
	}
	return strings.Trim(host, "[]"), ""
}

// local says that a name means this machine to everybody: no one else is on the wire.
func local(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback() || host == "localhost"
}

// spoken is a host and port as people write them, without what its scheme has anyway.
func spoken(host, port, scheme string) string {
	if p, err := strconv.Atoi(port); err != nil || p == 443 && scheme != "http" || p == 80 && scheme == "http" {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}
