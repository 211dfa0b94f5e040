package kube

import (
	"context"
	"fmt"
	"io"

	"k8s.io/client-go/rest"
)

// Metrics opens what the API server measures of itself, as Prometheus text. The
// account needs get on the path /metrics: deploy/rbac/metrics.yaml.
func Metrics(ctx context.Context, c Config) (io.ReadCloser, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	cl, err := newClient(c)
	if err != nil {
		return nil, err
	}
	core, err := rest.UnversionedRESTClientForConfigAndClient(cl.unversioned(), cl.http)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cl.cfg.Host, err)
	}
	body, err := core.Get().AbsPath("/metrics").Stream(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return body, nil
}

// unversioned is the connection for paths that are no API.
func (c *client) unversioned() *rest.Config {
	cfg := rest.CopyConfig(c.cfg)
	cfg.NegotiatedSerializer = c.codecs.WithoutConversion()
	return cfg
}
