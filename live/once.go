package live

import (
	"context"
	"fmt"

	"github.com/breakwater-sec/breakwater/collect"
)

// Once computes clusters that nobody watches: the command line's way to the same
// World. Nothing is stored; images are read if the configuration can.
func Once(ctx context.Context, c Config, facts []*collect.Facts) (*World, error) {
	l, err := prepare(c, nil)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range facts {
		if names[f.Cluster.Name] {
			return nil, fmt.Errorf("two clusters are named %q: name one with --from NAME=…", f.Cluster.Name)
		}
		names[f.Cluster.Name] = true
		now, err := l.compute(ctx, f, nil)
		if err != nil {
			return nil, err
		}
		if l.images.scanAll(ctx, now.images) { // what is in them was not known before
			if now, err = l.compute(ctx, f, nil); err != nil {
				return nil, err
			}
		}
		now.State = Current
		l.put(now, nil)
	}
	return l.World(), nil
}
