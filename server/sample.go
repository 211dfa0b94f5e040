package server

import (
	"context"
	"errors"
	"fmt"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/vuln"
)

// alone says no to what would mix the sample with what is a user's own: the sample's few advisories would
// answer for their images, and its clusters would stand among theirs.
func (c Config) alone() error {
	var errs []error
	for _, other := range []struct {
		flag  string
		given bool
	}{{"--from", len(c.From) > 0}, {"--registry", len(c.Registries) > 0}, {"--config", c.File != ""}, {"--store", c.Storage.Where != ""},
		{"--nats", c.NATS.URL != ""}} {
		if other.given {
			errs = append(errs, fmt.Errorf("--sample is served alone, in a folder of its own: leave out %s, or --sample", other.flag))
		}
	}
	return errors.Join(errs...)
}

// sample starts the sample estate and brings the advisories it needs.
func (v *Server) sample(ctx context.Context) (err error) {
	fmt.Fprintln(v.progress, "building the images of the sample estate …")
	if v.Estate, err = harborshop.Open(ctx, ""); err != nil {
		return err
	}
	if err := v.egress.Mirror(harborshop.Host + "=" + v.Estate.Registry); err != nil {
		return err
	}
	_, err = vuln.Import(ctx, v.Data.Advisories(), []vuln.Source{{Name: "sample", FS: advisories.FS}}, nil)
	return err
}
