package egress

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

//go:embed addresses.yaml
var addressesYAML []byte

// kind is what an address is that the internet has no machine at.
type kind struct {
	Name string `yaml:"kind"`
	// Never is closed to hosts that a person named, too.
	Never bool `yaml:"never"`
	// Written is open where a person wrote the address or its network, and by no name.
	Written bool `yaml:"written"`
}

type prefix struct {
	netip.Prefix
	kind *kind // nil if it is of the internet
}

// embedding is a network of IPv6 whose addresses hold one of IPv4.
type embedding struct {
	netip.Prefix
	at int
}

// special is addresses.yaml: longest prefixes first.
var special = readAddresses(addressesYAML)

type addresses struct {
	prefixes   []prefix
	embeddings []embedding
	names      map[string]bool
}

func readAddresses(text []byte) addresses {
	var file struct {
		Kinds     []kind `yaml:"kinds"`
		Addresses []struct {
			In     string `yaml:"in"`
			Kind   string `yaml:"kind"`
			Source string `yaml:"source"`
		} `yaml:"addresses"`
		Embedded []struct {
			In     string `yaml:"in"`
			At     int    `yaml:"at"`
			Source string `yaml:"source"`
		} `yaml:"embedded"`
		Names []string `yaml:"names"`
	}
	if _, err := strictyaml.Decode("addresses.yaml", text, &file); err != nil {
		panic(err) // our own file
	}
	out := addresses{names: map[string]bool{}}
	for _, a := range file.Addresses {
		p := prefix{Prefix: netip.MustParsePrefix(a.In)}
		if i := slices.IndexFunc(file.Kinds, func(k kind) bool { return k.Name == a.Kind }); i >= 0 {
			p.kind = &file.Kinds[i]
		} else if a.Kind != "" {
			panic(fmt.Sprintf("addresses.yaml: %s is of a kind that is not there: %q", a.In, a.Kind))
		}
		out.prefixes = append(out.prefixes, p)
	}
	slices.SortStableFunc(out.prefixes, func(a, b prefix) int { return b.Bits() - a.Bits() })
	for _, e := range file.Embedded {
		out.embeddings = append(out.embeddings, embedding{netip.MustParsePrefix(e.In), e.At})
	}
	for _, n := range file.Names {
		out.names[n] = true
	}
	return out
}

// kindOf says what is special about an address, nil if it is one of the internet.
func kindOf(a netip.Addr) *kind {
	a = plain(a)
	for _, p := range special.prefixes {
		if p.Contains(a) {
			return p.kind
		}
	}
	return nil
}

// plain is the address of IPv4 that one of IPv6 stands for, or the address itself.
func plain(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a
	}
	b := a.As16()
	for _, e := range special.embeddings {
		if e.Contains(a) {
			return netip.AddrFrom4([4]byte(b[e.at/8:]))
		}
	}
	if id := binary.BigEndian.Uint32(b[8:]); id&^(1<<25) == 0x00005efe { // RFC 5214: ISATAP, global or not
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// metadataName says whether a name is one of a cloud's metadata service.
func metadataName(host string) bool {
	return special.names[strings.ToLower(strings.TrimSuffix(host, "."))]
}
