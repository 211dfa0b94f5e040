package scope

import (
	"context"
	"slices"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/store"
)

// Images is what is known of images beyond the graph.
type Images interface {
	Images() map[string]assess.Image
	Assessment(ctx context.Context, id string) *assess.Assessment
	Inventory(ctx context.Context, id string) (*image.Inventory, error)
	Retry(ctx context.Context, id string) (bool, error)
}

// Images lists where the assessment of each image stands, by id.
func (r *Reader) Images() map[string]assess.Image {
	all := r.unscoped.config.Images.Images()
	if r.All() {
		return all
	}
	out := map[string]assess.Image{}
	for n := range r.View.Nodes("Image") {
		if i, known := all[n.ID()]; known {
			out[i.ID] = i
		}
	}
	return out
}

// Inventory is what was read of an image.
func (r *Reader) Inventory(ctx context.Context, id string) (*image.Inventory, error) {
	if _, there := r.View.Node("Image", id); !there {
		return nil, nil
	}
	return r.unscoped.config.Images.Inventory(ctx, id)
}

// Assessed is what is known of an image; nil if it is not seen.
func (r *Reader) Assessed(ctx context.Context, id string) *assess.Assessment {
	if _, there := r.View.Node("Image", id); !there {
		return nil
	}
	return r.unscoped.config.Images.Assessment(ctx, id)
}

// ImageGaps are what could not be said of an image.
func (r *Reader) ImageGaps(ctx context.Context, id string) []collect.Gap {
	if a := r.Assessed(ctx, id); a != nil {
		return a.Gaps
	}
	return nil
}

// Retry reads an image again now, for who sees everything.
func (r *Reader) Retry(ctx context.Context, id string) (bool, error) {
	if err := r.admin(); err != nil {
		return false, err
	}
	return r.unscoped.config.Images.Retry(ctx, id)
}

// Registries is what is known of connected registries, and can be done about them.
type Registries interface {
	Registries() []registries.Registry
	Connect(ctx context.Context, what collect.Registry) error
	Disconnect(ctx context.Context, host string) error
	Check(ctx context.Context, what collect.Registry) (p []collect.Permission, who, from string, err error)
	Preview(ctx context.Context, what collect.Registry) (collect.Preview, error)
	Reread(host string) error
}

// Queue is what the store knows of images in registries.
type Queue interface {
	CountRegistry(ctx context.Context, host string) (store.RegistryCounts, error)
	RegistryImages(ctx context.Context, f store.RegistryFilter, cursor string, limit int) ([]store.RegistryImage, int, string, error)
	Places(ctx context.Context, host, id string) ([]registries.Tag, error)
}

// Administer is what can be done about registries, for who sees everything.
func (r *Reader) Administer() (Registries, error) {
	return r.unscoped.config.Registries, r.admin()
}

// Registries lists the connected registries. Who does not see everything sees those
// that images they see come from, and whether each can be read.
func (r *Reader) Registries() (out []registries.Registry) {
	all := r.unscoped.config.Registries.Registries()
	if r.All() {
		return all
	}
	for _, g := range all {
		if _, there := r.View.Node("Registry", g.Host); there {
			part := registries.Registry{State: g.State, LastReadAt: g.LastReadAt, NextReadAt: g.NextReadAt, CheckedAt: g.CheckedAt}
			part.Host, part.From, part.Insecure = g.Host, g.From, g.Insecure
			out = append(out, part)
		}
	}
	return out
}

// RegistryNow is one of the registries.
func (r *Reader) RegistryNow(host string) (registries.Registry, bool) {
	all := r.Registries()
	if i := slices.IndexFunc(all, func(g registries.Registry) bool { return g.Host == host }); i >= 0 {
		return all[i], true
	}
	return registries.Registry{}, false
}

// CountRegistry counts what a registry holds.
func (r *Reader) CountRegistry(ctx context.Context, host string) (store.RegistryCounts, error) {
	if r.All() {
		return r.unscoped.config.Records.CountRegistry(ctx, host)
	}
	c := store.RegistryCounts{Images: map[string]int{}}
	repositories := map[string]struct{}{}
	all, err := r.registryImages(ctx, store.RegistryFilter{Host: host})
	if err != nil {
		return c, err
	}
	for _, i := range all {
		places, err := r.Places(ctx, host, i.ID)
		if err != nil {
			return c, err
		}
		for _, p := range places {
			repositories[p.Repository] = struct{}{}
			c.Tags++
		}
		c.Images[i.State]++
	}
	c.Repositories = len(repositories)
	return c, nil
}

// registryImages is all images of a registry that fit and are seen, by name.
func (r *Reader) registryImages(ctx context.Context, f store.RegistryFilter) (out []store.RegistryImage, err error) {
	for cursor := ""; ; {
		page, _, next, err := r.unscoped.config.Records.RegistryImages(ctx, f, cursor, pastPage)
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if _, seen := r.View.Node("Image", i.ID); seen {
				out = append(out, i)
			}
		}
		if cursor = next; next == "" {
			return out, nil
		}
	}
}

// RegistryImages lists images of a registry by name.
func (r *Reader) RegistryImages(
	ctx context.Context, f store.RegistryFilter, cursor string, limit int,
) (page []store.RegistryImage, total int, next string, err error) {
	if r.All() {
		return r.unscoped.config.Records.RegistryImages(ctx, f, cursor, limit)
	}
	all, err := r.registryImages(ctx, f)
	if err != nil {
		return nil, 0, "", err
	}
	page, next, err = pageOf(all, cursor, limit, func(i store.RegistryImage) string { return i.ID })
	return page, len(all), next, err
}

// Places is every tag of a registry that stands for an image that is seen.
func (r *Reader) Places(ctx context.Context, host, id string) ([]registries.Tag, error) {
	if _, seen := r.View.Node("Image", id); !seen && !r.All() {
		return nil, nil
	}
	return r.unscoped.config.Records.Places(ctx, host, id)
}

// Pods is which pods run an image, sorted by id.
func (w *World) Pods(image string) []graph.Node {
	return Once(w, func() map[string][]graph.Node {
		by := map[string][]graph.Node{}
		for image := range w.View.Nodes("Image") {
			seen := map[graph.Node]bool{}
			for use := range image.In("USES_IMAGE") {
				for run := range use.From.In("RUNS") {
					if !seen[run.From] {
						seen[run.From] = true
						by[image.ID()] = append(by[image.ID()], run.From)
					}
				}
			}
		}
		return by
	})[image]
}
