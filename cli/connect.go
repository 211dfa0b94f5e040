package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func connectCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "connect", Short: "Let a cluster send its events to the server"}
	c.AddCommand(connectAuditCommand(s), connectSensorCommand(s), connectReplayCommand(s))
	return c
}

// connection is what one cluster needs to send events of one kind.
type connection struct {
	data, cluster, server, out string
	valid                      time.Duration
	uses                       int
}

const days = 24 * time.Hour

func (o *connection) flags(c *cobra.Command, how string, valid time.Duration) {
	c.Flags().DurationVar(&o.valid, "valid", valid, "how long the token counts, such as 720h; breakwater tokens lists, ends and renews it")
	dataFlag(c, &o.data)
	c.Flags().StringVar(&o.cluster, "cluster", "", "the cluster's name, as in breakwater serve --from NAME=…")
	c.Flags().StringVar(&o.server, "server", "",
		"where "+how+" the server's --ingest-listen (by default, where the running server listens)")
	c.Flags().StringVar(&o.out, "out", "", "folder for the files")
}

// grant makes a token and finds where the server is and who vouches for it.
func (o *connection) grant(ctx context.Context, kind ingest.Kind) (ca []byte, token string, err error) {
	err = o.with(ctx, func(d datadir.Dir, st *store.Store) error {
		vouching, err := ingest.OpenAuthority(d.Authority())
		if err != nil {
			return err
		}
		ca = vouching.PEM
		token, err = st.NewIngestToken(ctx, store.IngestToken{Cluster: o.cluster, Kind: string(kind), ExpiresAt: time.Now().Add(o.valid),
			MaxUses: o.uses, MadeBy: whoRuns()})
		return recorded(ctx, st, "make a token", o.cluster+" ("+string(kind)+")", err)
	})
	return ca, token, err
}

// with checks what was asked for, finds the server, and does something with its records.
func (o *connection) with(ctx context.Context, do func(datadir.Dir, *store.Store) error) error {
	if o.cluster == "" || o.out == "" {
		return errors.New("want --cluster NAME and --out DIR")
	}
	if o.valid <= 0 || o.uses < 0 {
		return errors.New("--valid and --uses: want more than nothing")
	}
	d := datadir.Dir(o.data)
	if !d.Stored() {
		return unused(d)
	}
	if o.server == "" {
		r, err := d.Server()
		if err != nil {
			return err
		}
		if o.server = r.Ingest; o.server == "" {
			return errors.New("the running server takes no events: start it with --ingest-listen, or say where it " +
				"will listen with --server")
		}
	}
	if u, err := url.Parse(o.server); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--server %q: want https://HOST:PORT", o.server)
	}
	return withStore(ctx, o.data, func(st *store.Store) error { return do(d, st) })
}
