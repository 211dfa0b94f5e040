package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/segment"
)

// Reader assesses at once what a cluster uses.
type Reader interface {
	Read(ctx context.Context, cluster string, uses []assess.Use) assess.Changes
	Machines
}

// Once computes clusters that nobody watches: the command line's way to the same
// World. Nothing is stored.
func Once(ctx context.Context, rules *analyse.Rules, images Reader, facts []*collect.Facts) (*World, error) {
	l, err := New(Config{Rules: rules, Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range facts {
		if names[f.Cluster.Name] {
			return nil, fmt.Errorf("two clusters are named %q: name one with --from NAME=…", f.Cluster.Name)
		}
		names[f.Cluster.Name] = true
		uses := segment.Images(f)
		l.redraw(images.Read(ctx, f.Cluster.Name, uses))
		known, whole := l.images.of(uses)
		if !whole {
			return nil, fmt.Errorf("read the images of cluster %s: %w", f.Cluster.Name, cmp.Or(ctx.Err(), errors.New("not all were assessed")))
		}
		known.machines = machinesOf(f, images)
		now, err := l.compute(ctx, f, known, nil)
		if err != nil {
			return nil, err
		}
		now.State = Current
		now.Open = lives{}.join(now, nil)
		l.put(now, nil)
	}
	return l.World(), nil
}
