package segment

import (
	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// clouds draws the identities of clouds that service accounts, containers and nodes
// have, as the judge says.
func (c *cluster) clouds() {
	j := c.judged.Clouds
	if j == nil {
		return
	}
	for _, t := range j.Trusts() {
		c.b.Edge("FEDERATES", c.serviceAccount(t.Account.Namespace, t.Account.Name), c.cloudIdentity(t.Identity),
			graph.S("how", string(t.How)), text("audience", t.Audience))
	}
	for _, n := range c.facts.Nodes {
		if id, ok := j.Node(n); ok {
			r := c.nodeRef(n.Name)
			c.b.Set(r, graph.S("provider", string(id.Provider)), maybe("metadataServer", cloud.MetadataServer(n)))
			c.b.Edge("HAS_IDENTITY", r, c.cloudIdentity(id))
		}
	}
	for _, p := range c.facts.Pods {
		if p.Shape == nil {
			continue
		}
		if n := c.facts.Nodes[collect.Key{Name: p.Node}]; n != nil && cloud.ProviderOf(n).HasMetadata() {
			c.b.Set(c.at(p.Of("Pod")), maybe("reachesMetadata", j.ReachesMetadata(p)))
		}
		for i := range p.Shape.Containers {
			for _, t := range j.Carries(p, i) {
				c.b.Edge("HOLDS_TOKEN_FOR", c.b.Ref("Container", containerID(p, p.Shape.Containers[i].Name)), c.cloudIdentity(t.Identity),
					graph.S("how", string(t.How)))
			}
		}
	}
}

func (c *cluster) cloudIdentity(i cloud.Identity) graph.Ref {
	return c.b.Node("CloudIdentity", "CloudIdentity/"+i.ID(), graph.S("name", i.Name), graph.S("provider", string(i.Provider)),
		graph.S("cluster", c.name))
}
