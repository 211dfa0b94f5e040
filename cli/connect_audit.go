package cli

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/deploy/audit"
	"github.com/breakwater-sec/breakwater/ingest"
)

func connectAuditCommand(s streams) *cobra.Command {
	var o connection
	c := &cobra.Command{
		Use:   "audit --cluster NAME --out DIR",
		Short: "Make a token and the files with which an API server sends its audit log",
		Long: `Make a token for one cluster, and write what its API server needs to send its audit
log to breakwater serve --ingest-listen: the webhook's kubeconfig with token and
certificate authority, and the audit policy that the detections need. The token is
told in that file and nowhere else; the server keeps a hash of it.`,
		Example: "  breakwater connect audit --cluster prod --server https://breakwater.example:7879 --out ./audit",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return connectAudit(c.Context(), s, o) },
	}
	o.flags(c, "the API server reaches")
	return c
}

func connectAudit(ctx context.Context, s streams, o connection) error {
	ca, token, err := o.grant(ctx, ingest.Audit)
	if err != nil {
		return err
	}
	webhook, err := webhookKubeconfig(o, ca, token)
	if err != nil {
		return err
	}
	if err := datadir.WriteFiles(o.out, map[string][]byte{"webhook.kubeconfig": webhook, "policy.yaml": audit.Policy}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, apiServerFlags, o.out, o.cluster)
	return err
}

// webhookKubeconfig is the file that kube-apiserver's webhook backend wants.
func webhookKubeconfig(o connection, ca []byte, token string) ([]byte, error) {
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
