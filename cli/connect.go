package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/ingest"
)

func connectCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "connect", Short: "Let a cluster send its events to the server"}
	c.AddCommand(connectAuditCommand(s), connectSensorCommand(s), connectReplayCommand(s))
	return c
}

// connection is what one cluster needs to send events of one kind.
type connection struct{ data, cluster, server, out string }

func (o *connection) flags(c *cobra.Command, how string) {
	dataFlag(c, &o.data)
	c.Flags().StringVar(&o.cluster, "cluster", "", "the cluster's name, as in breakwater serve --from NAME=…")
	c.Flags().StringVar(&o.server, "server", "",
		"where "+how+" the server's --ingest-listen (by default, where the running server listens)")
	c.Flags().StringVar(&o.out, "out", "", "folder for the files")
}

// grant makes a token and finds where the server is and who vouches for it.
func (o *connection) grant(ctx context.Context, kind ingest.Kind) (ca []byte, token string, err error) {
	if o.cluster == "" || o.out == "" {
		return nil, "", errors.New("want --cluster NAME and --out DIR")
	}
	d := datadir.Dir(o.data)
	if !d.Stored() {
		return nil, "", fmt.Errorf("no server has used %s yet: start breakwater serve first, or name its folder with --data", d)
	}
	if o.server == "" {
		r, err := d.Server()
		if err != nil {
			return nil, "", err
		}
		if o.server = r.Ingest; o.server == "" {
			return nil, "", errors.New("the running server takes no events: start it with --ingest-listen, or say where it " +
				"will listen with --server")
		}
	}
	if u, err := url.Parse(o.server); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, "", fmt.Errorf("--server %q: want https://HOST:PORT", o.server)
	}
	vouching, err := ingest.OpenAuthority(d.Authority())
	if err != nil {
		return nil, "", err
	}
	st, err := d.Open(ctx)
	if err != nil {
		return nil, "", err
	}
	defer st.Close()
	token, err = st.NewIngestToken(ctx, o.cluster, string(kind))
	return vouching.PEM, token, err
}
