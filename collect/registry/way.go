package registry

import (
	"fmt"
	"maps"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/egress"
)

// Way is the policy with a registry that a person connected: it is named, and reached as that person said.
func Way(p egress.Policy, what collect.Registry) (egress.Policy, error) {
	at, err := Parse(what.Host)
	if err != nil {
		return p, err
	}
	host := at.RegistryStr()
	p = p.With(egress.Host{Name: host, Plain: what.Insecure})
	p.Mirrors, p.Authorities, p.Proxies = maps.Clone(p.Mirrors), maps.Clone(p.Authorities), maps.Clone(p.Proxies)
	for _, said := range []struct {
		what, value string
		take        func(string) error
	}{
		{"mirror", what.Mirror, func(s string) error { return p.Mirror(host + "=" + s) }},
		{"proxy", what.Proxy, func(s string) error { return p.Proxy(host, s) }},
		{"certificates of authorities", what.Authorities, func(s string) error { return p.Authority(host, s) }},
	} {
		if said.value == "" {
			continue
		}
		if err := said.take(said.value); err != nil {
			return p, fmt.Errorf("registry %s: %s: %w", what.Host, said.what, err)
		}
	}
	return p, nil
}

// Valid is the registry with its host as references write it, or what is wrong with the wish.
func Valid(what collect.Registry) (collect.Registry, error) {
	what, err := what.Valid()
	if err == nil {
		_, err = Way(egress.Policy{}, what)
	}
	return what, err
}
