package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/deploy/audit"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func connectCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "connect", Short: "Let a cluster send its events to the server"}
	c.AddCommand(connectAuditCommand(s), connectReplayCommand(s))
	return c
}

// connectAudit is what the files for one API server are made of.
type connectAudit struct{ data, cluster, server, out string }

func connectAuditCommand(s streams) *cobra.Command {
	var o connectAudit
	c := &cobra.Command{
		Use:   "audit --cluster NAME --out DIR",
		Short: "Make a token and the files with which an API server sends its audit log",
		Long: `Make a token for one cluster, and write what its API server needs to send its audit
log to breakwater serve --ingest-listen: the webhook's kubeconfig with token and
certificate authority, and the audit policy that the detections need. The token is
told in that file and nowhere else; the server keeps a hash of it.`,
		Example: "  breakwater connect audit --cluster prod --server https://breakwater.example:7879 --out ./audit",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c.Context(), s) },
	}
	dataFlag(c, &o.data)
	c.Flags().StringVar(&o.cluster, "cluster", "", "the cluster's name, as in breakwater serve --from NAME=…")
	c.Flags().StringVar(&o.server, "server", "", "where the API server reaches the server's --ingest-listen (by default, where the running server listens)")
	c.Flags().StringVar(&o.out, "out", "", "folder for the files")
	return c
}

func (o connectAudit) run(ctx context.Context, s streams) error {
	if o.cluster == "" || o.out == "" {
		return errors.New("want --cluster NAME and --out DIR")
	}
	d := dataDir(o.data)
	if _, err := os.Stat(d.database()); err != nil {
		return fmt.Errorf("no server has used %s yet: start breakwater serve first, or name its folder with --data", d)
	}
	if o.server == "" {
		r, err := d.server()
		if err != nil {
			return err
		}
		if o.server = r.Ingest; o.server == "" {
			return errors.New("the running server takes no events: start it with --ingest-listen, or say where it will listen with --server")
		}
	}
	ca, err := ingest.OpenAuthority(d.authority())
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, d.database())
	if err != nil {
		return err
	}
	defer st.Close()
	token, err := st.NewIngestToken(ctx, o.cluster, string(ingest.Audit))
	if err != nil {
		return err
	}
	webhook, err := o.kubeconfig(ca.PEM, token)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"webhook.kubeconfig": webhook, "policy.yaml": audit.Policy} {
		if err := writeWhole(filepath.Join(o.out, name), func(w io.Writer) error { _, err := w.Write(content); return err }); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(s.out, apiServerFlags, o.out, o.cluster)
	return err
}

// kubeconfig is the file that kube-apiserver's webhook backend wants.
func (o connectAudit) kubeconfig(ca []byte, token string) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "breakwater",
		"clusters": []any{map[string]any{"name": "breakwater", "cluster": map[string]any{
			"server": o.server + "/v1/audit/" + o.cluster, "certificate-authority-data": base64.StdEncoding.EncodeToString(ca)}}},
		"users":    []any{map[string]any{"name": "breakwater", "user": map[string]any{"token": token}}},
		"contexts": []any{map[string]any{"name": "breakwater", "context": map[string]any{"cluster": "breakwater", "user": "breakwater"}}},
	})
}

// apiServerFlags explains what differs from the defaults, which wait for up to 30
// seconds and throttle to ten batches a second.
const apiServerFlags = `Wrote %[1]s/webhook.kubeconfig (it holds the token: readable by you only) and
%[1]s/policy.yaml. Put both on the control plane of %[2]s and start kube-apiserver with:

  --audit-policy-file=/etc/kubernetes/audit/policy.yaml
  --audit-webhook-config-file=/etc/kubernetes/audit/webhook.kubeconfig
  --audit-webhook-mode=batch
  --audit-webhook-batch-max-wait=1s         # the default holds events back for 30 s
  --audit-webhook-batch-buffer-size=50000   # 10,000: what waits beyond it is lost
  --audit-webhook-batch-throttle-qps=50     # 10 batches a second
  --audit-webhook-initial-backoff=1s        # 10 s; events whose retries end are lost:
                                            # apiserver_audit_error_total counts them
`
