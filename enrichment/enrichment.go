// Package enrichment tells detections what the graph and the clusters know of the
// things that events name: what is this, is it exposed, which attack paths lead
// through it, in which pod does this container run?
package enrichment

import (
	"context"
	"sync"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/ref"
)

// Context answers with the world of now, and with the pods that its sources told of.
type Context struct {
	world func() *live.World
	mu    struct {
		sync.RWMutex
		pods  map[string]*pods // by cluster
		nodes map[string]*nodes
	}
}

// New is a Context for the worlds that world gives.
func New(world func() *live.World) *Context {
	c := &Context{world: world}
	c.mu.pods, c.mu.nodes = map[string]*pods{}, map[string]*nodes{}
	return c
}

// Follow notes the pods and nodes of every change of a source before live sees it.
func (c *Context) Follow(s live.Source) live.Source {
	known, machines := newPods(), &nodes{}
	machines.mu.names = map[string]string{}
	c.mu.Lock()
	c.mu.pods[s.Name], c.mu.nodes[s.Name] = known, machines
	c.mu.Unlock()
	watch, saved := s.Watch, s.Saved
	s.Watch = func(ctx context.Context, emit func(collect.Change)) error {
		return watch(ctx, func(ch collect.Change) {
			known.change(ch)
			machines.change(ch)
			emit(ch)
		})
	}
	if saved != nil {
		s.Saved = func() (*collect.Facts, error) {
			f, err := saved()
			if f != nil && err == nil {
				known.all(f)
				machines.all(f)
			}
			return f, err
		}
	}
	return s
}

// Place says in which pod of a cluster a container runs, by its id or its pod's uid.
func (c *Context) Place(cluster string, of *runtime.Container) (runtime.Place, bool) {
	c.mu.RLock()
	known := c.mu.pods[cluster]
	c.mu.RUnlock()
	if known == nil {
		return runtime.Place{}, false
	}
	pod, at := known.find(of.ID, of.PodUID)
	if pod == nil {
		return runtime.Place{}, false
	}
	return place(c.world().View, cluster, pod, at), true
}

// Knows says whether a cluster's pods are known here, and when not, why.
func (c *Context) Knows(name string) (why string) {
	cluster := c.world().Clusters[name]
	switch {
	case cluster == nil:
		return "this server does not read the cluster " + name
	case cluster.State == live.Loading:
		return "the cluster " + name + " has not been read yet"
	case cluster.State != live.Current:
		return "the cluster " + name + " is known as of " + cluster.AsOf.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	for _, g := range cluster.Gaps {
		if g.Source == "api" && g.What == "pods" {
			return "the pods of the cluster " + name + " cannot be read"
		}
	}
	return ""
}

func place(v *graph.View, cluster string, pod *collect.Pod, at int) runtime.Place {
	p := runtime.Place{Namespace: pod.Namespace, Pod: pod.Name, Node: pod.Node, PodID: pod.Of("Pod").In(cluster).ID()}
	if pod.Owner.Kind != "" {
		p.Workload = ref.Ref{Kind: pod.Owner.Kind, Name: pod.Owner.Name}.KindName()
	}
	if n, there := v.Node("Pod", p.PodID); there && n.Text("workload") != "" {
		p.Workload = n.Text("workload")
	}
	if at < 0 || pod.Shape == nil || at >= len(pod.Shape.Containers) {
		return p
	}
	c := &pod.Shape.Containers[at]
	p.Container, p.Image, p.Privileged = c.Name, c.Image, c.Privileged
	p.ContainerID = p.PodID + "/" + c.Name
	if n, there := v.Node("Container", p.ContainerID); there {
		for e := range n.Out("USES_IMAGE") {
			p.ImageID = e.To.ID()
		}
	}
	return p
}
