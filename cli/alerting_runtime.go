package cli

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

// ahead is how far a node's clock may be before ours. Beyond it the time of
// receipt counts: an alert of next year would swallow all until then.
const ahead = 5 * time.Minute

// runtime decodes what a sensor sent, and notes which of its records came.
func (a *alerting) runtime(ctx context.Context, b ingest.Batch) (events []event.Event, err error) {
	d := runtime.Decoder{Cluster: b.Cluster, Place: func(c *runtime.Container) (runtime.Place, bool) { return a.context.Place(b.Cluster, c) }}
	var came []store.RunCame
	err = d.Read(bytes.NewReader(b.Lines), func(part *runtime.Batch) error {
		events = append(events, part.Events...)
		for run, sequences := range part.Came {
			came = append(came, store.RunCame{Node: run.Node, Boot: run.Boot, Sequences: sequences})
		}
		for _, r := range part.Rejected {
			a.unread(b, 1, r.Position, r.Why)
		}
		a.unread(b, part.Dropped, 0, "")
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range events {
		if e := &events[i]; e.Time.After(b.Received.Add(ahead)) {
			e.Time = b.Received.UTC()
		}
	}
	if err := a.store.Received(ctx, b.Cluster, b.Received, came...); err != nil {
		return nil, fmt.Errorf("%w: %w", ingest.ErrLater, err)
	}
	return events, nil
}

const (
	// askEvery is how often the cluster is asked for pods that were not known yet.
	askEvery = 2 * time.Second
	// told is how long after a container started its pod's status may take to say so.
	told = 2 * time.Minute
)

// complete names the pods of alerts whose containers the cluster had not told of
// when they were made, for as long as an alert is open.
func (a *alerting) complete(ctx context.Context) {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := a.say(ctx, func(e *detect.Engine) []detect.Alert { return e.Complete("Container", a.whereIs) })
		if err != nil && ctx.Err() == nil {
			a.log.Warn("cannot store what became known of alerts; trying again", "error", err)
		}
	}
}

// whereIs names a container with its pod; where no pod has it, it says so when
// the kubelet has had its time.
func (a *alerting) whereIs(of *detect.Alert, e event.Entity) (instead []event.Entity, said string) {
	p, known := a.context.Place(of.Cluster, &runtime.Container{ID: e.Detail})
	if known {
		return p.Entities(e.Detail), fmt.Sprintf("The container %s is %s of the pod %s/%s, image %s.", e.Name, p.Container, p.Namespace, p.Pod, p.Image)
	}
	if e.Namespace != "" || time.Since(of.First) < told { // its pod is known, or may be soon
		return nil, ""
	}
	if why := a.context.Knows(of.Cluster); why != "" {
		return nil, fmt.Sprintf("Which pod the container %s belongs to is not known: %s.", e.Name, why)
	}
	return nil, fmt.Sprintf("No pod of the cluster has the container %s: it was started past Kubernetes, or its pod was gone before it was seen.", e.Name)
}
