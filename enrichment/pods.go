package enrichment

import (
	"slices"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// pods finds a cluster's pods by what a container runtime knows: a container's
// id, or the pod's uid in the name of a control group. The uid is known before
// the container runs; its id only when the kubelet has told, seconds later.
//
// It follows each change by itself, ahead of the World, which is computed now and
// then; and it remembers pods for a while that are gone, for events come late.
type pods struct {
	mu struct {
		sync.RWMutex
		now places
		// sensors are those of now that are our own.
		sensors map[collect.Key]*collect.Pod
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

func newPods() *pods {
	p := &pods{}
	p.mu.now, p.mu.before, p.mu.earlier = newPlaces(), newPlaces(), newPlaces()
	p.mu.sensors = map[collect.Key]*collect.Pod{}
	return p
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

// change follows what the source says of pods.
func (p *pods) change(ch collect.Change) {
	if ch.Kind != "Pod" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch ch.Op {
	case collect.Put:
		p.put(ch.Object.(*collect.Pod))
	case collect.Gone:
		p.gone(p.mu.now.pods[ch.Key])
	case collect.Resynced:
		for key, pod := range p.mu.now.pods {
			if _, kept := ch.Keys[key]; !kept {
				p.gone(pod)
			}
		}
	}
}

// all takes the facts of an earlier run.
func (p *pods) all(f *collect.Facts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pod := range f.Pods {
		p.put(pod)
	}
}

// put is called with the lock held, as is gone.
func (p *pods) put(pod *collect.Pod) {
	if old := p.mu.now.pods[pod.Key]; old != nil {
		if !slices.Equal(old.ContainerIDs, pod.ContainerIDs) || old.UID != pod.UID {
			p.remember(old) // a container that was restarted had another id
		}
		p.mu.now.drop(old)
	}
	p.mu.now.put(pod)
	if delete(p.mu.sensors, pod.Key); isSensor(pod) {
		p.mu.sensors[pod.Key] = pod
	}
}

func (p *pods) gone(pod *collect.Pod) {
	if pod != nil {
		p.mu.now.drop(pod)
		delete(p.mu.sensors, pod.Key)
		p.remember(pod)
	}
}

func (p *pods) remember(pod *collect.Pod) {
	if now := time.Now(); now.Sub(p.mu.turned) > rememberFor || len(p.mu.before.pods) >= maxGone {
		p.mu.earlier, p.mu.before, p.mu.turned = p.mu.before, newPlaces(), now
	}
	p.mu.before.put(pod)
}

// find gives the pod, and the container's position in it or -1. The uid of a pod
// names it even where the container's id was not told yet.
func (p *pods) find(id, uid string) (pod *collect.Pod, at int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, p := range []places{p.mu.now, p.mu.before, p.mu.earlier} {
		if pod = p.ids[id]; pod != nil {
			return pod, slices.Index(pod.ContainerIDs, id)
		}
	}
	for _, p := range []places{p.mu.now, p.mu.before, p.mu.earlier} {
		if pod = p.uids[uid]; pod != nil {
			return pod, -1
		}
	}
	return nil, -1
}
