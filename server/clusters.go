package server

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/live"
)

// sources makes one live.Source of every --from, and tells how API servers among
// them are reached.
func (c Config) sources(limits Limits, log *slog.Logger, hasRoom func() error) (out []live.Source, servers map[string]kube.Config, err error) {
	servers = map[string]kube.Config{}
	interner := kube.NewInterner()
	for _, from := range c.From {
		name, source := SplitFrom(from)
		cfg, isLive, err := kube.Cluster(source)
		if err != nil {
			return nil, nil, fmt.Errorf("--from %s: %w", from, err)
		}
		if !isLive {
			s, err := fileSource(name, source)
			if err != nil {
				return nil, nil, fmt.Errorf("--from %s: %w", from, err)
			}
			out = append(out, s)
			continue
		}
		if name != "" {
			cfg.Name = name
		}
		cfg.Secrets, cfg.Interner, cfg.Log = c.Secrets, interner, log
		cfg.QPS, cfg.Burst, cfg.Budget = c.QPS, int(2*c.QPS), limits[clusterObjects]
		servers[cfg.Name] = cfg
		file := datadir.Dir(c.Data).Dump(cfg.Name)
		out = append(out, live.Source{Name: cfg.Name,
			Watch: func(ctx context.Context, emit func(collect.Change)) error { return kube.Watch(ctx, cfg, emit) },
			Saved: func() (*collect.Facts, error) { return datadir.ReadDump(file) },
			Save: func(f *collect.Facts) error {
				if err := hasRoom(); err != nil {
					return err
				}
				return datadir.WriteDump(file, f)
			},
		})
	}
	return out, servers, nil
}

// fileSource serves manifests or a dump, and reads them again when they change.
func fileSource(name, path string) (live.Source, error) {
	first, err := kube.Open(context.Background(), path)
	if err != nil {
		return live.Source{}, err
	}
	if name == "" {
		name = first.Cluster.Name
	}
	return live.Source{Name: name, Watch: func(ctx context.Context, emit func(collect.Change)) error {
		facts, seen := first, modified(path)
		for {
			replay(facts, name, emit)
			for now := seen; now.Equal(seen); now = modified(path) {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(2 * time.Second):
				}
			}
			seen = modified(path)
			if facts, err = kube.Open(ctx, path); err != nil {
				return err
			}
		}
	}}, nil
}

// factsSource serves facts that never change.
func factsSource(name string, read func() (*collect.Facts, error)) live.Source {
	return live.Source{Name: name, Watch: func(ctx context.Context, emit func(collect.Change)) error {
		facts, err := read()
		if err != nil {
			return err
		}
		replay(facts, name, emit)
		t := time.NewTicker(10 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case now := <-t.C:
				emit(collect.Change{Op: collect.Alive, Time: now})
			}
		}
	}}
}

// modified is the latest change below a path.
func modified(path string) (latest time.Time) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // a file that went away is seen by its folder's time
		}
		if info, err := d.Info(); err == nil && info.ModTime().After(latest) {
			latest = info.ModTime()
		}
		return nil
	})
	if info, err := os.Stat(path); err == nil && info.ModTime().After(latest) {
		latest = info.ModTime()
	}
	return latest
}

// replay tells facts as the changes that make them.
func replay(f *collect.Facts, name string, emit func(collect.Change)) {
	info := f.Cluster
	info.Name = name
	emit(collect.Change{Op: collect.Info, Object: info})
	for _, kind := range collect.Kinds {
		keys := map[collect.Key]struct{}{}
		for k, o := range f.Each(kind) {
			keys[k] = struct{}{}
			emit(collect.Change{Op: collect.Put, Kind: kind, Key: k, Object: o})
		}
		emit(collect.Change{Op: collect.Resynced, Kind: kind, Keys: keys})
	}
	for kind, n := range f.Unread {
		emit(collect.Change{Op: collect.Counted, Kind: kind, Object: n})
	}
	for _, g := range f.Gaps {
		emit(collect.Change{Op: collect.GapOpen, Gap: &g})
	}
	emit(collect.Change{Op: collect.Synced, Time: f.AsOf})
}

// SplitFrom takes NAME=SOURCE apart; a path may contain "=" behind a "/".
func SplitFrom(s string) (name, source string) {
	if n, rest, ok := strings.Cut(s, "="); ok && n != "" && !strings.ContainsAny(n, "/:.") {
		return n, rest
	}
	return "", s
}
