package live

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/collect"
)

const (
	// resolveWithin bounds the wait for registries before a cluster is shown.
	resolveWithin = 10 * time.Second
	// unresolvedFor is how long a registry that did not answer is left alone.
	unresolvedFor = time.Minute
)

// resolver knows the digests behind references.
type resolver struct {
	ask func(ctx context.Context, ref string) (string, error)
	mu  *sync.Mutex
	// digests by reference; empty where the registry did not say, until then.
	digests map[string]string
	again   map[string]time.Time
}

func newResolver(ask func(context.Context, string) (string, error)) resolver {
	return resolver{ask, &sync.Mutex{}, map[string]string{}, map[string]time.Time{}}
}

// resolve gives the pods that manifests would make the digests that a node would
// find: their images are then the same as those that run elsewhere. Called by
// the owner of the facts; a pod's images are replaced, never changed in place.
func (i *images) resolve(ctx context.Context, f *collect.Facts) {
	if i.resolver.ask == nil {
		return
	}
	want := map[string]bool{}
	for _, p := range f.Pods {
		if p.Made && p.Images == nil {
			for _, c := range p.Shape.Containers {
				want[c.Image] = true
			}
		}
	}
	if len(want) == 0 {
		return
	}
	i.resolver.fill(ctx, want)
	made := map[*collect.PodShape]*collect.Images{}
	for key, p := range f.Pods {
		if !p.Made || p.Images != nil {
			continue
		}
		if made[p.Shape] == nil {
			made[p.Shape] = i.resolver.images(p.Shape)
		}
		if ids := made[p.Shape]; ids != nil {
			resolved := *p
			resolved.Images = ids
			f.Pods[key] = &resolved
		}
	}
}

// fill asks for the references that are not known, several at once.
func (r *resolver) fill(ctx context.Context, want map[string]bool) {
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(8)
	for ref := range want {
		r.mu.Lock()
		skip := r.digests[ref] != "" || time.Now().Before(r.again[ref]) || strings.Contains(ref, "@")
		r.mu.Unlock()
		if skip {
			continue
		}
		g.Go(func() error {
			digest, err := r.ask(ctx, ref)
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.again[ref] = time.Now().Add(unresolvedFor)
				return nil // it stays known by its name; reading it says why
			}
			r.digests[ref] = digest
			return nil
		})
	}
	_ = g.Wait() // no func returns an error
}

// images are the ids a node would report, nil while any is unknown.
func (r *resolver) images(s *collect.PodShape) *collect.Images {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &collect.Images{}
	for _, c := range s.Containers {
		digest := r.digests[c.Image]
		if digest == "" {
			return nil
		}
		repo := c.Image
		if at := strings.LastIndex(repo, ":"); at > strings.LastIndex(repo, "/") {
			repo = repo[:at]
		}
		out.IDs = append(out.IDs, repo+"@"+digest)
	}
	return out
}
