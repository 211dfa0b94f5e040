package live

import (
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/graph"
)

// whereabouts finds a cluster's pods by what a container runtime knows: a container's
// id, or the pod's uid in the name of a control group. The uid is known before
// the container runs; its id only when the kubelet has told, seconds later.
//
// It follows each change by itself, ahead of the World, which is computed now and
// then; and it remembers pods for a while that are gone, for events come late.
type whereabouts struct {
	mu struct {
		sync.RWMutex
		now places
		// before and earlier hold what went since turned, and in the time before that.
		before, earlier places
		turned          time.Time
	}
}

type places struct {
	pods map[collect.Key]*collect.Pod
	ids  map[string]*collect.Pod // containers
	uids map[string]*collect.Pod
}

// Bounds of the memory of pods that are gone.
const (
	rememberFor = 10 * time.Minute
	maxGone     = 20_000
)

func newPlaces() places {
	return places{map[collect.Key]*collect.Pod{}, map[string]*collect.Pod{}, map[string]*collect.Pod{}}
}

func newWhereabouts() *whereabouts {
	w := &whereabouts{}
	w.mu.now, w.mu.before, w.mu.earlier = newPlaces(), newPlaces(), newPlaces()
	return w
}

func (p places) put(pod *collect.Pod) {
	p.pods[pod.Key] = pod
	if pod.UID != "" {
		p.uids[pod.UID] = pod
	}
	for _, id := range pod.ContainerIDs {
		if id != "" {
			p.ids[id] = pod
		}
	}
}

// drop forgets what still leads to the pod and not to a later one.
func (p places) drop(pod *collect.Pod) {
	delete(p.pods, pod.Key)
	if p.uids[pod.UID] == pod {
		delete(p.uids, pod.UID)
	}
	for _, id := range pod.ContainerIDs {
		if p.ids[id] == pod {
			delete(p.ids, id)
		}
	}
}

// change follows a change that the facts have taken.
func (w *whereabouts) change(ch collect.Change, f *collect.Facts) {
	if ch.Kind != "Pod" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch ch.Op {
	case collect.Put:
		w.put(f.Pods[ch.Key])
	case collect.Gone:
		w.gone(w.mu.now.pods[ch.Key])
	case collect.Resynced:
		for key, pod := range w.mu.now.pods {
			if f.Pods[key] == nil {
				w.gone(pod)
			}
		}
	}
}

// all takes the facts of an earlier run.
func (w *whereabouts) all(f *collect.Facts) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, pod := range f.Pods {
		w.put(pod)
	}
}

// put is called with the lock held, as is gone.
func (w *whereabouts) put(pod *collect.Pod) {
	if pod == nil {
		return
	}
	if old := w.mu.now.pods[pod.Key]; old != nil {
		if !slices.Equal(old.ContainerIDs, pod.ContainerIDs) || old.UID != pod.UID {
			w.remember(old) // a container that was restarted had another id
		}
		w.mu.now.drop(old)
	}
	w.mu.now.put(pod)
}

func (w *whereabouts) gone(pod *collect.Pod) {
	if pod != nil {
		w.mu.now.drop(pod)
		w.remember(pod)
	}
}

func (w *whereabouts) remember(pod *collect.Pod) {
	if now := time.Now(); now.Sub(w.mu.turned) > rememberFor || len(w.mu.before.pods) >= maxGone {
		w.mu.earlier, w.mu.before, w.mu.turned = w.mu.before, newPlaces(), now
	}
	w.mu.before.put(pod)
}

// find gives the pod, and the container's position in it or -1. The uid of a pod
// names it even where the container's id was not told yet.
func (w *whereabouts) find(id, uid string) (pod *collect.Pod, at int) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	for _, p := range []places{w.mu.now, w.mu.before, w.mu.earlier} {
		if pod = p.ids[id]; pod != nil {
			return pod, slices.Index(pod.ContainerIDs, id)
		}
	}
	for _, p := range []places{w.mu.now, w.mu.before, w.mu.earlier} {
		if pod = p.uids[uid]; pod != nil {
			return pod, -1
		}
	}
	return nil, -1
}

// Place says in which pod of a cluster a container runs, by its id or its pod's uid.
func (l *Live) Place(cluster string, c *runtime.Container) (runtime.Place, bool) {
	for _, one := range l.clusters {
		if one.source.Name != cluster {
			continue
		}
		pod, at := one.pods.find(c.ID, c.PodUID)
		if pod == nil {
			return runtime.Place{}, false
		}
		return place(l.World().View, cluster, pod, at), true
	}
	return runtime.Place{}, false
}

// Knows says whether a cluster's pods are known here, and when not, why.
func (l *Live) Knows(cluster string) (why string) {
	c := l.World().Clusters[cluster]
	switch {
	case c == nil:
		return "this server does not read the cluster " + cluster
	case c.State == Loading:
		return "the cluster " + cluster + " has not been read yet"
	case c.State != Current:
		return "the cluster " + cluster + " is known as of " + c.AsOf.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	for _, g := range c.Gaps {
		if g.Source == "api" && g.What == "pods" {
			return "the pods of the cluster " + cluster + " cannot be read"
		}
	}
	return ""
}

func place(v *graph.View, cluster string, pod *collect.Pod, at int) runtime.Place {
	p := runtime.Place{Namespace: pod.Namespace, Pod: pod.Name, PodID: cluster + "/" + pod.Namespace + "/Pod/" + pod.Name}
	if pod.Owner.Kind != "" {
		p.Workload = pod.Owner.Kind + "/" + pod.Owner.Name
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
