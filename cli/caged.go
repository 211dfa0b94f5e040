package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/image"
)

// readCaged is this program as the child that reads one image.
func readCaged() int {
	if err := image.ReadCaged(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "breakwater:", err)
		return exitCannot
	}
	return 0
}

// asProgram says that this process is the program itself, which a test is not: it can be
// its own child.
func asProgram(ctx context.Context) context.Context {
	return context.WithValue(ctx, programKey{}, true)
}

type programKey struct{}

func isProgram(ctx context.Context) bool { return ctx.Value(programKey{}) != nil }

// scanner reads images of registries, each in a cage if it can.
func scanner(ctx context.Context, o image.Options, p egress.Policy) func(context.Context, image.Reference) (*image.Inventory, error) {
	if !isProgram(ctx) {
		return func(ctx context.Context, ref image.Reference) (*image.Inventory, error) {
			return image.Scan(ctx, ref, o)
		}
	}
	return image.Caged{Options: o, Policy: func() egress.Policy { return p }}.Scan
}
