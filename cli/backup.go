package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/backup"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/store"
)

func backupCommand(s streams) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:         "backup FILE",
		Annotations: map[string]string{endsItself: "yes"},
		Short:       "Write what the server keeps into one file, while it runs",
		Long: `Write what the server keeps into one file, while it runs: records, authority, advisories and
the facts of clusters, of one moment. The file can be read by its owner alone: it holds the
key with which senders know the server. Records in PostgreSQL are not in it; pg_dump them.`,
		Example: "  breakwater backup /backup/breakwater-monday.tar.gz",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d := datadir.Dir(data)
			if !d.Stored() {
				return fmt.Errorf("no server has used %s yet", d)
			}
			m, err := backup.Write(c.Context(), args[0], d, server.Version())
			if err := recordedIn(c.Context(), d, "back up", args[0], err); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "%s is a backup of %s as of %s.\n", args[0], d, m.Made.Local().Format(time.DateTime))
			if m.Records != "sqlite" {
				fmt.Fprintf(s.out, "The records are not in it: they are in %s. Back them up with pg_dump.\n", store.Name(d.Place()))
			}
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}

func restoreCommand(s streams) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:         "restore FILE",
		Annotations: map[string]string{endsItself: "yes"},
		Short:       "Make a data folder of a backup",
		Long: `Make a data folder of a backup. The folder must be empty, or not be there. Restore only what
you have written yourself: who wrote the file decides what the server believes.`,
		Example: "  breakwater restore /backup/breakwater-monday.tar.gz --data /var/lib/breakwater",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := backup.Restore(c.Context(), args[0], datadir.Dir(data))
			if err != nil {
				return err
			}
			if m.Records == "sqlite" { // others are not restored yet, and have no place for it
				if err := recordedIn(c.Context(), datadir.Dir(data), "restore", args[0], nil); err != nil {
					return err
				}
			}
			fmt.Fprintf(s.out, "%s is as of %s. Serve it with: breakwater serve --data %s …\n", data, m.Made.Local().Format(time.DateTime), data)
			if m.Records != "sqlite" {
				fmt.Fprintf(s.out, "The records are not in the backup: restore them with pg_restore, and set %s.\n", datadir.StoreVariable)
			}
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}
