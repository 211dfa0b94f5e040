package cli

import (
	"context"
	"errors"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/vuln"
)

// imagesFor is how an analysis without a server looks into images: with what a
// server on this folder read before, and from their registries if asked.
func imagesFor(ctx context.Context, d datadir.Dir, read bool, e server.Egress) (*assess.Assessor, func(), error) {
	policy, err := e.Policy()
	if err != nil {
		return nil, nil, err
	}
	db, err := vuln.Open(d.Advisories())
	if err != nil {
		return nil, nil, err
	}
	c := assess.Config{Advisories: func() *vuln.DB { return db }}
	done := func() { _ = db.Close() }
	var cache image.Cache
	var salt []byte
	if d.Stored() {
		s, err := d.Open(ctx)
		if err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		c.Records, cache = s, s
		if salt, err = s.Salt(ctx); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		done = func() { _, _ = s.Close(), db.Close() }
	}
	if read {
		opts := image.Options{Cache: cache, Salt: salt, Transport: policy.Transport(), Insecure: policy.Plain}
		c.Scan = scanner(ctx, opts, policy)
		c.Resolve = func(ctx context.Context, ref image.Reference) (string, error) { return image.Resolve(ctx, ref, opts) }
	}
	return assess.New(c), done, nil
}
