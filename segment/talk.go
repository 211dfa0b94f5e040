package segment

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/exposure"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/netpol"
	"github.com/breakwater-sec/breakwater/ref"
)

// listener is a container with ports that it listens on.
type listener struct {
	container graph.Ref
	// open says that they are those of the open service that it runs.
	open bool
}

// talk draws who inside the cluster can connect to what listens, by classes of pods
// that no policy tells apart.
func (c *cluster) talk() {
	var from []listener
	var asked []netpol.Listener
	serving, crowded := exposure.Serving(c.facts)
	if len(crowded) > 0 {
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "ports that Services lead to", Kinds: []string{"LISTENS_AS"},
			Why:         fmt.Sprintf("Services lead to more ports than are told at %d pods, the first of them %s", len(crowded), crowded[0]),
			Consequence: "Something may listen on other ports there; who can connect to them is not shown."})
	}
	for _, p := range c.facts.Pods {
		if p.Shape == nil || over(p) {
			continue
		}
		for i := range p.Shape.Containers {
			s := &p.Shape.Containers[i]
			if s.Type == collect.Init || s.Type == collect.Ephemeral || i < len(p.Ended) && p.Ended[i] {
				continue
			}
			r, ports := c.containerAt(p, i), listensOn(c.declaredBy(p.Shape), s, serving[p.Key])
			if open := exposure.OpenTo(*s); open != nil {
				from, asked = append(from, listener{r, true}), append(asked, netpol.Listener{Pod: p, Ports: open.Among(ports)})
			}
			if len(ports) > 0 {
				from, asked = append(from, listener{r, false}), append(asked, netpol.Listener{Pod: p, Ports: ports})
			}
		}
	}
	t := c.judged.Policies.Talk(asked)
	senders, receivers := c.senders(t), c.netClasses("listens", t.Receivers)
	for i, l := range from {
		if l.open {
			c.b.Edge("LISTENS_AS", l.container, receivers[t.Of[i]], graph.B("open", true))
		} else {
			c.b.Edge("LISTENS_AS", l.container, receivers[t.Of[i]])
		}
	}
	for _, l := range t.Links {
		c.b.Edge("CAN_TALK_TO", senders[l.From], receivers[l.To], list("ports", portTexts(l.Ports)), text("uncertain", l.Uncertain))
	}
	if t.Unjudged > 0 {
		c.gaps = append(c.gaps, collect.Gap{Cluster: c.name, Source: "graph", What: "who can talk to whom", Kinds: []string{"CAN_TALK_TO"},
			Why:         fmt.Sprintf("policies tell too many pods apart: %d classes of what listens were not held against them", t.Unjudged),
			Consequence: "They are shown as open to every pod, as uncertain."})
	}
}

// senders draws the classes of senders and puts each container that runs into those of its pod.
func (c *cluster) senders(t *netpol.Talk) []graph.Ref {
	classes := c.netClasses("sends", t.Senders)
	for i, class := range t.Senders {
		for _, p := range class.Pods {
			for k := range p.Shape.Containers {
				if k >= len(p.Ended) || !p.Ended[k] {
					c.b.Edge("TALKS_AS", c.containerAt(p, k), classes[i])
				}
			}
		}
	}
	return classes
}

// listensOn are the ports that a container declares, and those that Services lead to at
// its pod and no container declares: any of them may be listening.
func listensOn(declared map[netpol.Port]bool, s *collect.ContainerShape, serving []netpol.Port) (out []netpol.Port) {
	for _, p := range s.Ports {
		out = append(out, netpol.Port{Protocol: cmp.Or(p.Protocol, "TCP"), Number: p.Port})
	}
	for _, p := range serving {
		if !declared[netpol.Port{Protocol: cmp.Or(p.Protocol, "TCP"), Number: p.Number}] {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b netpol.Port) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Protocol, b.Protocol))
	})
	return slices.Compact(out)
}

func (c *cluster) netClasses(direction string, all []netpol.TalkClass) (out []graph.Ref) {
	for _, class := range all {
		sum := sha256.Sum256([]byte(class.Mark))
		is := ref.Ref{Kind: "NetClass", Name: direction + "-" + hex.EncodeToString(sum[:])[:16]}
		out = append(out, c.b.Node(is.Kind, is.ID(), graph.S("name", c.classed(class)), graph.S("cluster", c.name),
			graph.S("direction", direction), graph.I("pods", int64(len(class.Pods))),
			list("ports", portTexts(class.Ports)), graph.B("unrestricted", class.Unrestricted)))
	}
	return out
}

// maxInName is how many ports stand in the name of a class.
const maxInName = 16

// classed names a class by the workloads that its pods are of.
func (c *cluster) classed(class netpol.TalkClass) string {
	if class.Whole != "" {
		return class.Whole
	}
	seen := map[ref.Ref]bool{}
	first := ref.Ref{}
	for _, p := range class.Pods {
		o := c.ownerOf(p)
		if len(seen) == 0 || strings.Compare(o.ID(), first.ID()) < 0 {
			first = o
		}
		seen[o] = true
	}
	text := first.Namespace + "/" + first.Name
	if more := len(seen) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(class.Ports) > 0 {
		ports := portTexts(class.Ports)
		if more := len(ports) - maxInName; more > 1 {
			ports = append(ports[:maxInName:maxInName], fmt.Sprintf("%d more", more))
		}
		text = strings.Join(ports, ", ") + " of " + text
	}
	return text
}
