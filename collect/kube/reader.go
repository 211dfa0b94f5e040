package kube

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/breakwater-sec/breakwater/collect"
)

// reader follows one kind: list, watch from there, list again when the server
// has forgotten where we were.
type reader struct {
	w        *watcher
	kind     kind
	gv       schema.GroupVersion
	src      source
	known    map[collect.Key]struct{} // what was told
	told     bool                     // reported() was called
	failures int
	// refusal is short at first: an API server that has just started refuses what
	// it grants a second later, when it has read its bindings.
	refusal  backoff
	watching atomic.Bool
	gapped   atomic.Bool
	ended    atomic.Bool
}

// run reads the kind until ctx ends. What the server says ends nobody else's reading: if ours breaks off over it, that
// is a gap, and it begins anew after a while.
func (r *reader) run(ctx context.Context) {
	defer r.ended.Store(true)
	for ctx.Err() == nil {
		err := safely(func() error { r.read(ctx); return nil })
		if err == nil {
			return
		}
		var fault *broke
		if errors.As(err, &fault) {
			r.w.cfg.Log.Error("reading a kind broke off", "cluster", r.w.cfg.Name, "resource", r.kind.what(), "error", err, "stack", fault.stack)
		}
		r.watching.Store(false)
		r.gap(err)
		_ = sleep(ctx, jitter(r.w.cfg.RetryDenied))
	}
}

func (r *reader) read(ctx context.Context) {
	if r.kind.how == table {
		r.poll(ctx)
		return
	}
	var err error
	if r.src, err = r.w.client.source(&r.kind, r.gv); err != nil {
		r.gap(err)
		return
	}
	wait := backoff{max: 30 * time.Second}
	r.refusal.max = r.w.cfg.RetryDenied
	for ctx.Err() == nil {
		version, err := r.list(ctx)
		if err == nil {
			wait.reset()
			err = r.follow(ctx, version)
		}
		if expired(err) {
			r.w.cfg.Log.Debug("list again", "cluster", r.w.cfg.Name, "resource", r.kind.what(), "why", why(err))
			_ = wait.sleep(ctx)
			continue
		}
		if r.kind.optional && apierrors.IsNotFound(err) {
			r.removed() // the extension was uninstalled; discovery finds it again
			return
		}
		r.failed(ctx, err, &wait)
	}
}

// failed decides what an error means, tells it, and waits.
func (r *reader) failed(ctx context.Context, err error, wait *backoff) {
	if ctx.Err() != nil {
		return
	}
	if refused(err) {
		r.gap(err)
		_ = r.refusal.sleep(ctx)
		return
	}
	r.fails(err)
	_ = wait.sleep(ctx)
}

// fails counts a failure, and tells of a server that says nothing of use again and again.
func (r *reader) fails(err error) {
	if r.failures++; heard(err) && r.failures >= 4 {
		r.gap(err)
	}
}

// heard says that the server said something to the request, though nothing of use: one that cannot be reached is
// told of as a whole, and one that does not know us too.
func heard(err error) bool {
	return !errors.As(err, new(*url.Error)) && !unauthorized(err)
}

func (r *reader) gap(err error) {
	r.gapped.Store(true)
	r.w.openGap(r.kind.what(), why(err), r.kind.lost, r.kind.graph...)
	r.report()
}

func (r *reader) readable() {
	r.failures = 0
	r.refusal.reset()
	if r.gapped.Swap(false) {
		r.w.closeGap(r.kind.what())
	}
	r.report()
}

func (r *reader) report() {
	if !r.told {
		r.told = true
		r.w.reported()
	}
}

func (r *reader) removed() {
	r.resynced(map[collect.Key]struct{}{}, "")
	r.readable()
}

// list reads all pages of one moment. If the server forgets that moment half
// way, the second attempt asks for everything at once.
func (r *reader) list(ctx context.Context) (version string, err error) {
	select {
	case r.w.lists <- struct{}{}:
		defer func() { <-r.w.lists }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	version, err = r.pages(ctx, r.w.cfg.Page)
	if expired(err) {
		version, err = r.pages(ctx, 0)
	}
	if err == nil {
		r.readable()
	}
	return version, err
}

func (r *reader) pages(ctx context.Context, limit int64) (string, error) {
	seen := map[collect.Key]struct{}{}
	for next, pages := "", 0; ; pages++ {
		if pages >= maxPages {
			return "", fmt.Errorf("want a list of at most %d pages: %w", maxPages, errBound)
		}
		p, err := r.src.list(ctx, metav1.ListOptions{Limit: limit, Continue: next})
		if err != nil {
			return "", err
		}
		for _, o := range p.items {
			key, kept, err := r.put(o)
			if err != nil {
				return "", err
			}
			if kept {
				seen[key] = struct{}{}
			}
		}
		if next = p.more; next == "" {
			r.resynced(seen, p.version)
			return p.version, nil
		}
	}
}

func (r *reader) resynced(seen map[collect.Key]struct{}, version string) {
	for k := range r.known {
		if _, ok := seen[k]; !ok {
			r.forget(k)
		}
	}
	r.w.emit(collect.Change{Op: collect.Resynced, Kind: r.kind.name, Keys: seen, Version: version})
}

// put tells an object. Whether it differs in anything that we keep is for the facts
// to say, which know it as it was.
func (r *reader) put(o object) (key collect.Key, kept bool, err error) {
	stripped, kept := r.kind.cut(r.w.strip, o)
	key = keyOf(o)
	if !kept {
		r.gone(key)
		return key, false, nil
	}
	if err := r.knows(key); err != nil {
		return key, false, err
	}
	r.w.emit(collect.Change{Op: collect.Put, Kind: r.kind.name, Key: key, Object: stripped})
	return key, true, nil
}

// knows counts an object that was not known before, as long as there may be more.
func (r *reader) knows(key collect.Key) error {
	if _, known := r.known[key]; known {
		return nil
	}
	if r.w.objects.Add(1) > maxObjects {
		r.w.objects.Add(-1)
		return fmt.Errorf("want a cluster of at most %d objects: %w", maxObjects, errBound)
	}
	r.known[key] = struct{}{}
	return nil
}

func (r *reader) forget(key collect.Key) {
	delete(r.known, key)
	r.w.objects.Add(-1)
}

func (r *reader) gone(key collect.Key) {
	if _, known := r.known[key]; known {
		r.forget(key)
		r.w.emit(collect.Change{Op: collect.Gone, Kind: r.kind.name, Key: key})
	}
}

// follow watches from a version on, through as many watches as it takes, until
// the server has forgotten the version or keeps refusing.
func (r *reader) follow(ctx context.Context, version string) error {
	wait := backoff{max: 10 * time.Second}
	for {
		seconds := int64(300 + rand.IntN(300))
		counted, size := metered(ctx)
		wi, err := r.src.watch(counted, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true, TimeoutSeconds: &seconds})
		if err == nil {
			r.readable()
			r.watching.Store(true)
			began := time.Now()
			err = r.events(wi, size, &version)
			r.watching.Store(false)
			if time.Since(began) > time.Minute {
				wait.reset()
			}
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (expired(err) || refused(err)):
			return err
		case err != nil:
			r.fails(err)
		}
		if err := wait.sleep(ctx); err != nil {
			return err
		}
	}
}

// events applies what a watch sends until it ends. version follows along.
func (r *reader) events(wi watch.Interface, size *meter, version *string) error {
	defer wi.Stop()
	for e := range wi.ResultChan() {
		if e.Type == watch.Error && size.full() {
			break // the library says so in words of its own
		}
		if e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		size.read.Store(0)
		if m, err := meta.Accessor(e.Object); err == nil && m.GetResourceVersion() != "" {
			*version = m.GetResourceVersion()
		}
		o := r.src.object(e.Object)
		switch {
		case e.Type == watch.Bookmark || o == nil:
		case e.Type == watch.Deleted:
			r.gone(keyOf(o))
		default:
			if _, _, err := r.put(o); err != nil {
				return err
			}
		}
	}
	if size.full() {
		return fmt.Errorf("want events of at most %d MiB: %w", max(1, size.most>>20), errBound)
	}
	return nil
}

// poll lists the names of Secrets, namespace by namespace, now and then.
func (r *reader) poll(ctx context.Context) {
	for ctx.Err() == nil {
		err := r.secrets(ctx)
		if err != nil && ctx.Err() == nil {
			r.watching.Store(false)
			r.gap(err)
			_ = sleep(ctx, jitter(r.w.cfg.RetryDenied))
			continue
		}
		r.readable()
		r.watching.Store(true)
		_ = sleep(ctx, jitter(r.w.cfg.Rediscover))
	}
}

func (r *reader) secrets(ctx context.Context) error {
	list, err := r.w.client.meta.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).List(ctx,
		metav1.ListOptions{})
	if err != nil {
		return err
	}
	seen := map[collect.Key]struct{}{}
	for _, ns := range list.Items {
		names, err := r.w.client.secretNames(ctx, ns.Name, r.w.cfg.Page)
		if err != nil {
			return err
		}
		for _, s := range names {
			if err := r.knows(s.Key); err != nil {
				return err
			}
			seen[s.Key] = struct{}{}
			r.w.emit(collect.Change{Op: collect.Put, Kind: "Secret", Key: s.Key, Object: s})
		}
	}
	r.resynced(seen, "")
	return nil
}

// backoff doubles from half a second to max, with jitter.
type backoff struct{ next, max time.Duration }

func (b *backoff) reset() { b.next = 0 }

func (b *backoff) sleep(ctx context.Context) error {
	b.next = min(max(2*b.next, 500*time.Millisecond), b.max)
	return sleep(ctx, jitter(b.next))
}

func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
