package scope

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/store"
)

// Subscribe yields an event for every picture that is new to the asker until ctx
// ends. To somebody who does not see everything it says what is different in what
// they see, and nothing when that is nothing: it is worked out from what they see.
func (r *Reader) Subscribe(ctx context.Context) <-chan live.Event {
	events := r.unscoped.config.Picture.Subscribe(ctx)
	if r.All() {
		return events
	}
	out := make(chan live.Event, 1)
	before, alerts := r.prints(), r.alertPrint(ctx)
	go func() { // ends with events, which end with ctx
		defer close(out)
		for e := range events {
			now := r.unscoped.For(r.scope)
			later := now.prints()
			told := later.since(before)
			if slices.Contains(e.Kinds, "Alert") {
				if a := now.alertPrint(ctx); a != alerts {
					alerts = a
					told.Kinds = append(told.Kinds, "Alert")
				}
			}
			before = later
			if len(told.Kinds) == 0 {
				continue
			}
			told.Version = now.Version
			select {
			case out <- told:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// prints tell what is seen of each kind in each cluster from what was seen before.
type prints map[print]uint64

type print struct{ cluster, kind string }

var seed = maphash.MakeSeed()

func (w *World) prints() prints { return Once(w, w.print) }

func (w *World) print() prints {
	out := prints{}
	for _, k := range schema.Kinds() {
		for n := range w.View.Nodes(k.Name) {
			out[print{n.Cluster(), k.Name}] += node(n, k) // in any order
		}
	}
	for _, c := range w.Ordered() {
		out.of(c.Name, "AttackPath", c.Open)
		out.of(c.Name, "Gap", c.Gaps)
		out.of(c.Name, "Cluster", []any{c.State, c.AsOf, c.Info, c.Counts})
	}
	return out
}

func (p prints) of(cluster, kind string, what any) {
	b, err := json.Marshal(what)
	if err != nil {
		panic(err) // what is shown can be written
	}
	p[print{cluster, kind}] += maphash.Bytes(seed, b)
}

func node(n graph.Node, k schema.Kind) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(n.ID())
	for _, p := range k.Properties {
		fmt.Fprintf(&h, "\x00%s", n.Value(p.Name))
	}
	sum := h.Sum64()
	for e := range n.Out("") {
		h.Reset()
		fmt.Fprintf(&h, "%s\x00%s\x00%s", n.ID(), e.Kind(), e.To.ID())
		kind, _ := schema.EdgeNamed(e.Kind())
		for _, p := range kind.Properties {
			fmt.Fprintf(&h, "\x00%s", e.Value(p.Name))
		}
		sum += h.Sum64()
	}
	return sum
}

// since says what is different.
func (p prints) since(before prints) (e live.Event) {
	var clusters []string
	differs := func(k print) {
		if p[k] != before[k] {
			clusters, e.Kinds = append(clusters, k.cluster), append(e.Kinds, k.kind)
		}
	}
	for k := range p {
		differs(k)
	}
	for k := range before {
		differs(k)
	}
	slices.Sort(e.Kinds)
	slices.Sort(clusters)
	e.Kinds = slices.Compact(e.Kinds)
	if clusters = slices.Compact(clusters); len(clusters) == 1 {
		e.Cluster = clusters[0]
	}
	return e
}

// alertPrint is of the alerts that were seen last. One that cannot be read is
// like no other: the page that asks will say why.
func (r *Reader) alertPrint(ctx context.Context) uint64 {
	page, _, err := r.Alerts(ctx, store.AlertFilter{}, "", pastPage)
	counts, err2 := r.CountAlerts(ctx, store.AlertFilter{})
	p := prints{}
	p.of("", "", []any{page, counts, fmt.Sprint(err, err2)})
	return p[print{}]
}
