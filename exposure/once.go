package exposure

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// once keeps each list once: a Service of thousands of ports, or for thousands of addresses, leads to thousands of pods.
type once struct {
	ports   map[string]kept[netpol.Port]
	ranges  map[string]kept[netip.Prefix]
	clients netpol.Ranges // that were listed last
	listed  []netip.Prefix
}

// kept is a list and its number; that of an empty one is 0.
type kept[T any] struct {
	list []T
	n    int
}

// hopKey tells hops apart.
type hopKey struct {
	from, to               ref.Ref
	ports, ranges          int
	width                  Width
	source                 Source
	via, uncertain, policy string
}

func (o *once) portList(ports []netpol.Port) ([]netpol.Port, int) {
	key := make([]byte, 0, 9*len(ports))
	for _, p := range ports {
		key = append(binary.AppendUvarint(key, uint64(len(p.Protocol))), p.Protocol...)
		key = binary.BigEndian.AppendUint32(key, uint32(p.Number))
	}
	return keep(&o.ports, key, ports)
}

func (o *once) prefixList(prefixes []netip.Prefix) ([]netip.Prefix, int) {
	key := make([]byte, 0, 5*len(prefixes))
	for _, p := range prefixes {
		address := p.Addr().AsSlice()
		key = append(append(append(key, byte(len(address))), address...), byte(p.Bits()))
	}
	return keep(&o.ranges, key, prefixes)
}

func keep[T any](in *map[string]kept[T], key []byte, list []T) ([]T, int) {
	if len(list) == 0 {
		return list, 0
	}
	have, there := (*in)[string(key)]
	if !there {
		if *in == nil {
			*in = map[string]kept[T]{}
		}
		have = kept[T]{list, len(*in) + 1}
		(*in)[string(key)] = have
	}
	return have.list, have.n
}

// listed is the ranges of clients, if they are listed.
func (j *judge) listed(clients netpol.Ranges) []netip.Prefix {
	o := &j.once
	if o.listed == nil || !slices.Equal(o.clients, clients) {
		o.clients, o.listed = clients, listed(clients)
	}
	return o.listed
}
