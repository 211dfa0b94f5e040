package ingest

import (
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/event/identity"
)

// noticed bounds how often the same is noted, and how much of one sender: who invents names makes some alerts and not
// thousands, and takes nobody else's place.
type noticed struct {
	mu struct {
		sync.Mutex
		of map[tells]map[identity.Record]time.Time
	}
}

// tells is who proved to be whom while it tried something: a node by its certificate, or who holds a token.
type tells struct{ cluster, node, token string }

const (
	noticeEvery = 10 * time.Minute
	// mostNoticed is how many different things are noted of one sender within that time.
	mostNoticed = 32
)

// again says that something was noted already, or as much of its sender as is.
func (n *noticed) again(cluster string, r identity.Record) bool {
	who := tells{cluster, "", r.Token}
	if r.What == identity.Foreign { // the node is the certificate's; of others it is a name that somebody asked for
		who = tells{cluster, r.Node, ""}
	}
	what := identity.Record{What: r.What, Node: r.Node, Claimed: r.Claimed}
	n.mu.Lock()
	defer n.mu.Unlock()
	for who, all := range n.mu.of {
		for what, at := range all {
			if time.Since(at) > noticeEvery {
				delete(all, what)
			}
		}
		if len(all) == 0 {
			delete(n.mu.of, who)
		}
	}
	all := n.mu.of[who]
	if _, known := all[what]; known || len(all) >= mostNoticed {
		return true
	}
	if n.mu.of == nil {
		n.mu.of = map[tells]map[identity.Record]time.Time{}
	}
	if all == nil {
		all = map[identity.Record]time.Time{}
		n.mu.of[who] = all
	}
	all[what] = time.Now()
	return false
}
