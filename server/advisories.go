package server

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/breakwater-sec/breakwater/vuln"
)

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
