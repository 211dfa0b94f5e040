package scope

import (
	"context"
	"fmt"

	"github.com/breakwater-sec/breakwater/store"
)

// Exceptions is what the store knows of what people accepted.
type Exceptions interface {
	Exceptions(ctx context.Context) ([]store.Exception, error)
	AddException(ctx context.Context, body, author string) (store.Exception, error)
	EndException(ctx context.Context, id, by string) error
}

// Exceptions is what people accepted, for who sees everything: it names images of all clusters, and holds for them. It is nil if
// nothing is kept.
func (r *Reader) Exceptions() (Exceptions, error) {
	if !r.All() {
		return nil, fmt.Errorf("exceptions of all images: %w", ErrOutside)
	}
	return r.unscoped.config.Exceptions, nil
}
