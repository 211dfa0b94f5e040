package netpol

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// Ranges is a set of IP addresses: sorted spans that do not touch.
type Ranges []Span

// Span is the addresses from Low to High, both of one family and included.
type Span struct{ Low, High netip.Addr }

// In is the set of addresses in any of the prefixes.
func In(prefixes ...netip.Prefix) Ranges {
	var r Ranges
	for _, p := range prefixes {
		p = unmapped(p)
		r = append(r, Span{p.Masked().Addr(), last(p)})
	}
	return r.tidy()
}

// unmapped writes a block of IPv4 addresses that is written as IPv6, such as
// ::ffff:10.0.0.0/104, in the family that its addresses are told in.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// mayHoldPods says that pods may have some of the addresses.
func (r Ranges) mayHoldPods() bool {
	return slices.ContainsFunc(pods, func(s Span) bool {
		i := sort.Search(len(r), func(i int) bool { return !r[i].High.Less(s.Low) })
		return i < len(r) && !s.High.Less(r[i].Low)
	})
}

// Of is the set of exactly these addresses.
func Of(addresses ...netip.Addr) Ranges {
	var r Ranges
	for _, a := range addresses {
		r = append(r, Span{a.Unmap(), a.Unmap()})
	}
	return r.tidy()
}

func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// tidy sorts and joins spans that overlap or touch.
func (r Ranges) tidy() Ranges {
	slices.SortFunc(r, func(a, b Span) int { return cmp.Or(a.Low.Compare(b.Low), a.High.Compare(b.High)) })
	var out Ranges
	for _, s := range r {
		n := len(out)
		if n > 0 && (s.Low.Compare(out[n-1].High) <= 0 || out[n-1].High.Next() == s.Low) {
			out[n-1].High = later(out[n-1].High, s.High)
			continue
		}
		out = append(out, s)
	}
	return out
}

// Or is the addresses in either set.
func (r Ranges) Or(o Ranges) Ranges { return slices.Concat(r, o).tidy() }

// And is the addresses in both sets.
func (r Ranges) And(o Ranges) Ranges {
	var out Ranges
	for i, k := 0, 0; i < len(r) && k < len(o); {
		a, b := r[i], o[k]
		low, high := later(a.Low, b.Low), a.High
		if b.High.Less(high) {
			high = b.High
			k++
		} else {
			i++
		}
		if !high.Less(low) {
			out = append(out, Span{low, high})
		}
	}
	return out
}

// later is the higher address; families are ordered like netip orders them.
func later(a, b netip.Addr) netip.Addr {
	if a.Less(b) {
		return b
	}
	return a
}

// Without is the addresses of r that are not in o.
func (r Ranges) Without(o Ranges) Ranges {
	var out Ranges
	k := 0
	for _, a := range r {
		for k < len(o) && o[k].High.Less(a.Low) {
			k++
		}
		rest, low := true, a.Low
		for i := k; i < len(o) && !a.High.Less(o[i].Low); i++ {
			if low.Less(o[i].Low) {
				out = append(out, Span{low, o[i].Low.Prev()})
			}
			rest, low = o[i].High.Less(a.High), o[i].High.Next()
		}
		if rest {
			out = append(out, Span{low, a.High})
		}
	}
	return out
}

// Covers says whether every address of o is in r. Spans do not touch, so each
// of o's lies within one of r's or is not covered.
func (r Ranges) Covers(o Ranges) bool {
	for _, a := range o {
		i := sort.Search(len(r), func(i int) bool { return !r[i].High.Less(a.Low) })
		if i == len(r) || a.Low.Less(r[i].Low) || r[i].High.Less(a.High) {
			return false
		}
	}
	return true
}

// Contains says whether an address is in the set.
func (r Ranges) Contains(a netip.Addr) bool { return r.Covers(Of(a)) }

func (r Ranges) String() string {
	var out []string
	for _, s := range r {
		for _, p := range s.prefixes() {
			out = append(out, p.String())
		}
	}
	return strings.Join(out, ", ")
}

// prefixes cuts a span into the fewest prefixes.
func (s Span) prefixes() (out []netip.Prefix) {
	for at := s.Low; ; {
		bits := at.BitLen()
		for bits > 0 {
			p := netip.PrefixFrom(at, bits-1)
			if p.Masked().Addr() != at || last(p).Compare(s.High) > 0 {
				break
			}
			bits--
		}
		p := netip.PrefixFrom(at, bits)
		out = append(out, p)
		if last(p) == s.High {
			return out
		}
		at = last(p).Next()
	}
}

var (
	everywhere = In(netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"))
	// private is every address that the internet does not route: private
	// networks, carrier-grade NAT, link-local, loopback,
	// benchmarking and multicast.
	private = In(
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("224.0.0.0/3"),
		netip.MustParsePrefix("::/3"), netip.MustParsePrefix("4000::/2"), netip.MustParsePrefix("8000::/1"))
	public = everywhere.Without(private)
	// pods is where pods have their addresses, unless somebody chose otherwise.
	pods = In(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("fc00::/7"))
)

// Everywhere is every address there is.
func Everywhere() Ranges { return everywhere }

// Public is every address that the internet routes. Blocks reserved for
// documentation count: examples and tests use them in the place of real ones.
func Public() Ranges { return public }

// Private is every other address.
func Private() Ranges { return private }

// Prefixes is the set as the fewest prefixes.
func (r Ranges) Prefixes() (out []netip.Prefix) {
	for _, s := range r {
		out = append(out, s.prefixes()...)
	}
	return out
}
