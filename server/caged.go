package server

import (
	"context"

	"github.com/breakwater-sec/breakwater/image"
)

// scanner reads images, each in a cage where this process is the program itself. How close
// the cage is here is told: nobody should take it for closer.
func (v *Server) scanner(ctx context.Context, o image.Options) func(context.Context, image.Reference) (*image.Inventory, error) {
	if !v.config.Caged {
		return func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			return image.Scan(ctx, ref, o)
		}
	}
	c := image.Caged{Options: o, Policy: v.policy}
	switch held, err := c.Held(ctx); {
	case err != nil:
		v.log.Error("images cannot be read: there is no cage to read them in", "error", err)
	case held.Whole():
		v.log.Info("images are read in a cage", "held", held.String())
	default:
		v.log.Warn("images are read in a cage that is not whole", "held", held.String())
	}
	c, v.endReaders = c.Ahead()
	return c.Scan
}
