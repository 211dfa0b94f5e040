package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
)

const (
	// askEvery is how often the cluster is asked for pods that were not known yet.
	askEvery = 2 * time.Second
	// told is how long after a container started its pod's status may take to say so.
	told = 2 * time.Minute
)

// complete names the pods of alerts whose containers the cluster had not told of
// when they were made, for as long as an alert is open.
func (l *lane) complete(ctx context.Context, w *work) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	l.half = true
	if w.alerts = l.engine.Complete("Container", l.whereIs); len(w.alerts) == 0 {
		l.half = false
		return nil
	}
	if err := l.correlate(w); err != nil {
		return err
	}
	return l.finish(ctx, w)
}

// whereIs names a container with its pod; where no pod has it, it says so when
// the kubelet has had its time.
func (l *lane) whereIs(of *detect.Alert, e event.Entity) (instead []event.Entity, said string) {
	p, known := l.config.Clusters.Place(of.Cluster, &runtime.Container{ID: e.Detail})
	if elsewhere := p.Node; known && elsewhere != "" && !slices.ContainsFunc(of.Entities, func(e event.Entity) bool {
		return e.Kind == "Node" && e.Role != event.Related && e.Name == elsewhere
	}) {
		return nil, fmt.Sprintf("The sensor of another node spoke of the container %s: the cluster runs its pod %s/%s on the node %s. "+
			"It is not taken to be that pod's.", e.Name, p.Namespace, p.Pod, elsewhere)
	}
	if known {
		return p.Entities(e.Detail), fmt.Sprintf("The container %s is %s of the pod %s/%s, image %s.", e.Name, p.Container, p.Namespace,
			p.Pod, p.Image)
	}
	if e.Namespace != "" || time.Since(of.First) < told { // its pod is known, or may be soon
		return nil, ""
	}
	if why := l.config.Clusters.Knows(of.Cluster); why != "" {
		return nil, fmt.Sprintf("Which pod the container %s belongs to is not known: %s.", e.Name, why)
	}
	return nil, fmt.Sprintf("No pod of the cluster has the container %s: it was started past Kubernetes, or its pod was "+
		"gone before it was seen.", e.Name)
}
