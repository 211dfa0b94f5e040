package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/store"
	"github.com/breakwater-sec/breakwater/strictyaml"
)

// storeVariable names the store for every command: a DSN may hold a password, and flags
// are seen by whoever lists processes.
const storeVariable = "BREAKWATER_STORE"

// storage is where a server keeps its records, and how much of them.
type storage struct {
	where          string // "": what the environment says, or the data folder's own
	keep, keepRows []string
}

func (o *storage) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.where, "store", "", "where records are kept: a file of SQLite or postgres://USER@HOST/DATABASE "+
		"(default: "+storeVariable+", or a file in --data); commands beside the server need "+storeVariable)
	var names []string
	for _, h := range store.Histories() {
		names = append(names, h[0])
	}
	f.StringArrayVar(&o.keep, "keep", nil, "NAME=TIME, such as alerts=90d: for how long to keep "+
		strings.Join(names, ", ")+"; forever ends the limit; may repeat")
	f.StringArrayVar(&o.keepRows, "keep-rows", nil, "NAME=ROWS, such as alerts=500000: how many to keep at most; "+
		"unlimited ends the limit; may repeat")
}

// retention is the default, changed by the configuration file and then by flags.
func (o storage) retention(file string) (store.Retention, error) {
	r := store.DefaultRetention()
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("--config: %w", err)
		}
		defer f.Close()
		c, source, err := decodeConfig(file, f)
		if err != nil {
			return nil, err
		}
		if err := c.retain(r, source); err != nil {
			return nil, err
		}
	}
	if err := each("--keep", o.keep, r.Keep); err != nil {
		return nil, err
	}
	return r, each("--keep-rows", o.keepRows, r.KeepRows)
}

func each(flag string, settings []string, set func(name, value string) error) error {
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%s %s: want NAME=VALUE", flag, s)
		}
		if err := set(name, value); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	return nil
}

// configRetention is how much of one history the configuration file keeps.
type configRetention struct {
	Keep string `yaml:"keep"`
	Rows string `yaml:"rows"`
}

func (c configFile) retain(r store.Retention, source *strictyaml.Document) error {
	for name, l := range c.Retention {
		if l.Keep == "" && l.Rows == "" {
			return source.Errorf(fmt.Errorf("retention of %s: want keep, rows or both", name), "retention", name)
		}
		if l.Keep != "" {
			if err := r.Keep(name, l.Keep); err != nil {
				return source.Errorf(err, "retention", name, "keep")
			}
		}
		if l.Rows != "" {
			if err := r.KeepRows(name, l.Rows); err != nil {
				return source.Errorf(err, "retention", name, "rows")
			}
		}
	}
	return nil
}

// place is where the records of a server on this folder are.
func (d dataDir) place() string { return cmp.Or(os.Getenv(storeVariable), d.database()) }

// elsewhere names a place that is not the folder's own file, without a password.
func (d dataDir) elsewhere(place string) string {
	if place == d.database() {
		return ""
	}
	return store.Name(place)
}

// stored says whether there may be records: a file that nobody made holds none.
func (d dataDir) stored() bool {
	_, err := os.Stat(d.place())
	return err == nil || d.place() != d.database()
}

// open opens the records of a server on this folder, for a command beside it.
func (d dataDir) open(ctx context.Context) (*store.Store, error) {
	r, err := d.server()
	if err == nil && r.Store != d.elsewhere(d.place()) {
		return nil, fmt.Errorf("the server on %s keeps its records in %s, and this command would ask %s: set %s",
			d, cmp.Or(r.Store, "that folder"), store.Name(d.place()), storeVariable)
	}
	if err != nil && !errors.Is(err, errNoServer) {
		return nil, err
	}
	return store.Open(ctx, d.place())
}

// sweep removes what is older than is kept, at the start and every hour.
func (v *server) sweep(ctx context.Context) error {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		removed, err := v.store.Sweep(ctx, v.retention, time.Now())
		for name, rows := range removed {
			v.log.Info("removed old records", "of", name, "rows", rows)
		}
		if err != nil && ctx.Err() == nil {
			v.log.Warn("cannot remove old records", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// storageCommand tells the sizes by which retention is chosen. It is not in the API: rows
// of all clusters are counted, whoever may see which.
func storageCommand(s streams) *cobra.Command {
	var data string
	var f format
	c := &cobra.Command{
		Use:   "storage",
		Short: "How big each table of the server's records is",
		Long: `How many rows and bytes each table of the server's records has, the biggest first. What is
kept of them is set with --keep and --keep-rows of serve.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !dataDir(data).stored() {
				return fmt.Errorf("no server has used %s yet", dataDir(data))
			}
			st, err := dataDir(data).open(c.Context())
			if err != nil {
				return err
			}
			sizes, err := st.Sizes(c.Context())
			if err := errors.Join(err, st.Close()); err != nil {
				return err
			}
			if f == "json" {
				return writeJSON(s.out, map[string]any{"tables": sizes})
			}
			t := newTable(s.out, "TABLE", "ROWS", "BYTES")
			for _, z := range sizes {
				t.row(z.Table, strconv.FormatInt(z.Rows, 10), strconv.FormatInt(z.Bytes, 10))
			}
			return t.flush()
		},
	}
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	return c
}
