package netpol

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// blockOf reads "10.0.0.0/8-10.1.0.0/16": a block and its exceptions.
func blockOf(s string) *networkingv1.IPBlock {
	parts := strings.Split(s, "-")
	return &networkingv1.IPBlock{CIDR: parts[0], Except: parts[1:]}
}

func TestRangesAgreeWithAskingEveryAddress(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() Ranges {
		var r Ranges
		for range rnd.IntN(5) {
			bits := 24 + rnd.IntN(9)
			r = r.Or(In(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(rnd.IntN(256))}), bits)))
		}
		return r
	}
	for range 300 {
		a, b := random(), random()
		or, and, without := a.Or(b), a.And(b), a.Without(b)
		if again := In(or.Prefixes()...); !again.Covers(or) || !or.Covers(again) {
			t.Fatalf("%s printed is %s", or, again)
		}
		for i := range 256 {
			x := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			inA, inB := a.Contains(x), b.Contains(x)
			if or.Contains(x) != (inA || inB) || and.Contains(x) != (inA && inB) || without.Contains(x) != (inA && !inB) {
				t.Fatalf("%s of %s and %s: or %s, and %s, without %s", x, a, b, or, and, without)
			}
		}
	}
}

func TestPortsAgreeWithAskingEveryPort(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := func() (p Ports) {
		for range rnd.IntN(5) {
			low := int32(1 + rnd.IntN(40))
			p = p.Or(portRange([]string{"", "UDP", "SCTP"}[rnd.IntN(3)], low, low+int32(rnd.IntN(10))))
		}
		return p
	}
	for range 300 {
		a, b := random(), random()
		or, and, without := a.Or(b), a.And(b), a.Without(b)
		for _, protocol := range []string{"TCP", "UDP", "SCTP"} {
			for n := int32(1); n < 60; n++ {
				p := Port{protocol, n}
				inA, inB := a.Contains(p), b.Contains(p)
				if or.Contains(p) != (inA || inB) || and.Contains(p) != (inA && inB) || without.Contains(p) != (inA && !inB) {
					t.Fatalf("%s of %s and %s", p, a, b)
				}
			}
		}
	}
}

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "203.0.113.7": true, "2001:db8::1": true, "10.0.0.1": false, "172.16.0.1": false, "172.32.0.1": true,
		"192.168.1.1": false, "100.64.0.1": false, "100.128.0.1": true, "169.254.169.254": false, "127.0.0.1": false,
		"fd00::1": false, "fe80::1": false, "::1": false, "224.0.0.1": false,
	} {
		if got := Public().Contains(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s public = %v, want %v", address, got, want)
		}
	}
}

func TestRangesAreToldAsTheFewestPrefixes(t *testing.T) {
	of := func(cidrs ...string) (r Ranges) {
		for _, c := range cidrs {
			r = r.Or(In(netip.MustParsePrefix(c)))
		}
		return r
	}
	for _, c := range []struct {
		name string
		r    Ranges
		want string
	}{
		{"none", nil, ""},
		{"everything", Everywhere(), "0.0.0.0/0, ::/0"},
		{"two that touch", of("10.0.0.0/9", "10.128.0.0/9"), "10.0.0.0/8"},
		{"two that touch and are no block", of("10.0.1.0/24", "10.0.2.0/24"), "10.0.1.0/24, 10.0.2.0/24"},
		{"one within another", of("10.0.0.0/8", "10.1.0.0/16"), "10.0.0.0/8"},
		{"two that share an address", of("10.0.0.0/31", "10.0.0.1/32"), "10.0.0.0/31"},
		{"one address, written as IPv6", Of(netip.MustParseAddr("::ffff:10.0.0.1")), "10.0.0.1/32"},
		{"a block of IPv4 that is written as IPv6", of("::ffff:10.0.0.0/104"), "10.0.0.0/8"},
		{"all of IPv4 that is written as IPv6", of("::ffff:0.0.0.0/96"), "0.0.0.0/0"},
		{"more than IPv4", of("::ffff:0.0.0.0/95"), "::fffe:0:0/95"},
		{"the last address apart", of("255.255.255.255/32", "::/128"), "255.255.255.255/32, ::/128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.r.String(); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	ten := of("10.0.0.0/8")
	for _, c := range []struct {
		r    Ranges
		want bool
	}{
		{of("10.0.0.0/8"), true}, {of("10.255.255.255/32"), true}, {of("11.0.0.0/32"), false}, {of("9.255.255.255/32"), false},
		{of("10.255.255.0/24", "11.0.0.0/24"), false}, {of("::/128"), false}, {nil, true}, {of("10.0.0.0/7"), false},
	} {
		if got := ten.Covers(c.r); got != c.want {
			t.Errorf("10.0.0.0/8 covers %s: %v", c.r, got)
		}
	}
}
