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
	told     bool // reported() was called
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
		if errors.Is(err, errRoom) {
			_ = sleep(ctx, jitter(r.w.cfg.RetryDenied)) // more may go meanwhile
			continue
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
	if r.failures++; serverAnswered(err) && r.failures >= 4 {
		r.gap(err)
	}
}

// serverAnswered says that the server said something to the request, though nothing of use: one that cannot be reached is
// told of as a whole, and one that does not know us too.
func serverAnswered(err error) bool {
	return !errors.As(err, new(*url.Error)) && !unauthorized(err)
}

func (r *reader) gap(err error) {
	r.w.budget.refused(r, err)
	r.report()
}

func (r *reader) readable() {
	r.failures = 0
	r.refusal.reset()
	r.w.budget.readable(r)
	r.report()
}

func (r *reader) report() {
	if !r.told {
		r.told = true
		r.w.reported()
	}
}

func (r *reader) removed() {
	r.w.budget.begins(r.kind.name)
	r.listed("")
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

// pages reads a list page by page. Who makes large objects makes large pages: one beyond its bound is asked for in smaller ones.
func (r *reader) pages(ctx context.Context, limit int64) (string, error) {
	r.w.budget.begins(r.kind.name)
	for next, pages := "", 0; ; {
		p, err := r.page(ctx, limit, next)
		if errors.Is(err, errBound) && limit > 1 {
			limit = max(1, limit/8)
			continue
		}
		if err != nil {
			return "", err
		}
		for _, o := range p.items {
			r.put(o)
		}
		if next = p.more; next == "" {
			r.listed(p.version)
			return p.version, nil
		}
		if pages++; pages >= maxPages {
			return "", fmt.Errorf("want a list of at most %d pages: %w", maxPages, errBound)
		}
	}
}

// page reads one page, or the whole list where there is no limit.
func (r *reader) page(ctx context.Context, limit int64, next string) (page, error) {
	if limit > 0 {
		ctx = within(ctx, maxPage)
	}
	return r.src.list(ctx, metav1.ListOptions{Limit: limit, Continue: next})
}

// listed says that the list was read whole.
func (r *reader) listed(version string) {
	r.w.budget.ends(r.kind.name, version)
	r.w.budget.reportNow(r.kind.name)
}

// put tells an object. Whether it differs in anything that we keep is for the facts
// to say, which know it as it was.
func (r *reader) put(o object) {
	stripped, kept := r.kind.cut(r.w.strip, o)
	if !kept {
		r.gone(keyOf(o))
		return
	}
	r.w.budget.put(r.kind.name, keyOf(o), stripped)
}

func (r *reader) gone(key collect.Key) { r.w.budget.gone(r.kind.name, key) }

// errRoom is of a watch that is left because there is room for objects that were not kept.
var errRoom = errors.New("there is room for more objects")

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
		case r.w.budget.again(r.kind.name):
			return errRoom
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
			r.put(o)
		}
		if e.Type == watch.Deleted && r.w.budget.again(r.kind.name) {
			return nil
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
	r.w.budget.begins(r.kind.name)
	for _, ns := range list.Items {
		names, err := r.w.client.secretNames(ctx, ns.Name, r.w.cfg.Page)
		if err != nil {
			return err
		}
		for _, s := range names {
			r.w.budget.put(r.kind.name, s.Key, s)
		}
	}
	r.listed("")
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
