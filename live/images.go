package live

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/segment"
)

// images is what live was told of images. It is drawn in the shared graph first and
// known to clusters then, so that a cluster is never computed on less than it knows.
type images struct {
	told chan assess.Changes
	// published says that a cluster may show other images than before.
	published chan struct{}
	mu        struct {
		sync.Mutex
		means map[assess.Key]string
		// there are the images that are; the assessment is nil where only a registry
		// lists the image.
		there map[string]*assess.Assessment
		// gone are images that leave the graph when no cluster shows them any more.
		gone map[string]bool
	}
}

func newImages() *images {
	i := &images{told: make(chan assess.Changes), published: make(chan struct{}, 1)}
	i.mu.means, i.mu.there, i.mu.gone = map[assess.Key]string{}, map[string]*assess.Assessment{}, map[string]bool{}
	return i
}

// known is what is known of the images that one cluster uses. It never changes.
type known struct {
	means       map[assess.Key]string
	assessments map[string]*assess.Assessment
	// machines is what is known of what the nodes report, by their names.
	machines map[string]*assess.Assessment
}

// image is the id of the image that a use means.
func (k *known) image(u assess.Use) string {
	if id := k.means[u.Key()]; id != "" {
		return id
	}
	return u.ID
}

// of gathers what is known of uses; whole is false while something is still to be told.
func (i *images) of(uses []assess.Use) (k known, whole bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	k = known{means: make(map[assess.Key]string, len(uses)), assessments: make(map[string]*assess.Assessment, len(uses))}
	for _, u := range uses {
		id := i.mu.means[u.Key()]
		a := i.mu.there[id]
		if a == nil {
			return known{}, false
		}
		k.means[u.Key()], k.assessments[id] = id, a
	}
	return k, true
}

// take notes what is different.
func (i *images) take(c assess.Changes) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, img := range c.Images {
		delete(i.mu.gone, img.ID)
		switch {
		case img.Use == nil:
			i.mu.there[img.ID] = nil
		case img.Assessment != nil:
			i.mu.there[img.ID] = img.Assessment
		}
	}
	for _, id := range c.Gone {
		delete(i.mu.there, id)
		i.mu.gone[id] = true
	}
	for key, id := range c.Means {
		if id == "" {
			delete(i.mu.means, key)
		} else {
			i.mu.means[key] = id
		}
	}
}

// publish notes which images a cluster shows now: one that went meanwhile goes later.
func (i *images) publish(uses []assess.Use) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, u := range uses {
		if _, there := i.mu.there[u.ID]; !there {
			i.mu.gone[u.ID] = true
		}
	}
	select {
	case i.published <- struct{}{}:
	default:
	}
}

// leaving are the images that are gone and that the world does not show.
func (i *images) leaving(w *World) (out []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for id := range i.mu.gone {
		shown := false
		for _, c := range w.Clusters {
			_, shows := slices.BinarySearchFunc(c.images, id, func(u assess.Use, id string) int { return strings.Compare(u.ID, id) })
			shown = shown || shows
		}
		if !shown {
			out = append(out, id)
			delete(i.mu.gone, id)
		}
	}
	return out
}

// Assessed takes what is different of images. It waits while earlier changes are
// drawn.
func (l *Live) Assessed(ctx context.Context, c assess.Changes) {
	select {
	case l.images.told <- c:
	case <-ctx.Done():
	}
}

// draw takes over what is told of images until ctx ends, and throttles itself as
// clusters do.
func (l *Live) draw(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.images.published:
			if l.leave() {
				l.refresh([]string{"Image"})
			}
		case c := <-l.images.told:
			started := time.Now()
			l.redraw(c)
			for _, user := range l.clusters {
				if slices.Contains(c.Clusters, user.source.Name) {
					user.poked(ctx, "Image")
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(cooldown * time.Since(started)):
			}
		}
	}
}

// redraw brings the shared graph up to date and makes a new world on it.
func (l *Live) redraw(c assess.Changes) {
	l.shared.each(len(c.Images), func(s *graph.Shared, n int) { segment.PutImage(s, c.Images[n]) })
	l.images.take(c)
	l.leave()
	if len(c.Images)+len(c.Gone) > 0 {
		l.refresh([]string{"Image", "Registry"})
	}
}

// leave takes images from the graph that nothing has and nothing shows any more. Only
// who draws does it: an image that comes back is drawn after it left.
func (l *Live) leave() bool {
	ids := l.images.leaving(l.World())
	l.shared.each(len(ids), func(s *graph.Shared, n int) { s.Remove("Image", ids[n]) })
	return len(ids) > 0
}
