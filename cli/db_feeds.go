package cli

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/feed"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/vuln"
)

func dbUpdateCommand(s streams) *cobra.Command {
	var data string
	var e server.Egress
	var u feed.Updater
	var list bool
	var f format
	c := &cobra.Command{
		Use:   "update [FEED…]",
		Short: "Fetch advisories from where they are published, or from a mirror",
		Long: `Fetch advisories from where they are published, or from a mirror of your own.

A feed that is what it was is not fetched again, and one that broke off goes on where
it was. A feed counts when it is whole and every sum holds; one with far fewer records
than the one in force is refused. What was in force before is kept: breakwater db
restore. Without FEED those that most sites need are fetched.

A mirror has the files of osv-vulnerabilities.storage.googleapis.com under the same
names, and beside them kev/ and epss/: see --list.`,
		Example: "  breakwater db update\n  breakwater db update --mirror https://mirror.example/advisories osv kev",
		RunE: func(c *cobra.Command, names []string) error {
			feeds, err := feed.Named(names)
			if err != nil {
				return err
			}
			if list {
				t := newTable(s.out, "FEED", "ADDRESS", "UNDER A MIRROR")
				for _, each := range feeds {
					t.row(each.Name, each.URL, each.Path)
				}
				return t.flush()
			}
			if u.Policy, err = e.Policy(); err != nil {
				return err
			}
			u.Dir, u.Folder, u.Progress = datadir.Dir(data).Advisories(), datadir.Dir(data).Feeds(), importProgress(s.err)
			out, err := u.Update(c.Context(), feeds)
			if f == "json" {
				err = errors.Join(err, writeJSON(s.out, append([]feed.Outcome{}, out...)))
			} else {
				printOutcomes(s, out)
			}
			return recordedIn(c.Context(), datadir.Dir(data), "update advisories", strings.Join(names, " "), errors.Join(err, problems(out)))
		},
	}
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	c.Flags().StringVar(&u.Mirror, "mirror", "", "http(s)://HOST[/PATH] where all feeds are fetched instead")
	c.Flags().BoolVar(&u.Anyway, "anyway", false, "take a feed also where it holds far fewer records than the one in force, or is older")
	c.Flags().BoolVar(&list, "list", false, "name the feeds and where they are fetched, and fetch nothing")
	c.Flags().StringArrayVar(&e.Allow, "allow-private", nil,
		"[http://]HOST[:PORT], an address or a network such as 10.0.0.0/8: a mirror may send "+
			"there though it is not of the internet, or speaks no TLS; may repeat")
	return c
}

func printOutcomes(s streams, out []feed.Outcome) {
	t := newTable(s.out, "FEED", "RECORDS", "")
	for _, o := range out {
		what := "as it was"
		switch {
		case o.Problem != "":
			what = "not fetched"
		case o.Fresh:
			what = "new, " + size(o.Bytes)
		}
		t.row(o.Feed, fmt.Sprint(o.Records), what)
	}
	_ = t.flush() // a broken pipe shows in the next write
}

// problems are one error for the feeds that could not be fetched.
func problems(out []feed.Outcome) error {
	var errs []error
	for _, o := range out {
		if o.Problem != "" {
			errs = append(errs, fmt.Errorf("%s: %s", o.Feed, terminal.Plain(o.Problem)))
		}
	}
	return errors.Join(errs...)
}

func dbExportCommand(s streams) *cobra.Command {
	var data, key string
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write the advisory database as one signed file, for a site without a network",
		Long: `Write the advisory database as one signed file, for a site without a network.

The key is made with the first export and lies in the data folder, or where --key says.
The public key that is printed is what the other site trusts:

  breakwater db import --trust KEY FILE`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d := datadir.Dir(data)
			if key == "" {
				key = d.SigningKey()
			}
			private, err := signingKey(key)
			if err != nil {
				return err
			}
			status, err := exportTo(args[0], d.Advisories(), private)
			if err == nil {
				fmt.Fprintf(s.out, "%d advisories of %d sources, signed with %s\n", status.Records, len(status.Sources),
					vuln.PublicKey(private.Public().(ed25519.PublicKey)))
			}
			return recordedIn(c.Context(), d, "export advisories", args[0], err)
		},
	}
	dataFlag(c, &data)
	c.Flags().StringVar(&key, "key", "",
		"private key (Ed25519, PEM) to sign with; made if it is not there (default: advisories.key of --data)")
	return c
}

// exportTo writes beside the file and puts it in its place when it is whole.
func exportTo(name, dir string, key ed25519.PrivateKey) (status vuln.Status, err error) {
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return status, err
	}
	status, err = vuln.Export(dir, f, key)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return status, errors.Join(err, os.Remove(name+".new"))
	}
	return status, os.Rename(name+".new", name)
}

const privateKeyBlock = "PRIVATE KEY"

// signingKey reads the key of a file, or makes one there.
func signingKey(name string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return newSigningKey(name)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != privateKeyBlock {
		return nil, fmt.Errorf("%s: want a private key (Ed25519, PKCS #8, PEM)", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := parsed.(ed25519.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("%s: want a private key (Ed25519, PKCS #8, PEM)", name)
}

func newSigningKey(name string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: privateKeyBlock, Bytes: der}), 0o600)
}

// importPaths imports sources, and bundles for which a key is trusted.
func importPaths(ctx context.Context, dir string, paths, trusted []string, older bool, progress func(vuln.Progress)) (status vuln.Status, err error) {
	var sources []vuln.Source
	var bundles []string
	for _, p := range paths {
		if vuln.IsBundle(p) {
			bundles = append(bundles, p)
		} else {
			sources = append(sources, vuln.Source{Path: p})
		}
	}
	keys, err := trustedKeys(trusted)
	if err != nil {
		return status, err
	}
	if len(bundles) > 0 && len(keys) == 0 {
		return status, fmt.Errorf("%s is a signed database: say with --trust KEY whose", bundles[0])
	}
	var errs []error
	for _, name := range bundles {
		var err error
		status, err = vuln.ImportBundle(ctx, dir, name, keys, older)
		errs = append(errs, err)
	}
	if len(sources) > 0 {
		status, err = vuln.Import(ctx, dir, sources, progress)
	}
	return status, errors.Join(append(errs, err)...)
}

// trustedKeys are keys as they were printed, or in files.
func trustedKeys(given []string) (out []ed25519.PublicKey, err error) {
	for _, text := range given {
		if data, err := os.ReadFile(text); err == nil && len(data) < 1<<10 {
			text = strings.TrimSpace(string(data))
		}
		key, err := vuln.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("--trust: %w", err)
		}
		out = append(out, key)
	}
	return out, nil
}

func dbRestoreCommand() *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "restore NAME…",
		Short: "Put in force again what sources brought before they were imported last",
		Long: `Put in force again what sources brought before they were imported last. Doing so once
more undoes it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			var errs []error
			for _, n := range names {
				errs = append(errs, vuln.Restore(datadir.Dir(data).Advisories(), n))
			}
			return recordedIn(c.Context(), datadir.Dir(data), "restore advisories", strings.Join(names, " "), errors.Join(errs...))
		},
	}
	dataFlag(c, &data)
	return c
}
