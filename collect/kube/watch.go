package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/redact"
)

// watcher reads one cluster: a reader per kind, a probe for the connection.
type watcher struct {
	cfg     Config
	client  *client
	strip   *stripper
	lists   chan struct{} // bounds lists under way: each holds a page of whole objects
	pending atomic.Int32  // readers that have neither listed nor given up once
	down    atomic.Bool   // the connection gap is open
	budget  *budget       // of what is kept of all kinds
	readers sync.WaitGroup
	out     struct {
		sync.Mutex
		to func(collect.Change)
	}
	// by kind; touched by the discovering goroutine only
	running map[string]*reader
}

// Watch reads a cluster until ctx ends: every kind is listed and then watched.
// What happens is told to changes, one call at a time; a call that blocks holds
// collection back. What cannot be read becomes a gap and is tried again, so
// the only errors are those of Config and ctx.
func Watch(ctx context.Context, cfg Config, changes func(collect.Change)) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	cl, err := newClient(cfg)
	if err != nil {
		return err
	}
	w := &watcher{cfg: cfg, client: cl, strip: &stripper{cfg.Interner}, lists: make(chan struct{}, 3), running: map[string]*reader{}}
	w.out.to = changes
	w.budget = newBudget(cfg.Budget, w.emit)
	ctx, end := context.WithCancel(ctx)
	defer func() { end(); w.readers.Wait() }()
	return safely(func() error {
		if err := w.begin(ctx); err != nil {
			return err
		}
		return w.keep(ctx)
	})
}

func (w *watcher) emit(c collect.Change) {
	w.out.Lock()
	defer w.out.Unlock()
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	w.out.to(c)
}

func (w *watcher) openGap(what, why, consequence string, kinds ...string) {
	w.emit(collect.Change{Op: collect.GapOpen, Gap: &collect.Gap{Cluster: w.cfg.Name, Source: "api", What: what,
		Why: why, Consequence: consequence, Kinds: kinds, Since: time.Now()}})
}

func (w *watcher) closeGap(what string) {
	w.emit(collect.Change{Op: collect.GapClosed, Gap: &collect.Gap{Cluster: w.cfg.Name, Source: "api", What: what}})
}

// connection is the gap of a server that does not answer, or not to us.
const connection = "connection"

func (w *watcher) disconnected(err error) {
	if w.down.Swap(true) {
		return
	}
	var all []string
	seen := map[string]bool{}
	for _, k := range kinds() {
		for _, g := range k.graph {
			if !seen[g] {
				seen[g] = true
				all = append(all, g)
			}
		}
	}
	w.cfg.Log.Warn("cluster does not answer", "cluster", w.cfg.Name, "error", why(err))
	w.openGap(connection, why(err), "The cluster cannot be read: what is shown is as it was before, and changes since are unseen.", all...)
}

func (w *watcher) connected() {
	if w.down.Swap(false) {
		w.cfg.Log.Info("cluster answers again", "cluster", w.cfg.Name)
		w.closeGap(connection)
	}
}

// begin asks who the server is until it answers, then starts the readers.
func (w *watcher) begin(ctx context.Context) error {
	wait := backoff{max: 30 * time.Second}
	w.emit(collect.Change{Op: collect.Info, Object: collect.ClusterInfo{Name: w.cfg.Name, Server: w.cfg.REST.Host, Source: w.cfg.Source}})
	for {
		err := w.identify(ctx)
		if err == nil {
			w.connected()
			w.discover(ctx)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.disconnected(err)
		if err := wait.sleep(ctx); err != nil {
			return err
		}
	}
}

// identify tells version and identity of the cluster.
func (w *watcher) identify(ctx context.Context) error {
	v, err := w.version(ctx)
	if err != nil {
		return err
	}
	info := collect.ClusterInfo{Name: w.cfg.Name, Server: w.cfg.REST.Host, Source: w.cfg.Source, Version: v}
	if err := w.ask(ctx, "/apis"); unauthorized(err) { // version is public, this is not
		return err
	}
	if ns, err := w.client.meta.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(ctx, "kube-system",
		metav1.GetOptions{}); err == nil {
		info.UID = string(ns.UID)
	}
	w.emit(collect.Change{Op: collect.Info, Object: info})
	return nil
}

func (w *watcher) ask(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return w.client.discover.RESTClient().Get().AbsPath(path).MaxRetries(0).Do(ctx).Error()
}

func (w *watcher) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	raw, err := w.client.discover.RESTClient().Get().AbsPath("/version").MaxRetries(0).Do(ctx).Raw()
	if err != nil {
		return "", err
	}
	return gitVersion(raw)
}

// keep probes the connection and looks for new kinds until ctx ends. All
// watches share the probe's HTTP/2 connection, whose pings end dead ones, so an
// answer means that nothing is being missed, if every reader is watching.
func (w *watcher) keep(ctx context.Context) error {
	probe, again := time.NewTicker(w.cfg.Probe), time.NewTicker(w.cfg.Rediscover)
	defer probe.Stop()
	defer again.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
			w.discover(ctx)
		case at := <-probe.C:
			err := w.ask(ctx, "/apis")
			switch {
			case ctx.Err() != nil:
			case err == nil || isForbidden(err):
				failures = 0
				w.connected()
				if w.following() {
					w.emit(collect.Change{Op: collect.Alive, Time: at})
				}
			default:
				if failures++; failures > 1 || unauthorized(err) {
					w.disconnected(err)
				}
			}
		}
	}
}

func (w *watcher) following() bool {
	for _, r := range w.running {
		if !r.watching.Load() && !r.gapped.Load() {
			return false
		}
	}
	return w.pending.Load() == 0
}

// discover starts a reader for every kind that is served and has none.
func (w *watcher) discover(ctx context.Context) {
	_, lists, err := w.client.discover.ServerGroupsAndResources()
	if err != nil && len(lists) == 0 {
		w.openGap("discovery", why(err), "Which kinds the cluster has is unknown: only the built-in ones are read.")
	} else if discovery.IsGroupDiscoveryFailedError(err) {
		w.openGap("discovery", why(err),
			"Kinds of the groups that did not answer are unseen; none of them is read by Breakwater unless named here.")
	} else {
		w.closeIfOpen("discovery", err)
	}
	served := servedBy(lists)
	first := len(w.running) == 0
	var fresh []*reader
	for _, k := range kinds() {
		if w.running[k.name] != nil && !w.running[k.name].ended.Load() || k.how == table && !w.cfg.Secrets {
			continue
		}
		gv, ok := served.pick(&k)
		if !ok && (k.optional || len(lists) > 0) {
			if !k.optional && first {
				w.openGap(k.what(), "the server does not serve "+k.what(), k.lost, k.graph...)
			}
			continue
		}
		r := &reader{w: w, kind: k, gv: gv}
		w.budget.follows(r)
		w.running[k.name] = r
		fresh = append(fresh, r)
	}
	w.pending.Add(int32(len(fresh)))
	for _, r := range fresh {
		w.readers.Go(func() { r.run(ctx) })
	}
	w.count(ctx, lists)
}

func (w *watcher) closeIfOpen(what string, err error) {
	if err == nil {
		w.closeGap(what)
	}
}

// reported is called by each reader once; the last one makes the facts whole.
func (w *watcher) reported() {
	if w.pending.Add(-1) == 0 {
		w.emit(collect.Change{Op: collect.Synced})
	}
}

func unauthorized(err error) bool { return apierrors.IsUnauthorized(err) }
func isForbidden(err error) bool  { return apierrors.IsForbidden(err) }

// refused is an answer about the resource, as opposed to one about the server.
func refused(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.IsNotAcceptable(err) || errors.Is(err, errBound)
}

func expired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// why is an error in the source's own words, short, with its status in front.
func why(err error) string {
	s := redact.Text(err.Error())
	var st apierrors.APIStatus
	if errors.As(err, &st) && st.Status().Code != 0 {
		code := int(st.Status().Code)
		s = fmt.Sprintf("%d %s: %s", code, http.StatusText(code), s)
	}
	if len(s) > 400 {
		s = s[:400] + "…"
	}
	return strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "…")
}
