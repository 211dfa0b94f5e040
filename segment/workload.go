package segment

import (
	"strings"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
)

// owner is the workload that a pod belongs to in the end.
type owner struct{ kind, name string }

func (o owner) String() string { return o.kind + "/" + o.name }

// drawable are the workload kinds that are nodes of the graph.
var drawable = map[string]bool{"Deployment": true, "StatefulSet": true, "DaemonSet": true, "ReplicaSet": true, "Job": true, "CronJob": true}

func (c *cluster) workloads() {
	for k, w := range c.facts.Workloads {
		if !drawable[k.Kind] {
			continue
		}
		r := c.object(k.Kind, k.Namespace, k.Name, graph.I("replicas", int64(w.Replicas)), c.labelsOf(w.Labels))
		labels := map[string]string(nil)
		if w.Labels != nil {
			labels = w.Labels.Map
		}
		c.b.Set(r, criticality(labels, w.Annotations))
		if (w.Owner.Kind == "Deployment" && k.Kind == "ReplicaSet") || (w.Owner.Kind == "CronJob" && k.Kind == "Job") {
			c.b.Edge("OWNS", c.ownerNode(w.Owner.Kind, k.Namespace, w.Owner.Name), r)
		}
		if w.Shape != nil {
			c.volumesOf(k.Namespace, c.topOwner(k.Namespace, w.Owner, owner{k.Kind, k.Name}), w.Shape)
		}
	}
}

// ownerNode is a workload that something names as its owner: the owner itself
// may not have been readable.
func (c *cluster) ownerNode(kind, namespace, name string) graph.Ref {
	if _, read := c.facts.Workloads[collect.WorkloadKey{Kind: kind, Key: collect.Key{Namespace: namespace, Name: name}}]; read {
		return c.b.Ref(kind, namespace+"/"+kind+"/"+name)
	}
	return c.referred(kind, namespace, name)
}

// ownerOf is the owner of a pod in the end; a pod that nobody controls, or
// whose controller is its node, owns itself.
func (c *cluster) ownerOf(p *collect.Pod) owner {
	if p.Owner.Kind == "" || p.Owner.Kind == "Node" {
		return owner{"Pod", p.Name}
	}
	if p.Owner.Kind == "ReplicaSet" {
		if o, ok := c.hashedOwner(p); ok {
			return o
		}
	}
	byNamespace := c.owners[p.Owner]
	if byNamespace == nil {
		byNamespace = map[string]owner{}
		c.owners[p.Owner] = byNamespace
	}
	o, known := byNamespace[p.Namespace]
	if !known {
		o = c.topOwner(p.Namespace, p.Owner, owner{p.Owner.Kind, p.Owner.Name})
		byNamespace[p.Namespace] = o
	}
	return o
}

// hashedOwner finds the Deployment of a pod whose ReplicaSet was not read: the
// ReplicaSet is named after it and the template's hash, which the pod carries.
// Without this a rollout would look like another workload.
func (c *cluster) hashedOwner(p *collect.Pod) (owner, bool) {
	key := collect.WorkloadKey{Kind: "ReplicaSet", Key: collect.Key{Namespace: p.Namespace, Name: p.Owner.Name}}
	if _, read := c.facts.Workloads[key]; read || p.Labels == nil {
		return owner{}, false
	}
	hash := p.Labels.Map["pod-template-hash"]
	name, ok := strings.CutSuffix(p.Owner.Name, "-"+hash)
	return owner{"Deployment", name}, ok && hash != "" && name != ""
}

// maxOwners bounds a chain of owners, which a hostile cluster could close to a ring.
const maxOwners = 8

func (c *cluster) topOwner(namespace string, ref collect.OwnerRef, self owner) owner {
	for range maxOwners {
		if ref.Kind == "" {
			return self
		}
		self = owner{ref.Kind, ref.Name}
		w, read := c.facts.Workloads[collect.WorkloadKey{Kind: ref.Kind, Key: collect.Key{Namespace: namespace, Name: ref.Name}}]
		if !read {
			return self
		}
		ref = w.Owner
	}
	return self
}

// Owners finds the stable id, within the cluster, of the workload that a pod
// belongs to in the end: "shop/Deployment/web".
func Owners(f *collect.Facts) func(*collect.Pod) string {
	c := &cluster{facts: f, owners: map[collect.OwnerRef]map[string]owner{}}
	return func(p *collect.Pod) string {
		o := c.ownerOf(p)
		return p.Namespace + "/" + o.kind + "/" + o.name
	}
}
