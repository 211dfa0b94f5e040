package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/store"
)

func storageFlags(cmd *cobra.Command, o *server.Storage) {
	f := cmd.Flags()
	f.StringVar(&o.Where, "store", "", "where records are kept: a file of SQLite or postgres://USER@HOST/DATABASE "+
		"(default: "+datadir.StoreVariable+", or a file in --data); commands beside the server need "+datadir.StoreVariable)
	var names []string
	for _, h := range store.Histories() {
		names = append(names, h[0])
	}
	f.StringArrayVar(&o.Keep, "keep", nil, "NAME=TIME, such as alerts=90d: for how long to keep "+
		strings.Join(names, ", ")+"; forever ends the limit; may repeat")
	f.StringArrayVar(&o.KeepRows, "keep-rows", nil, "NAME=ROWS, such as alerts=500000: how many to keep at most; "+
		"unlimited ends the limit; may repeat")
}

// storageCommand tells the sizes by which retention is chosen: of the running server with its
// limits, else of the records with the limits that hold if nobody says otherwise.
func storageCommand(s streams) *cobra.Command {
	var data string
	var f format
	c := &cobra.Command{
		Use:   "storage",
		Short: "How big each table of the server's records is, what bounds it and how it grows",
		Long: `How many rows and bytes each table of the server's records has, the biggest first, how much
of it is kept, how old its oldest row is, and how it grows; then the files beside them and
the room on the disk. What is kept is set with --keep and --keep-rows of serve.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			what, err := storedBy(c.Context(), s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			if f == "json" {
				return writeJSON(s.out, what)
			}
			return printStorage(s.out, what)
		},
	}
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	return c
}

// storedBy asks the server, or looks into the records if none runs.
func storedBy(ctx context.Context, said io.Writer, d datadir.Dir) (out api.Storage, err error) {
	if _, err := d.Server(); err == nil {
		c, err := dial(said, d)
		if err != nil {
			return out, err
		}
		return out, c.ask(ctx, "/storage", nil, &out)
	}
	if !d.Stored() {
		return out, fmt.Errorf("no server has used %s yet", d)
	}
	st, err := d.Open(ctx)
	if err != nil {
		return out, err
	}
	sizes, err := st.Sizes(ctx, store.DefaultRetention())
	if err := errors.Join(err, st.Close()); err != nil {
		return out, err
	}
	out = api.Storage{Measured: time.Now(), Place: store.Name(d.Place())}
	for _, z := range sizes {
		out.Tables = append(out.Tables, server.Stored(z))
	}
	return out, nil
}

func printStorage(w io.Writer, what api.Storage) error {
	t := newTable(w, "TABLE", "ROWS", "BYTES", "A DAY", "OLDEST", "KEPT")
	for _, z := range what.Tables {
		grows, oldest := "unknown", ""
		if z.GrownPerDay != nil {
			grows = strconv.FormatInt(*z.GrownPerDay, 10)
		}
		if z.Oldest != nil {
			oldest = z.Oldest.Format(time.DateOnly)
		}
		t.row(z.Table, strconv.FormatInt(z.Rows, 10), strconv.FormatInt(z.Bytes, 10), grows, oldest, keptOf(z))
	}
	if err := t.flush(); err != nil || len(what.Files) == 0 {
		return err
	}
	fmt.Fprintln(w)
	t = newTable(w, "FILES", "BYTES", "KEPT")
	for _, f := range what.Files {
		t.row(f.What, strconv.FormatInt(f.Bytes, 10), f.Bound)
	}
	if err := t.flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s of %s are free on the disk, %s stay free.\n", size(what.Disk.Free), size(what.Disk.Total),
		size(what.Disk.Reserve))
	if what.Disk.NoRoom != nil {
		_, err = fmt.Fprintf(w, "Nothing more is taken: %s.\n", *what.Disk.NoRoom)
	}
	return err
}

// keptOf says what bounds a table.
func keptOf(z api.StoredTable) string {
	if z.Bound != nil {
		return *z.Bound
	}
	var parts []string
	if z.KeepSeconds != nil {
		parts = append(parts, keptFor(time.Duration(*z.KeepSeconds)*time.Second))
	}
	if z.MostRows != nil {
		parts = append(parts, fmt.Sprintf("%d rows", *z.MostRows))
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, ", ")
}

func keptFor(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", days)
	}
	return fmt.Sprintf("%v hours", d.Hours())
}
