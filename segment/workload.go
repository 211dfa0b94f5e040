package segment

import (
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/ref"
)

// drawable are the workload kinds that are nodes of the graph.
var drawable = map[string]bool{"Deployment": true, "StatefulSet": true, "DaemonSet": true, "ReplicaSet": true,
	"ReplicationController": true, "Job": true, "CronJob": true}

func (c *cluster) workloads() {
	for k, w := range c.facts.Workloads {
		if !drawable[k.Kind] {
			continue
		}
		r := c.object(k.Of(k.Kind), graph.I("replicas", int64(w.Replicas)), c.labelsOf(w.Labels))
		labels := map[string]string(nil)
		if w.Labels != nil {
			labels = w.Labels.Map
		}
		c.b.Set(r, criticality(labels, w.Annotations))
		if (w.Owner.Kind == "Deployment" && k.Kind == "ReplicaSet") || (w.Owner.Kind == "CronJob" && k.Kind == "Job") {
			c.b.Edge("OWNS", c.ownerNode(k.Of(k.Kind).Beside(w.Owner.Kind, w.Owner.Name)), r)
		}
		if w.Shape != nil {
			c.volumesOf(c.topOwner(w.Owner, k.Of(k.Kind)), w.Shape)
		}
	}
}

// ownerNode is a workload that something names as its owner: the owner itself
// may not have been readable.
func (c *cluster) ownerNode(r ref.Ref) graph.Ref {
	if _, read := c.facts.Workloads[workloadKey(r)]; read {
		return c.at(r)
	}
	return c.referred(r)
}

func workloadKey(r ref.Ref) collect.WorkloadKey {
	return collect.WorkloadKey{Kind: r.Kind, Key: collect.KeyOf(r)}
}

// ownerOf is the owner of a pod in the end; a pod that nobody controls, or
// whose controller is its node, owns itself.
func (c *cluster) ownerOf(p *collect.Pod) ref.Ref {
	self := p.Of("Pod")
	if p.Owner.Kind == "" || p.Owner.Kind == "Node" {
		return self
	}
	if p.Owner.Kind == "ReplicaSet" {
		if o, ok := c.hashedOwner(p); ok {
			return o
		}
	}
	byNamespace := c.owners[p.Owner]
	if byNamespace == nil {
		byNamespace = map[string]ref.Ref{}
		c.owners[p.Owner] = byNamespace
	}
	o, known := byNamespace[p.Namespace]
	if !known {
		o = c.topOwner(p.Owner, self)
		byNamespace[p.Namespace] = o
	}
	return o
}

// hashedOwner finds the Deployment of a pod whose ReplicaSet was not read: the
// ReplicaSet is named after it and the template's hash, which the pod carries.
// Without this a rollout would look like another workload.
func (c *cluster) hashedOwner(p *collect.Pod) (ref.Ref, bool) {
	self := p.Of("Pod")
	if _, read := c.facts.Workloads[workloadKey(self.Beside("ReplicaSet", p.Owner.Name))]; read || p.Labels == nil {
		return ref.Ref{}, false
	}
	hash := p.Labels.Map["pod-template-hash"]
	name, ok := strings.CutSuffix(p.Owner.Name, "-"+hash)
	return self.Beside("Deployment", name), ok && hash != "" && name != ""
}

// maxOwners bounds a chain of owners, which a hostile cluster could close to a ring.
const maxOwners = 8

// topOwner follows owners up from what an object is controlled by.
func (c *cluster) topOwner(up collect.OwnerRef, self ref.Ref) ref.Ref {
	for range maxOwners {
		if up.Kind == "" {
			return self
		}
		self = self.Beside(up.Kind, up.Name)
		w, read := c.facts.Workloads[workloadKey(self)]
		if !read {
			return self
		}
		up = w.Owner
	}
	return self
}

// Owners finds the workload, within the cluster, that a pod belongs to in the end.
func Owners(f *collect.Facts) func(*collect.Pod) ref.Ref {
	c := &cluster{facts: f, owners: map[collect.OwnerRef]map[string]ref.Ref{}}
	return c.ownerOf
}
