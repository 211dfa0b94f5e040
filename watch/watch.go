// Package watch puts together what keeps a World current: the clusters' live picture,
// the queue of images that they use, and the connected registries. It knows how the
// three belong together and nothing of what they do.
package watch

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/registries"
)

// Watch is the three parts.
type Watch struct {
	Live       *live.Live
	Images     *assess.Assessor
	Registries *registries.Watcher
}

// Config is what each part is given. What the parts give each other is set by New.
type Config struct {
	Live       live.Config
	Images     assess.Config
	Registries registries.Config
	Sources    []live.Source
}

// New makes the parts and joins them.
func New(c Config) (w *Watch, err error) {
	w = &Watch{Images: assess.New(c.Images)}
	c.Live.Images, c.Registries.Images = w.Images, w.Images
	c.Registries.Changed = func() { w.Live.SetRegistryGaps(w.Registries.Gaps) }
	w.Registries = registries.New(c.Registries)
	w.Live, err = live.New(c.Live, c.Sources)
	return w, err
}

// Resume takes up what an earlier run left, before Run.
func (w *Watch) Resume(ctx context.Context) error {
	return errors.Join(w.Images.Resume(ctx), w.Registries.Resume(ctx))
}

// Run keeps the World current until ctx ends or a part fails.
func (w *Watch) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return w.Live.Run(ctx) })
	g.Go(func() error { return w.Images.Run(ctx, w.Live.Assessed) })
	g.Go(func() error { return w.Registries.Run(ctx) })
	return g.Wait()
}
