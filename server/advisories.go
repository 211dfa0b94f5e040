package server

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/breakwater-sec/breakwater/backoff"
	"github.com/breakwater-sec/breakwater/feed"
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

// fetchAdvisories brings the feeds at once and then again and again, until ctx ends. What is new is followed as any import.
func (v *Server) fetchAdvisories(ctx context.Context) {
	u := feed.Updater{Dir: v.Data.Advisories(), Folder: v.Data.Feeds(), Policy: v.egress, Mirror: v.config.AdvisoriesMirror}
	feeds, err := feed.Named(nil)
	if err != nil {
		v.log.Error("cannot fetch advisories", "error", err)
		return
	}
	for {
		if v.disk.wait(ctx) != nil {
			return
		}
		out, err := u.Update(ctx, feeds)
		if err != nil && ctx.Err() == nil {
			v.log.Error("cannot fetch advisories", "error", err) // such as a db update of another process at the same time
		}
		for _, o := range out {
			switch {
			case o.Problem != "" && ctx.Err() == nil:
				v.log.Warn("cannot fetch advisories", "feed", o.Feed, "error", o.Problem)
			case o.Fresh:
				v.log.Info("new advisories", "feed", o.Feed, "records", o.Records)
			}
		}
		if !backoff.Pause(ctx, v.config.AdvisoriesEvery) {
			return
		}
	}
}
