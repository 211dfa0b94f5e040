package enrichment

import (
	"strings"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/live"
)

// nodes are the names of a cluster's nodes. They follow each change by themselves, ahead
// of the World: a node's sensor comes moments after the node.
type nodes struct {
	mu struct {
		sync.RWMutex
		names map[string]string // by name, the provider whose cluster a node says it is in
	}
}

func (n *nodes) change(ch collect.Change) {
	if ch.Kind != "Node" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch ch.Op {
	case collect.Put:
		node, _ := ch.Object.(*collect.Node)
		n.mu.names[ch.Key.Name] = providerOf(node)
	case collect.Gone:
		delete(n.mu.names, ch.Key.Name)
	case collect.Resynced:
		for name := range n.mu.names {
			if _, kept := ch.Keys[collect.Key{Name: name}]; !kept {
				delete(n.mu.names, name)
			}
		}
	}
}

func (n *nodes) all(f *collect.Facts) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, node := range f.Nodes {
		n.mu.names[key.Name] = providerOf(node)
	}
}

// HasNode says whether a cluster has a node of that name and, where that cannot be said, why.
func (c *Context) HasNode(name, node string) (has bool, why string) {
	c.mu.RLock()
	known := c.mu.nodes[name]
	c.mu.RUnlock()
	any := false
	if known != nil {
		known.mu.RLock()
		_, has = known.mu.names[node]
		any = len(known.mu.names) > 0
		known.mu.RUnlock()
	}
	if has {
		return true, ""
	}
	cluster := c.world().Clusters[name]
	switch {
	case cluster == nil:
		return false, "this server does not read the cluster " + name
	case cluster.State == live.Loading:
		return false, "the cluster " + name + " has not been read yet"
	case cluster.State != live.Current:
		return false, "the cluster " + name + " is known as of " + cluster.AsOf.UTC().Format("2006-01-02 15:04:05 UTC")
	case !any:
		return false, "no node of the cluster " + name + " is known"
	}
	for _, g := range cluster.Gaps {
		if g.Source == "api" && g.What == "nodes" {
			return false, "the nodes of the cluster " + name + " cannot be read"
		}
	}
	return false, ""
}

// marks by which a node shows of which provider its cluster is: its kubelet's version, or a label.
var marks = []struct{ provider, version, label string }{
	{audit.EKS, "-eks-", ""}, {audit.GKE, "-gke.", ""}, {audit.AKS, "", "kubernetes.azure.com/cluster"},
	{audit.K3s, "+k3s", ""}, {audit.RKE2, "+rke2r", ""}, {audit.OpenShift, "", "node.openshift.io/os_id"},
}

func providerOf(n *collect.Node) string {
	if n == nil {
		return ""
	}
	for _, m := range marks {
		if _, labelled := n.Labels[m.label]; labelled || m.version != "" && strings.Contains(n.KubeletVersion, m.version) {
			return m.provider
		}
	}
	return ""
}

// Provider is whose cluster it is, as all its nodes say; "" where they do not, or say different things: what one node
// says, who took it over may have written.
func (c *Context) Provider(cluster string) (provider string) {
	c.mu.RLock()
	known := c.mu.nodes[cluster]
	c.mu.RUnlock()
	if known == nil {
		return ""
	}
	known.mu.RLock()
	defer known.mu.RUnlock()
	for _, p := range known.mu.names {
		if p == "" || provider != "" && p != provider {
			return ""
		}
		provider = p
	}
	return provider
}
