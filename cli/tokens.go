package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

func tokensCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "tokens",
		Short: "What clusters, nodes, registries and builds show when they send something: list it, end it, renew it"}
	c.AddCommand(tokensListCommand(s), tokensRevokeCommand(s), tokensRotateCommand(s), tokensReleaseCommand(s),
		tokensUploadCommand(s))
	return c
}

// withStore does something with the records of the server on a folder.
func withStore(ctx context.Context, data string, do func(*store.Store) error) (err error) {
	d := datadir.Dir(data)
	if !d.Stored() {
		return unused(d)
	}
	st, err := d.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return do(st)
}

func unused(d datadir.Dir) error {
	return fmt.Errorf("no server has used %s yet: start breakwater serve first, or name its folder with --data", d)
}

func tokensListCommand(s streams) *cobra.Command {
	var data, cluster string
	var f format
	c := &cobra.Command{
		Use:   "list",
		Short: "Join, audit, webhook and upload tokens and certificates, with who made them, their last use and their end",
		Long: `List join tokens, audit tokens, webhook tokens, upload tokens and the certificates of
nodes, those that need something first. No secret is shown: the server keeps only hashes. What ended stays
in the list for a week. Nodes that wait to join are in it as long as they ask.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return withStore(c.Context(), data, func(st *store.Store) error { return listTokens(c.Context(), s, f, st, cluster) })
		},
	}
	dataFlag(c, &data)
	c.Flags().StringVar(&cluster, "cluster", "", "only those of this cluster")
	output(c, &f, "table", "json")
	return c
}

func listTokens(ctx context.Context, s streams, f format, st *store.Store, cluster string) error {
	tokens, err := st.IngestTokens(ctx)
	if err != nil {
		return err
	}
	certificates, err := st.Certificates(ctx)
	if err != nil {
		return err
	}
	waiting, err := st.WaitingNodes(ctx)
	if err != nil {
		return err
	}
	var waits []api.NodeWaits
	for _, w := range waiting {
		waits = append(waits, api.NodeWaits(w))
	}
	items := []api.Token{}
	for _, t := range api.TokensOf(tokens, certificates, waits, time.Now()) {
		if cluster == "" || t.Cluster == cluster {
			items = append(items, t)
		}
	}
	if f == "json" {
		return writeJSON(s.out, map[string]any{"tokens": items})
	}
	t := newTable(s.out, "ID", "KIND", "OF", "NODE", "STATE", "ENDS", "LAST USED", "FROM", "MADE BY", "USES")
	for _, i := range items {
		t.row(i.Id, string(i.Kind), cmp.Or(i.Cluster, value(i.Registry), value(i.Build)), value(i.Node),
			string(i.State), minuteOf(i.ExpiresAt, "never"),
			minuteOf(i.LastUsedAt, "never"), value(i.LastUsedFrom), value(i.CreatedBy), usesOf(i))
	}
	return t.flush()
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func minuteOf(t *time.Time, otherwise string) string {
	if t == nil {
		return otherwise
	}
	return t.UTC().Format("2006-01-02 15:04")
}

func usesOf(t api.Token) string {
	switch {
	case t.Uses == nil:
		return ""
	case t.MaxUses == nil:
		return strconv.Itoa(*t.Uses)
	}
	return fmt.Sprintf("%d of %d", *t.Uses, *t.MaxUses)
}

func tokensRevokeCommand(s streams) *cobra.Command {
	var data string
	var joined bool
	c := &cobra.Command{
		Use:   "revoke ID",
		Short: "End a token or a certificate: requests with it are refused from now on",
		Long: `End a token or a certificate by its id, as tokens list shows it. Requests with it
are refused from now on, on connections that are open too. Of a certificate the key
is not taken again: the node's sensor needs a new one, which it makes when its folder
identity is removed (of the DaemonSet: when its pod is deleted), and a join token
that counts.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withStore(c.Context(), data, func(st *store.Store) error { return revokeToken(c.Context(), s, st, args[0], joined) })
		},
	}
	dataFlag(c, &data)
	c.Flags().BoolVar(&joined, "with-certificates", false, "of a join token: also end every certificate that was got with it")
	return c
}

func revokeToken(ctx context.Context, s streams, st *store.Store, id string, joined bool) error {
	certificates, err := st.Certificates(ctx)
	if err != nil {
		return err
	}
	for _, c := range certificates {
		if c.Serial == id {
			err := revoked(id, st.RevokeCertificate(ctx, c.Cluster, c.Serial, whoRuns()))
			return said(s, recorded(ctx, st, "end a token", id, err), "Revoked "+id+".\n")
		}
	}
	if err := recorded(ctx, st, "end a token", id, revoked(id, st.RevokeIngestToken(ctx, id, whoRuns()))); err != nil {
		return err
	}
	if joined {
		if err := recorded(ctx, st, "end a token", id+" with its certificates", st.RevokeJoined(ctx, id, whoRuns())); err != nil {
			return err
		}
		return said(s, nil, "Revoked "+id+" and the certificates that were got with it.\n")
	}
	return said(s, nil, "Revoked "+id+". Nodes that joined with it go on: --with-certificates ends them too.\n")
}

func revoked(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no token or certificate %s that counts: breakwater tokens list shows those there are", id)
	}
	return err
}

func said(s streams, err error, text string) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}

func tokensRotateCommand(s streams) *cobra.Command {
	var data string
	var keep time.Duration
	var f format
	c := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make the next token in place of one; both count for a while",
		Long: `Make the next token in place of one, of the same length of life,
and print it: it is told here and nowhere else. The old one counts for --keep-old
beside it. Put the new one where the old one was: of an API server into its
webhook.kubeconfig, of sensors into the Secret breakwater-sensor, of a registry into its
webhook. Certificates renew themselves.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withStore(c.Context(), data, func(st *store.Store) error { return rotateToken(c.Context(), s, f, st, args[0], keep) })
		},
	}
	dataFlag(c, &data)
	c.Flags().DurationVar(&keep, "keep-old", 24*time.Hour, "for how long the old one counts; 0 ends it at once")
	output(c, &f, "text", "json")
	return c
}

func rotateToken(ctx context.Context, s streams, f format, st *store.Store, id string, keep time.Duration) error {
	if keep < 0 {
		return errors.New("--keep-old: want 0 or more")
	}
	token, made, err := st.RotateIngestToken(ctx, id, whoRuns(), keep)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no token %s that can be rotated: breakwater tokens list shows those there are; certificates renew themselves", id)
	}
	if err := recorded(ctx, st, "rotate a token", id, err); err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, map[string]any{"id": made.ID, "cluster": made.Cluster, "token": token, "expiresAt": made.ExpiresAt})
	}
	return said(s, nil, fmt.Sprintf("Token %s of %s, instead of %s, which counts for %s more:\n\n%s\n", made.ID,
		cmp.Or(made.Cluster, made.Subject), id, cmp.Or(keep.String(), "0s"), token))
}

func tokensReleaseCommand(s streams) *cobra.Command {
	var data, cluster string
	c := &cobra.Command{
		Use:   "release --cluster NAME NODE",
		Short: "Let a node that was set up anew join under another key",
		Long: `End the certificate of a node, so that it may join under another key. It is needed
where a node was set up anew, or its sensor's pod was gone without a goodbye, and its
old certificate has not ended yet. Whether a node of that name wants to join under
another key is told as an alert: look there first.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if cluster == "" {
				return errors.New("want --cluster NAME")
			}
			return withStore(c.Context(), data, func(st *store.Store) error {
				err := st.ReleaseNode(c.Context(), cluster, args[0], whoRuns())
				if errors.Is(err, store.ErrNotFound) {
					return fmt.Errorf("no node %s of the cluster %s has joined", args[0], cluster)
				}
				err = recorded(c.Context(), st, "release a node", cluster+"/"+args[0], err)
				return said(s, err, "The node "+args[0]+" may join under another key.\n")
			})
		},
	}
	dataFlag(c, &data)
	c.Flags().StringVar(&cluster, "cluster", "", "the cluster's name")
	return c
}
