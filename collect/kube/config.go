package kube

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	_ "k8s.io/client-go/plugin/pkg/client/auth" // credential plugins register themselves; client-go leaves no other way
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says which cluster to read and how gently.
type Config struct {
	// Name is the cluster's name in the estate.
	Name   string
	REST   *rest.Config
	Source string // for ClusterInfo
	// Secrets opts in to names and types of Secrets. The server sends no values,
	// but the account must be allowed to list secrets, which would show them.
	Secrets bool
	// QPS and Burst bound all requests together; Page is the size of a list's pages.
	QPS   float32
	Burst int
	Page  int64
	// Budget is how many bytes the objects of the cluster may take, as they are kept.
	Budget int64
	// RetryDenied is how long a resource that stays refused is left alone.
	RetryDenied time.Duration
	// Probe is how often the server is asked whether it is still there.
	Probe time.Duration
	// Rediscover is how often new kinds are looked for, and Secrets are listed.
	Rediscover time.Duration
	Interner   *Interner // may be shared by clusters
	Log        *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.REST == nil {
		return c, errors.New("read a cluster: no connection is configured")
	}
	if c.QPS == 0 {
		c.QPS, c.Burst = 20, 40
	}
	if c.Page == 0 {
		c.Page = 500
	}
	if c.Budget == 0 {
		c.Budget = 2 << 30
	}
	setDefault(&c.RetryDenied, time.Minute)
	setDefault(&c.Probe, 10*time.Second)
	setDefault(&c.Rediscover, 5*time.Minute)
	if c.Interner == nil {
		c.Interner = NewInterner()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// FromContext reads a context of a kubeconfig file; an empty path means the
// usual places (KUBECONFIG, ~/.kube/config), an empty name the current context.
func FromContext(path, name string) (Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = path
	client := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: name})
	raw, err := client.RawConfig()
	if err != nil {
		return Config{}, fmt.Errorf("read kubeconfig: %w", err)
	}
	if name == "" {
		name = raw.CurrentContext
	}
	if _, ok := raw.Contexts[name]; !ok {
		return Config{}, fmt.Errorf("read kubeconfig: no context %q", name)
	}
	cfg, err := client.ClientConfig()
	if err != nil {
		return Config{}, fmt.Errorf("read kubeconfig context %q: %w", name, err)
	}
	return Config{Name: name, REST: cfg, Source: "context:" + name}, nil
}

// InCluster uses the service account of the pod we run in.
func InCluster(name string) (Config, error) {
	cfg, err := rest.InClusterConfig()
	if err != nil {
		return Config{}, fmt.Errorf("read the service account of this pod: %w", err)
	}
	return Config{Name: name, REST: cfg, Source: "in-cluster"}, nil
}
