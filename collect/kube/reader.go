package kube

import (
	"context"
	"errors"
	"math/rand/v2"
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

func (r *reader) run(ctx context.Context) {
	defer r.ended.Store(true)
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
	var status apierrors.APIStatus
	if r.failures++; errors.As(err, &status) && !unauthorized(err) && r.failures >= 4 {
		r.gap(err)
	}
	_ = wait.sleep(ctx)
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
	for next := ""; ; {
		p, err := r.src.list(ctx, metav1.ListOptions{Limit: limit, Continue: next})
		if err != nil {
			return "", err
		}
		for _, o := range p.items {
			if key, kept := r.put(o); kept {
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
			delete(r.known, k)
		}
	}
	r.w.emit(collect.Change{Op: collect.Resynced, Kind: r.kind.name, Keys: seen, Version: version})
}

// put tells an object. Whether it differs in anything that we keep is for the facts
// to say, which know it as it was.
func (r *reader) put(o object) (key collect.Key, kept bool) {
	stripped, kept := r.kind.cut(r.w.strip, o)
	key = keyOf(o)
	if !kept {
		r.gone(key)
		return key, false
	}
	r.known[key] = struct{}{}
	r.w.emit(collect.Change{Op: collect.Put, Kind: r.kind.name, Key: key, Object: stripped})
	return key, true
}

func (r *reader) gone(key collect.Key) {
	if _, known := r.known[key]; known {
		delete(r.known, key)
		r.w.emit(collect.Change{Op: collect.Gone, Kind: r.kind.name, Key: key})
	}
}

// follow watches from a version on, through as many watches as it takes, until
// the server has forgotten the version or keeps refusing.
func (r *reader) follow(ctx context.Context, version string) error {
	wait := backoff{max: 10 * time.Second}
	for {
		seconds := int64(300 + rand.IntN(300))
		wi, err := r.src.watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true, TimeoutSeconds: &seconds})
		if err == nil {
			r.readable()
			r.watching.Store(true)
			began := time.Now()
			err = r.events(wi, &version)
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
			var status apierrors.APIStatus
			if r.failures++; errors.As(err, &status) && !unauthorized(err) && r.failures >= 4 {
				r.gap(err)
			}
		}
		if err := wait.sleep(ctx); err != nil {
			return err
		}
	}
}

// events applies what a watch sends until it ends. version follows along.
func (r *reader) events(wi watch.Interface, version *string) error {
	defer wi.Stop()
	for e := range wi.ResultChan() {
		if e.Type == watch.Error {
			return apierrors.FromObject(e.Object)
		}
		if m, err := meta.Accessor(e.Object); err == nil && m.GetResourceVersion() != "" {
			*version = m.GetResourceVersion()
		}
		o := r.src.object(e.Object)
		switch {
		case e.Type == watch.Bookmark || o == nil:
		case e.Type == watch.Deleted:
			r.gone(keyOf(o))
		default:
			r.put(o)
		}
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
			seen[s.Key] = struct{}{}
			r.known[s.Key] = struct{}{}
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
