package segment

import (
	"fmt"
	"slices"

	"github.com/breakwater-sec/breakwater/cloud"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// clouds draws the identities of clouds that service accounts, containers and nodes
// have, whom the cluster takes them for, and what they may do, as the judge says.
func (c *cluster) clouds() {
	j := c.judged.Clouds
	if j == nil {
		return
	}
	c.b.Set(c.at(self), maybe("eks", j.EKS()))
	if said := j.Cluster(); said != nil {
		c.b.Set(c.at(self), graph.S("provider", said.Provider), maybe("apiPublic", said.Public), list("apiRanges", said.Ranges),
			maybe("privateNodes", said.PrivateNodes), maybe("cloudRoles", said.CloudRoles))
	}
	known := map[cloud.Identity]bool{}
	for _, t := range j.Trusts() {
		known[t.Identity] = true
		c.b.Edge("FEDERATES", c.serviceAccount(t.Account.Namespace, t.Account.Name), c.cloudIdentity(t.Identity),
			graph.S("how", string(t.How)), text("audience", t.Audience))
	}
	for _, n := range c.facts.Nodes {
		if id, ok := j.Node(n); ok {
			known[id] = true
			r := c.nodeRef(n.Name)
			c.b.Set(r, graph.S("provider", string(id.Provider)), graph.B("metadataServer", cloud.MetadataServer(n)),
				maybe("metadataLocal", j.MetadataLocal(n)))
			c.b.Edge("HAS_IDENTITY", r, c.cloudIdentity(id))
		}
	}
	for _, p := range c.facts.Pods {
		if p.Shape != nil {
			c.cloudOf(p)
		}
	}
	for _, a := range j.Accesses() {
		known[a.Identity] = true
		c.takenFor(a)
	}
	for _, g := range j.Grants() {
		if known[g.Identity] { // others reach nothing of the cluster, nor does it reach them
			c.granted(g)
		}
	}
}

// cloudOf draws what a pod gets of its cloud.
func (c *cluster) cloudOf(p *collect.Pod) {
	j := c.judged.Clouds
	r := c.podAt(p)
	if n := c.facts.Nodes[collect.Key{Name: p.Node}]; n != nil && cloud.ProviderOf(n).HasMetadata() {
		c.b.Set(r, maybe("reachesMetadata", j.ReachesMetadata(p)))
		if cloud.ProviderOf(n) == cloud.Google {
			c.b.Set(r, maybe("reachesMetadataServer", j.ReachesMetadataServer(p)))
		}
	}
	for i := range p.Shape.Containers {
		for _, t := range j.Carries(p, i) {
			c.b.Edge("HOLDS_TOKEN_FOR", c.containerAt(p, i), c.cloudIdentity(t.Identity),
				graph.S("how", string(t.How)))
		}
	}
}

func (c *cluster) takenFor(a cloud.Access) {
	from, how := c.cloudIdentity(a.Identity), graph.S("how", a.How)
	if a.User != "" {
		c.b.Edge("TAKEN_FOR", from, c.wide("User", a.User), how)
	}
	for _, g := range a.Groups {
		c.b.Edge("TAKEN_FOR", from, c.wide("Group", g), how)
	}
	if a.Admin {
		c.b.Edge("GRANTED", from, c.at(self), graph.S("gain", string(collect.Controls)), how)
	}
}

// granted draws what an identity may do: with the cluster or its machines, where they
// are meant, and with what else there is in the cloud.
func (c *cluster) granted(g cloud.Grant) {
	from, gain := c.cloudIdentity(g.Identity), graph.S("gain", string(g.Gain))
	switch {
	case g.Type == "machines":
		for _, n := range c.facts.Nodes {
			if cloud.ProviderOf(n) == g.Identity.Provider {
				c.b.Edge("GRANTED", from, c.nodeRef(n.Name), gain)
			}
		}
		return
	case c.judged.Clouds.Means(g):
		c.b.Edge("GRANTED", from, c.at(self), gain)
	}
	if g.Gain == collect.Pushes {
		for _, name := range c.repositories() {
			if cloud.Covers(g.Resource, name) {
				c.b.Edge("GRANTED", from, c.b.Ref("Repository", name), gain)
			}
		}
	}
	if g.Type != "cluster" {
		is := fmt.Sprintf("%s:%s:%s", g.Identity.Provider, g.Type, g.Resource)
		r := c.b.Node("CloudResource", ref.Ref{Kind: "CloudResource", Name: is}.ID(), graph.S("name", g.Resource), graph.S("type", g.Type),
			graph.S("provider", string(g.Identity.Provider)), graph.S("cluster", c.name))
		c.b.Edge("GRANTED", from, r, gain)
	}
}

// repositories are those that images in use are stored in.
func (c *cluster) repositories() (out []string) {
	for _, u := range c.images.images() {
		out = append(out, u.Place().Name())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *cluster) cloudIdentity(i cloud.Identity) graph.Ref {
	return c.b.Node("CloudIdentity", "CloudIdentity/"+i.ID(), graph.S("name", i.Name), graph.S("provider", string(i.Provider)),
		graph.S("cluster", c.name))
}
