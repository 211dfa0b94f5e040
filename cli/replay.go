package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/breakwater-sec/breakwater/ingest/sender"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

func connectReplayCommand(s streams) *cobra.Command {
	var kubeconfig string
	c := &cobra.Command{
		Use:   "replay --kubeconfig FILE LOG…",
		Short: "Send audit log files to the server: what the webhook gave up is in them",
		Long: `Send an API server's log files (gzip or not, - is the standard input) the way its
webhook does, with the kubeconfig that connect audit made. An API server gives up
events that it cannot deliver after some tries; its log file still has them. What
the server knows already makes no second alert and counts once.`,
		Example: "  breakwater connect replay --kubeconfig /etc/kubernetes/audit/webhook.kubeconfig /var/log/kubernetes/audit.log",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			sender, err := senderOf(kubeconfig)
			if err != nil {
				return err
			}
			for _, file := range files {
				if err := replayFile(c, s, sender, file); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&kubeconfig, "kubeconfig", "webhook.kubeconfig", "the file that connect audit made")
	return c
}

// senderOf reads server, authority and token of a webhook's kubeconfig.
func senderOf(file string) (*sender.Sender, error) {
	var k struct {
		Clusters []struct {
			Cluster struct {
				Server    string
				Authority string `json:"certificate-authority-data"`
			}
		}
		Users []struct {
			User struct {
				Token       string
				Certificate string `json:"client-certificate-data"`
				Key         string `json:"client-key-data"`
			}
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(b, &k); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(k.Clusters) != 1 || len(k.Users) != 1 || k.Users[0].User.Token == "" && k.Users[0].User.Key == "" {
		return nil, fmt.Errorf("%s: want one cluster and one user with a token or a key, as connect audit writes them", file)
	}
	ca, err := base64.StdEncoding.DecodeString(k.Clusters[0].Cluster.Authority)
	if err != nil {
		return nil, fmt.Errorf("%s: certificate-authority-data: %w", file, err)
	}
	user := k.Users[0].User
	if user.Key == "" {
		return sender.New(k.Clusters[0].Cluster.Server, user.Token, ca)
	}
	certificate, err := base64.StdEncoding.DecodeString(user.Certificate)
	if err != nil {
		return nil, fmt.Errorf("%s: client-certificate-data: %w", file, err)
	}
	key, err := base64.StdEncoding.DecodeString(user.Key)
	if err != nil {
		return nil, fmt.Errorf("%s: client-key-data: %w", file, err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return sender.New(k.Clusters[0].Cluster.Server, "", ca, pair)
}

const (
	replayEvents = 400     // in one request, as many as an API server sends
	replayBytes  = 8 << 20 // about
	replayLine   = 16 << 20
)

// replayFile sends a file in batches and says how many events that were.
func replayFile(c *cobra.Command, s streams, to *sender.Sender, file string) error {
	in, closed, err := openLog(c.InOrStdin(), file)
	if err != nil {
		return err
	}
	defer func() { _ = closed() }()
	b := eventBatch{to: to}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), replayLine)
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		switch {
		case len(line) == 0:
		case line[0] != '{' || !json.Valid(line):
			b.broken++
			if b.broken <= maxComplaints {
				fmt.Fprintf(s.err, "%s:%d: not an event: want one JSON object a line\n", terminal.Plain(file), n)
			}
		default:
			if err := b.add(c.Context(), line); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(lines.Err(), b.flush(c.Context())); err != nil {
		return fmt.Errorf("after line %d, with %d events sent: %w", n, b.sent, err)
	}
	_, err = fmt.Fprintf(s.err, "%s: %d events sent, %d lines were none\n", terminal.Plain(file), b.sent, b.broken)
	return err
}

// eventBatch gathers events until there are enough for a request.
type eventBatch struct {
	to           *sender.Sender
	body         bytes.Buffer
	waiting      int
	sent, broken int
}

func (b *eventBatch) add(ctx context.Context, event []byte) error {
	if b.waiting == 0 {
		b.body.WriteString(`{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[`)
	} else {
		b.body.WriteByte(',')
	}
	b.body.Write(event)
	if b.waiting++; b.waiting < replayEvents && b.body.Len() < replayBytes {
		return nil
	}
	return b.flush(ctx)
}

func (b *eventBatch) flush(ctx context.Context) error {
	if b.waiting == 0 {
		return nil
	}
	b.body.WriteString("]}")
	if err := b.to.SendWithRetry(ctx, b.body.Bytes()); err != nil {
		return err
	}
	b.sent, b.waiting = b.sent+b.waiting, 0
	b.body.Reset()
	return nil
}
