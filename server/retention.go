package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// Storage is where a server keeps its records, and how much of them.
type Storage struct {
	Where          string // "": what the environment says, or the data folder's own
	Keep, KeepRows []string
}

// retention is the default, changed by the configuration file and then by flags.
func (o Storage) retention(file string) (store.Retention, error) {
	r := store.DefaultRetention()
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		defer f.Close()
		c, source, err := decodeConfig(file, f)
		if err != nil {
			return nil, err
		}
		if err := c.retain(r, source); err != nil {
			return nil, err
		}
	}
	if err := each("--keep", o.Keep, r.Keep); err != nil {
		return nil, err
	}
	return r, each("--keep-rows", o.KeepRows, r.KeepRows)
}

func each(flag string, settings []string, set func(name, value string) error) error {
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%s %s: want NAME=VALUE", flag, s)
		}
		if err := set(name, value); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// configRetention is how much of one history the configuration file keeps.
type configRetention struct {
	Keep string `yaml:"keep"`
	Rows string `yaml:"rows"`
}

func (c configFile) retain(r store.Retention, source *strictyaml.Document) error {
	for name, l := range c.Retention {
		if l.Keep == "" && l.Rows == "" {
			return source.Errorf(fmt.Errorf("retention of %s: want keep, rows or both", name), "retention", name)
		}
		if l.Keep != "" {
			if err := r.Keep(name, l.Keep); err != nil {
				return source.Errorf(err, "retention", name, "keep")
			}
		}
		if l.Rows != "" {
			if err := r.KeepRows(name, l.Rows); err != nil {
				return source.Errorf(err, "retention", name, "rows")
			}
		}
	}
	return nil
}

const (
	sweepEvery = time.Hour
	// floodEvery is the least time between two sweeps: how long a flood may grow past the limits.
	floodEvery = 10 * time.Second
)

// sweep removes what is older or more than is kept, at the start, every hour, and when much was
// written since.
func (v *Server) sweep(ctx context.Context) error {
	t := time.NewTicker(floodEvery)
	defer t.Stop()
	for last := (time.Time{}); ; {
		if now := time.Now(); now.Sub(last) >= sweepEvery || v.Store.Grown() {
			last = now
			v.sweepOnce(ctx, now)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (v *Server) sweepOnce(ctx context.Context, now time.Time) {
	err := v.Store.SeenOwner(ctx, v.owner, now)
	removed, failed := v.Store.Sweep(ctx, v.retention, now)
	err = errors.Join(err, failed)
	for name, rows := range removed {
		v.log.Info("removed old records", "of", name, "rows", rows)
	}
	if err != nil && ctx.Err() == nil {
		v.log.Warn("cannot remove old records", "error", err)
	}
	v.sweepDumps(now)
	if err := v.followUploads(ctx); err != nil && ctx.Err() == nil {
		v.log.Warn("cannot see what builds told of images", "error", err)
	}
}
