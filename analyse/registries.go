package analyse

import (
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Registries says whose the registries are that images come from.
type Registries struct {
	Public []string `yaml:"public"` // where others publish
	Clouds []string `yaml:"clouds"` // accounts' own, at a cloud
	Own    []string `yaml:"own"`
}

// read adds what a folder of rules says.
func (r *Registries) read(fsys fs.FS) error {
	const name = "attack/registries.yaml"
	text, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var more Registries
	if _, err := strictyaml.Decode(name, text, &more); err != nil {
		return err
	}
	r.Public, r.Clouds, r.Own = append(r.Public, more.Public...), append(r.Clouds, more.Clouds...), append(r.Own, more.Own...)
	return nil
}

// ThirdParty says that others publish in a registry.
func (r Registries) ThirdParty(host string) bool { return named(host, r.Public) && !named(host, r.Own) }

// Unknown says whether a registry is none of those that are known; nil where nobody has
// said which are one's own, so that it may be one of them.
func (r Registries) Unknown(host string) *bool {
	unknown := !named(host, r.Public) && !named(host, r.Clouds) && !named(host, r.Own) && !nearby(host)
	if unknown && len(r.Own) == 0 {
		return nil
	}
	return &unknown
}

func named(host string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, host)
		return ok && err == nil
	})
}

// nearby says that a name means nothing outside of one's own network.
func nearby(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host // without a port
	}
	if ip, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return ip.IsPrivate() || ip.IsLoopback()
	}
	zone := name[strings.LastIndex(name, ".")+1:]
	return zone == name || slices.Contains([]string{"local", "internal", "svc", "lan", "localhost"}, zone)
}
