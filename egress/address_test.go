package egress

import (
	"net/netip"
	"testing"
)

func TestKindsOfAddresses(t *testing.T) {
	const metadata, none = "a cloud's metadata service", "no address of one machine"
	const private, linkLocal = "a private address", "a link-local address"
	for address, want := range map[string]string{
		"8.8.8.8": "", "2606:4700:4700::1111": "", "2a00::a00:1": "", "64:ff9b::808:808": "", "2002:808:808::1": "", "::ffff:8.8.8.8": "",
		"2606:4700::5efe:808:808": "",
		"169.254.169.254":         metadata, "169.254.169.253": linkLocal, "::ffff:169.254.169.254": metadata, "fd00:ec2::254": metadata,
		"fd00:ec2::255": private, "192.0.0.192": metadata, "192.0.0.193": "a reserved address", "100.100.100.200": metadata,
		"100.100.100.201": private, "255.255.255.255": none, "255.255.255.254": "a reserved address", "fe80::1%eth0": linkLocal,
		"::": none, "::1": "an address of this machine", "::2": "a reserved address", "2001:db8::1": "a reserved address",
		"64:ff9b::10.0.0.1": private, "64:ff9b:1::8.8.8.8": private, "2002:a00:1::": private, "2606:4700::200:5efe:a00:1": private,
		"2606:4700::5eff:a00:1": "",
	} {
		got := ""
		if k := kindOf(netip.MustParseAddr(address)); k != nil {
			got = k.Name
		}
		if got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
}

func TestNeverOpenAreAddressesOfNoMachineThatOneMayAsk(t *testing.T) {
	for host, want := range map[string]bool{"169.254.169.254": true, "::ffff:169.254.169.254": true, "0.0.0.0": true, "ff02::1": true,
		"10.0.0.1": false, "127.0.0.1": false, "8.8.8.8": false, "r.example": false, "": false} {
		if got := neverOpen(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestAddressesOfAFile(t *testing.T) {
	const kinds = "kinds:\n  - {kind: odd}\n  - {kind: closed, never: true}\naddresses:\n"
	got := readAddresses([]byte(kinds + `
  - {in: 10.0.0.0/8, kind: odd}
  - {in: 10.1.2.3/32, kind: closed}
  - {in: 10.1.0.0/16}
`)).prefixes
	if len(got) != 3 || got[0].kind == nil || !got[0].kind.Never || got[1].kind != nil || got[2].Bits() != 8 {
		t.Errorf("%+v, want the longest prefix first", got)
	}
	for _, bad := range []string{kinds + "  - {in: 10.0.0.0/8, kind: odder}\n", "kind: []\n"} {
		if !panics(func() { readAddresses([]byte(bad)) }) {
			t.Errorf("%q is read", bad)
		}
	}
	if !panics(func() { readSites([]byte("registers: []\n")) }) {
		t.Error("a file of sites with another field is read")
	}
}

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return
}
