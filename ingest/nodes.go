package ingest

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// nodes are those that a cluster's sensors named, up to a bound: who holds a token can
// make up names, and each would be remembered, here and further on. From one address come
// no more than half of those that the others leave.
type nodes struct {
	most int
	mu   struct {
		sync.Mutex
		of map[string]*named
	}
}

// named are one cluster's nodes, and how many were named first from which address.
type named struct {
	names map[string]struct{}
	by    map[netip.Addr]int
}

// admit refuses a node that is one too many.
func (n *nodes) admit(of sender, node string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := n.mu.of[of.cluster]
	if known == nil {
		if n.mu.of == nil {
			n.mu.of = map[string]*named{}
		}
		known = &named{map[string]struct{}{}, map[netip.Addr]int{}}
		n.mu.of[of.cluster] = known
	}
	if _, again := known.names[node]; again {
		return nil
	}
	own := known.by[of.address]
	if others := len(known.names) - own; own >= max((n.most-others)/2, 1) {
		return refuse(http.StatusForbidden, "nodes", fmt.Errorf("from %s came the names of %d nodes, and there may be no more", of.address, own))
	}
	known.names[strings.Clone(node)] = struct{}{}
	known.by[of.address]++
	return nil
}
