package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
)

// imagesFor is how an analysis without a server looks into images: with what a
// server on this folder read before, and from their registries if asked.
func imagesFor(ctx context.Context, d dataDir, read bool, mirror []string) (*assess.Assessor, func(), error) {
	transport, err := mirrors(mirror)
	if err != nil {
		return nil, nil, err
	}
	db, err := vuln.Open(d.advisories())
	if err != nil {
		return nil, nil, err
	}
	c := assess.Config{Advisories: func() *vuln.DB { return db }}
	done := func() { _ = db.Close() }
	var cache image.Cache
	if d.stored() {
		s, err := d.open(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		c.Records, cache = s, s
		done = func() { _, _ = s.Close(), db.Close() }
	}
	if read {
		opts := image.Options{Cache: cache, Transport: transport}
		c.Scan = func(ctx context.Context, ref string) (*image.Inventory, error) { return image.Scan(ctx, ref, opts) }
		c.Resolve = func(ctx context.Context, ref string) (string, error) { return image.Resolve(ctx, ref, opts) }
	}
	return assess.New(c), done, nil
}

// followed is the database of now: a new one is opened when an import, by
// another process perhaps, has changed the folder.
type followed struct {
	dir     string
	db      atomic.Pointer[vuln.DB]
	changed time.Time
}

func openAdvisories(dir string) (*followed, error) {
	a := &followed{dir: dir}
	a.changed = a.modified()
	db, err := vuln.Open(dir)
	if err != nil {
		return nil, err
	}
	a.db.Store(db)
	return a, nil
}

func (a *followed) modified() time.Time {
	latest := time.Time{}
	files, _ := filepath.Glob(filepath.Join(a.dir, "*.json")) // the pattern is well-formed
	for _, f := range files {
		if info, err := os.Stat(f); err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
	}
	return latest
}

// follow calls changed after every import until ctx ends.
func (a *followed) follow(ctx context.Context, changed func()) error {
	t := time.NewTicker(2 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		now := a.modified()
		if now.Equal(a.changed) {
			continue
		}
		db, err := vuln.Open(a.dir)
		if err != nil {
			continue // half way through an import: the next look sees the end of it
		}
		a.changed = now
		// The old database stays open: an assessment may be reading it.
		a.db.Store(db)
		changed()
	}
}

// mirrors sends requests for a registry's host somewhere else: HOST=HOST:PORT
// with plain HTTP on loopback and HTTPS elsewhere.
func mirrors(list []string) (http.RoundTripper, error) {
	to := map[string]string{}
	for _, m := range list {
		from, where, ok := strings.Cut(m, "=")
		if !ok || from == "" || where == "" {
			return nil, fmt.Errorf("--registry-mirror %q: want HOST=HOST:PORT", m)
		}
		to[from] = where
	}
	if len(to) == 0 {
		return nil, nil // the default
	}
	return mirrored{to, image.Transport()}, nil
}

type mirrored struct {
	to   map[string]string
	base http.RoundTripper
}

func (m mirrored) RoundTrip(r *http.Request) (*http.Response, error) {
	where, ok := m.to[r.URL.Hostname()]
	if !ok {
		return m.base.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = where, where
	r.URL.Scheme = "https"
	if host, _, _ := strings.Cut(where, ":"); host == "localhost" || strings.HasPrefix(host, "127.") {
		r.URL.Scheme = "http"
	}
	return m.base.RoundTrip(r)
}
