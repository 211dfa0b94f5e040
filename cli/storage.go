package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

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

// storageCommand tells the sizes by which retention is chosen. It is not in the API: rows
// of all clusters are counted, also those that the asker may not see.
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
			if !datadir.Dir(data).Stored() {
				return fmt.Errorf("no server has used %s yet", datadir.Dir(data))
			}
			st, err := datadir.Dir(data).Open(c.Context())
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
