package egress

import (
	_ "embed"
	"net/netip"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed sites.yaml
var sitesYAML []byte

// knownSite is where registries keep tokens and layers beside their own site.
type knownSite struct {
	Hosts   []string `yaml:"hosts"`
	Tokens  []string `yaml:"tokens"`
	Content []string `yaml:"content"`
	Source  string   `yaml:"source"`
}

var known = readSites(sitesYAML)

type sites struct {
	Registries []knownSite `yaml:"registries"`
	Stores     []knownSite `yaml:"stores"`
}

func readSites(text []byte) (out sites) {
	if _, err := strictyaml.Decode("sites.yaml", text, &out); err != nil {
		panic(err) // our own file
	}
	return out
}

// givesTokens says whether a host may be asked for tokens of a registry, with the account for it.
func (p Policy) givesTokens(registry, host string) bool {
	return sameSite(hostnameOf(registry), host) || slices.Contains(p.Sites[registry], host) || listed(registry, host, knownSite.tokens)
}

// givesContent says whether a registry may send readers to a host. No account goes there.
func (p Policy) givesContent(registry, host string) bool {
	return p.givesTokens(registry, host) || listed(registry, host, knownSite.content) ||
		slices.ContainsFunc(known.Stores, func(s knownSite) bool { return matchesAny(s.Hosts, host) })
}

func (k knownSite) tokens() []string  { return k.Tokens }
func (k knownSite) content() []string { return k.Content }

func listed(registry, host string, which func(knownSite) []string) bool {
	return slices.ContainsFunc(known.Registries, func(k knownSite) bool {
		return slices.Contains(k.Hosts, registry) && matchesAny(which(k), host)
	})
}

func matchesAny(patterns []string, host string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, host) })
}

// matches holds a host against a pattern, label by label from the right.
func matches(pattern, host string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(host, ".")
	if want[0] == "*" && len(have) > len(want) {
		have = have[len(have)-len(want):]
	}
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if ok, err := path.Match(want[i], have[i]); err != nil || !ok {
			return false
		}
	}
	return true
}

// sameSite says whether two hosts are one operator's: the same name, or names under one domain that somebody
// registered. Addresses are nobody's, and under domains that nobody registers (a company's own, a cluster's) the rest
// of the name must be the same, of two labels at least.
func sameSite(a, b string) bool {
	if a == b {
		return true
	}
	if isAddress(a) || isAddress(b) {
		return false
	}
	return domain(a) != "" && domain(a) == domain(b)
}

func domain(host string) string {
	suffix, icann := publicsuffix.PublicSuffix(host)
	if icann || strings.Contains(suffix, ".") { // somebody keeps the list of who is under it
		registered, err := publicsuffix.EffectiveTLDPlusOne(host)
		if err != nil {
			return ""
		}
		return registered
	}
	_, parent, _ := strings.Cut(host, ".")
	if !strings.Contains(parent, ".") {
		return ""
	}
	return parent
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// hostnameOf is a registry's host without the port.
func hostnameOf(registry string) string { name, _ := split(registry); return name }
