package assess

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/breakwater-sec/breakwater/image"
)

const (
	// resolveWithin bounds the wait for registries before a cluster is shown.
	resolveWithin = 10 * time.Second
	// askedAtOnce bounds the questions to registries.
	askedAtOnce = 8
)

// resolver asks registries for the digests behind references that no node will
// resolve: those of pods that manifests would make.
type resolver struct {
	ask  func(ctx context.Context, ref image.Reference) (string, error)
	wake chan struct{}
	mu   *sync.Mutex
	refs map[string]*resolution
}

type resolution struct {
	tried    bool
	done     bool
	failures int
	again    time.Time
}

func newResolver(ask func(context.Context, image.Reference) (string, error)) resolver {
	return resolver{ask, make(chan struct{}, 1), &sync.Mutex{}, map[string]*resolution{}}
}

// want lets a reference be resolved.
func (r *resolver) want(ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ask == nil || r.refs[ref] != nil {
		return
	}
	r.refs[ref] = &resolution{}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// answered says that nothing is known by waiting: the digest is known, or is not to
// be had for now.
func (r *resolver) answered(ref string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ask == nil || r.refs[ref] != nil && r.refs[ref].tried
}

// forget ends the asking for a reference that did not resolve.
func (r *resolver) forget(ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.refs[ref]; known != nil && !known.done {
		delete(r.refs, ref)
	}
}

// run resolves what is wanted until ctx ends.
func (r *resolver) run(ctx context.Context, tell func(ref, digest string)) {
	for {
		wait := time.Hour
		if next, some := r.next(); some {
			wait = time.Until(next)
		}
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		case <-time.After(wait):
		}
		r.once(ctx, tell)
	}
}

func (r *resolver) next() (at time.Time, some bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, known := range r.refs {
		if !known.done && (!some || known.again.Before(at)) {
			at, some = known.again, true
		}
	}
	return at, some
}

// once asks for everything that is due. A reference that is not answered stays known
// by its name: reading it says why.
func (r *resolver) once(ctx context.Context, tell func(ref, digest string)) {
	within, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	var g errgroup.Group
	g.SetLimit(askedAtOnce)
	for _, ref := range r.due(time.Now()) {
		g.Go(func() error {
			digest, err := r.digest(within, ref)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				digest = ""
			}
			r.note(ref, digest)
			tell(ref, digest)
			return nil
		})
	}
	_ = g.Wait() // no func returns an error
}

func (r *resolver) digest(ctx context.Context, reference string) (string, error) {
	ref, err := image.ParseReference(reference)
	if err != nil {
		return "", err
	}
	return r.ask(ctx, ref)
}

func (r *resolver) due(now time.Time) (refs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ref, known := range r.refs {
		if !known.done && !now.Before(known.again) {
			refs = append(refs, ref)
		}
	}
	return refs
}

func (r *resolver) note(ref, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known := r.refs[ref]
	if known == nil {
		return // nobody wants it any more
	}
	known.tried, known.done = true, digest != ""
	known.again = time.Now().Add(RetryAfter(known.failures))
	known.failures++
}
