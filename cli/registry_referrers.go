package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/vuln"
)

func registryReferrersCommand(s streams) *cobra.Command {
	var file string
	var e server.Egress
	var f format
	c := &cobra.Command{
		Use:   "referrers REF",
		Short: "What a registry has that belongs to an image: bills of materials, VEX documents, signatures",
		Long: `List what a registry has that belongs to an image: bills of materials, VEX documents,
signatures, attestations. It asks the registry's list of referrers, the tag that stands
in for it, and the tags that cosign makes. Whoever may push to the repository may push
such a thing, so nothing of it counts by itself: scan image --vex-from-registry holds
the VEX documents of an image against its vulnerabilities. No signature is verified.`,
		Example: "  breakwater registry referrers registry.example/shop/web:1",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := image.ParseReference(args[0])
			if err != nil {
				return err
			}
			what, reader, err := readerOf(collect.Registry{Host: ref.Registry()}, file, e)
			if err != nil {
				return err
			}
			return listReferrers(c.Context(), s, f, reader, what, ref)
		},
	}
	c.Flags().StringVar(&file, "config", "", "the server's configuration file, for its accounts")
	egressFlags(c, &e)
	output(c, &f, "table", "json")
	return c
}

func listReferrers(ctx context.Context, s streams, f format, reader registry.Reader, what collect.Registry, ref image.Reference) error {
	found, err := reader.Referrers(ctx, what, ref)
	if err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, found)
	}
	t := newTable(s.out, "KIND", "TYPE", "DIGEST", "BYTES")
	for _, r := range found.Items {
		t.row(r.Kind, r.Type, r.Digest, strconv.FormatInt(r.Size, 10))
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(found.Items) == 0 {
		fmt.Fprintf(s.out, "The registry has nothing that belongs to %s.\n", terminal.Plain(found.Image))
	}
	if found.More > 0 {
		fmt.Fprintf(s.err, "%d more are beyond a bound, or name no artifact: nothing is said of them\n", found.More)
	}
	return nil
}

// mostDocuments is how many VEX documents of one image are read.
const mostDocuments = 20

// vexOf is the database with what VEX documents say that the image's registry has for it, and what was read of them.
// What cannot be read is told and does not count: it could only have dismissed something.
func vexOf(ctx context.Context, s streams, db *vuln.DB, reader registry.Reader, inv *image.Inventory) (*vuln.DB, error) {
	ref, err := image.ParseReference(inv.Reference)
	if err != nil {
		return db, fmt.Errorf("--vex-from-registry: %s is in no registry", inv.Reference)
	}
	if at, err := image.ParseReference(ref.Registry() + "/" + ref.Repository() + "@" + inv.Digest); err == nil {
		ref = at // what was read, and not what the tag stands for by now
	}
	what := collect.Registry{Host: ref.Registry()}
	found, err := reader.Referrers(ctx, what, ref)
	if err != nil {
		return db, fmt.Errorf("--vex-from-registry: %w", err)
	}
	folder, err := os.MkdirTemp("", "breakwater-vex-")
	if err != nil {
		return db, err
	}
	defer os.RemoveAll(folder)
	read, left := 0, found.More
	for _, r := range found.Items {
		if r.Kind != registry.VEX {
			continue
		}
		if read >= mostDocuments {
			left++
			continue
		}
		err := func() error {
			body, err := reader.Document(ctx, what, ref.Repository(), r)
			if err != nil {
				return err
			}
			name := filepath.Join(folder, strings.ReplaceAll(r.Digest, ":", "-")+".json")
			if err := os.WriteFile(name, body, 0o600); err != nil {
				return err
			}
			with, err := db.With(ctx, name)
			if err == nil {
				db, read = with, read+1
			}
			return err
		}()
		if ctx.Err() != nil {
			return db, ctx.Err()
		}
		if err != nil {
			left++
			fmt.Fprintf(s.err, "a VEX document of %s does not count: %s\n", terminal.Plain(inv.Reference),
				terminal.Plain(strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), "")))
		}
	}
	fmt.Fprintf(s.err, "VEX documents that the registry has for %s: %d count, %d do not\n", terminal.Plain(inv.Reference), read, left)
	return db, nil
}
