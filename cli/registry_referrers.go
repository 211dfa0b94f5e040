package cli

import (
	"context"
	"fmt"
	"strconv"

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

// vexOf is the database with what documents say that the image's registry has for it: of VEX, bills of materials with analyses, and
// attestations of either. They count where nobody else says anything. What cannot be read is told and does not count: it could only
// have dismissed something.
func vexOf(ctx context.Context, s streams, db *vuln.DB, reader registry.Reader, inv *image.Inventory) (*vuln.DB, error) {
	ref, err := image.ParseReference(inv.Reference)
	if err != nil {
		return db, fmt.Errorf("--vex-from-registry: %s is in no registry", inv.Reference)
	}
	if ref, err = ref.At(inv.Digest); err != nil { // what was read, and not what the tag stands for by now
		return db, fmt.Errorf("--vex-from-registry: %w", err)
	}
	found, left, err := reader.Beside(ctx, collect.Registry{Host: ref.Registry()}, ref)
	if err != nil {
		return db, fmt.Errorf("--vex-from-registry: %w", err)
	}
	var documents []vuln.Document
	for _, b := range found {
		documents = append(documents, vuln.Document{From: "registry " + ref.Registry() + ", " + b.Digest, Body: b.Body})
	}
	with, counted, unread := db.Beside(ctx, []string{inv.Digest, inv.Manifest}, documents...)
	for _, err := range unread {
		fmt.Fprintf(s.err, "a document of %s does not count: %s\n", terminal.Plain(inv.Reference), terminal.Plain(err.Error()))
	}
	fmt.Fprintf(s.err, "VEX documents that the registry has for %s: %d count, %d do not\n", terminal.Plain(inv.Reference), counted,
		left+len(unread))
	if counted == 0 {
		return db, nil
	}
	return with, nil
}
