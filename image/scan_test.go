package image

import (
	"context"
	"testing"
)

// scanOf is what the command line does: what is on this machine, or in a registry.
func scanOf(ctx context.Context, text string, o Options) (*Inventory, error) {
	l, is, err := ParseLocal(text)
	if err != nil {
		return nil, err
	}
	if is {
		return ScanLocal(ctx, l, o)
	}
	ref, err := ParseReference(text)
	if err != nil {
		return nil, err
	}
	return Scan(ctx, ref, o)
}

func parsed(t testing.TB, text string) Reference {
	t.Helper()
	r, err := ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
