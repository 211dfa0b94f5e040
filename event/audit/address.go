package audit

import (
	"net/netip"
	"strings"
)

// source finds who spoke to the API server. Each proxy appends the address it
// was called from, so only the last is what the server itself saw, and those
// before it count as far back as the proxies are ours; the rest is text that a
// client may have made up.
func source(addresses []string, proxies []netip.Prefix) (from string, claimed []string) {
	i := len(addresses) - 1
	for i > 0 && trusted(addresses[i], proxies) {
		i--
	}
	if i < 0 {
		return "", nil
	}
	return strings.TrimSpace(addresses[i]), addresses[:i]
}

func trusted(address string, proxies []netip.Prefix) bool {
	a, err := netip.ParseAddr(strings.TrimSpace(address))
	if err != nil {
		return false
	}
	for _, p := range proxies {
		if p.Addr().Is4In6() && p.Bits() >= 96 { // IPv4 written as IPv6: addresses are compared as IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// addressClass is loopback, private or public; private is also what carriers and
// links use among themselves.
func addressClass(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	switch a = a.Unmap(); {
	case a.IsLoopback():
		return "loopback"
	case a.IsPrivate() || a.IsLinkLocalUnicast() || carrier.Contains(a):
		return "private"
	}
	return "public"
}

var carrier = netip.MustParsePrefix("100.64.0.0/10")
