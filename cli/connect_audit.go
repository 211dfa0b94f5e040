package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/deploy/audit"
	"github.com/breakwater-sec/breakwater/ingest"
	"github.com/breakwater-sec/breakwater/store"
)

func connectAuditCommand(s streams) *cobra.Command {
	var o connection
	var certificate bool
	c := &cobra.Command{
		Use:   "audit --cluster NAME --out DIR",
		Short: "Make a token and the files with which an API server sends its audit log",
		Long: `Make a token for one cluster, and write what its API server needs to send its audit
log to breakwater serve --ingest-listen: the webhook's kubeconfig with token and
certificate authority, and the audit policy that the detections need. The token is
told in that file and nowhere else; the server keeps a hash of it. It counts for a
year, unless --valid says otherwise: breakwater tokens rotate makes the next one.

With --client-certificate the kubeconfig holds a client certificate and its key
instead of a token: it is shown in the handshake and is of no use to who reads what
is sent, but there is no next one beside it. Connect again before it ends.`,
		Example: "  breakwater connect audit --cluster prod --server https://breakwater.example:7879 --out ./audit",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return connectAudit(c.Context(), s, o, certificate) },
	}
	c.Flags().BoolVar(&certificate, "client-certificate", false, "make a client certificate instead of a token")
	o.flags(c, "the API server reaches", 365*days)
	return c
}

func connectAudit(ctx context.Context, s streams, o connection, certificate bool) error {
	var ca []byte
	var user map[string]any
	if certificate {
		var err error
		if ca, user, err = o.certificate(ctx); err != nil {
			return err
		}
	} else {
		authority, token, err := o.grant(ctx, ingest.Audit)
		if err != nil {
			return err
		}
		ca, user = authority, map[string]any{"token": token}
	}
	webhook, err := webhookKubeconfig(o, ca, user)
	if err != nil {
		return err
	}
	if err := datadir.WriteFiles(o.out, map[string][]byte{"webhook.kubeconfig": webhook, "policy.yaml": audit.Policy}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, apiServerFlags, o.out, o.cluster)
	return err
}

// certificate makes a key and a certificate for it, as a user of a kubeconfig.
func (o *connection) certificate(ctx context.Context) (ca []byte, user map[string]any, err error) {
	err = o.with(ctx, func(d datadir.Dir, st *store.Store) error {
		vouching, err := ingest.OpenAuthority(d.Authority())
		if err != nil {
			return err
		}
		clients, err := ingest.OpenClients(d.Authority())
		if err != nil {
			return err
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		made, err := clients.Vouch(ingest.Identity{Cluster: o.cluster}, &key.PublicKey, o.valid)
		if err != nil {
			return err
		}
		hash, err := ingest.KeyHash(&key.PublicKey)
		if err != nil {
			return err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		ca = vouching.PEM
		user = map[string]any{"client-certificate-data": pemOf("CERTIFICATE", made.Raw), "client-key-data": pemOf("PRIVATE KEY", der)}
		err = st.AddCertificate(ctx, store.Certificate{Cluster: o.cluster, Serial: ingest.Serial(made), Kind: string(ingest.Audit), Key: hash,
			MadeBy: whoRuns(), CreatedAt: time.Now(), ExpiresAt: made.NotAfter}, false)
		return recorded(ctx, st, "make a certificate for audit events", o.cluster, err)
	})
	return ca, user, err
}

// pemOf is a block as kubeconfigs hold it.
func pemOf(kind string, der []byte) string {
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// webhookKubeconfig is the file that kube-apiserver's webhook backend wants.
func webhookKubeconfig(o connection, ca []byte, user map[string]any) ([]byte, error) {
	return yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "breakwater",
		"clusters": []any{map[string]any{"name": "breakwater", "cluster": map[string]any{
			"server": o.server + "/v1/audit/" + o.cluster, "certificate-authority-data": base64.StdEncoding.EncodeToString(ca)}}},
		"users":    []any{map[string]any{"name": "breakwater", "user": user}},
		"contexts": []any{map[string]any{"name": "breakwater", "context": map[string]any{"cluster": "breakwater", "user": "breakwater"}}},
	})
}

// apiServerFlags explains what differs from the defaults, which wait for up to 30
// seconds and throttle to ten batches a second.
const apiServerFlags = `Wrote %[1]s/webhook.kubeconfig (it holds the secret: readable by you only) and
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
