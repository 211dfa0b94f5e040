package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/store"
)

// pushesPath is where registries tell of pushes.
const pushesPath = "/api/v1/registry/pushes"

func registryWebhookCommand(s streams) *cobra.Command {
	var data, at string
	var valid time.Duration
	var f format
	c := &cobra.Command{
		Use:   "webhook HOST",
		Short: "Make a token with which a registry tells of pushes, so that they are read at once",
		Long: `Make a token with which a registry tells of pushes, and print it with the address to
send them to: it is told here and nowhere else. It is good for this registry and for
nothing else. What is told is a hint: the server asks the registry itself what the tag
stands for, and only of repositories that it reads. Known are the notifications of the
distribution project's registry (GitLab's too), Harbor, Quay, Docker Hub, GitHub,
Artifactory, Azure, Amazon (EventBridge), Google (Pub/Sub), and {"image": "HOST/REPOSITORY:TAG"}.
breakwater tokens lists it, ends it and renews it.`,
		Example: "  breakwater registry webhook registry.example --server https://breakwater.example:7878",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return makeWebhook(c.Context(), s, f, data, args[0], at, valid)
		},
	}
	dataFlag(c, &data)
	c.Flags().StringVar(&at, "server", "", "where the registry reaches the server's --listen (by default, where the running server listens)")
	c.Flags().DurationVar(&valid, "valid", 365*days, "how long the token counts, such as 720h")
	output(c, &f, "text", "json")
	return c
}

func makeWebhook(ctx context.Context, s streams, f format, data, host, at string, valid time.Duration) error {
	what, err := collect.Registry{Host: host}.Valid()
	if err != nil {
		return err
	}
	if valid <= 0 {
		return errors.New("--valid: want more than nothing")
	}
	d := datadir.Dir(data)
	if !d.Stored() {
		return unused(d)
	}
	if at == "" {
		running, err := d.Server()
		if err != nil {
			return err
		}
		at = running.URL
	}
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("--server %q: want https://HOST:PORT", at)
	}
	to := url.URL{Scheme: u.Scheme, Host: u.Host, Path: pushesPath}
	ends := time.Now().Add(valid)
	var token string
	err = withStore(ctx, data, func(st *store.Store) error {
		token, err = st.NewIngestToken(ctx, store.IngestToken{Kind: store.PushToken, Subject: what.Host, ExpiresAt: ends, MadeBy: whoRuns()})
		return recorded(ctx, st, "make a token for pushes", what.Host, err)
	})
	if err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, map[string]any{"registry": what.Host, "url": to.String(), "token": token, "expiresAt": ends})
	}
	return said(s, nil, fmt.Sprintf(afterWebhook, what.Host, to.String(), token))
}

const afterWebhook = `Let %[1]s send its notifications of pushes to

  %[2]s

with the header

  Authorization: Bearer %[3]s

A registry that lets you write no header takes the token in the address: %[2]s?token=%[3]s
Proxies on the way may log that, so prefer the header. To try it:

  curl -H 'Authorization: Bearer %[3]s' --data '{"image": "%[1]s/REPOSITORY:TAG"}' %[2]s
`
