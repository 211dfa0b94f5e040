package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/sample"
	"github.com/breakwater-sec/breakwater/server"
)

func serveCommand(s streams) *cobra.Command {
	var c server.Config
	var live bool
	cmd := &cobra.Command{
		Use:         "serve",
		Annotations: map[string]string{endsItself: "yes"},
		Short:       "Watch clusters and registries and serve portal and API",
		Long: `Watch clusters and registries and serve portal and API on loopback, with storage of
its own.

It prints a sign-in link that works once. No cluster is read that was not named:
KUBECONFIG is looked at only for --from context:NAME. Registries are read with the
account that docker login has for them, or that the file of --config names.`,
		Example: "  breakwater serve --sample\n  breakwater serve --from context:prod --from staging=context:stg --registry registry.example",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.Flags().Visit(func(f *pflag.Flag) { c.Settings = append(c.Settings, "--"+f.Name+"="+f.Value.String()) })
			return serve(cmd.Context(), s, c, live)
		},
	}
	serveFlags(cmd, &c)
	cmd.Flags().BoolVar(&live, "sensor", false,
		"with --sample: watch this machine with breakwater-sensor (eBPF, as root) as if it were a node, instead of replaying a recording")
	return cmd
}

// serveFlags binds the flags of serve.
func serveFlags(cmd *cobra.Command, c *server.Config) {
	f := cmd.Flags()
	f.StringArrayVar(&c.From, "from", nil,
		"a cluster to watch: context:NAME, in-cluster, a folder or file of manifests, a dump; NAME=… before it names the cluster; may repeat")
	f.BoolVar(&c.Sample, "sample", false, "serve the sample estate, two clusters of a harbour's shop and their images, alone and "+
		"in the folder sample of --data")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:7878", "address to listen on; port 0 takes a free one")
	f.StringSliceVar(&c.Hosts, "host", nil, "a further host name that browsers may use for this server; may repeat")
	f.StringVar(&c.Ingest, "ingest-listen", "",
		"address that takes the audit logs of clusters, with TLS and a token each (see connect); nothing is taken without it")
	f.DurationVar(&c.SensorCertificates, "sensor-cert-life", 24*time.Hour,
		"how long the certificate of a node's sensor lives; it is renewed after two thirds of that")
	f.BoolVar(&c.SensorTokens, "sensor-tokens", false,
		"take records of sensors of earlier releases, which show a join token and no certificate; such a token may then speak for every node "+
			"of its cluster: for the time of an upgrade")
	f.StringVar(&c.NATS.URL, "nats", "",
		"a NATS cluster with JetStream in which events wait, such as nats://HOST:4222 (default: "+server.NATSVariable+
			", or inside this process, in --data)")
	f.StringVar(&c.NATS.Credentials, "nats-creds", "", "credentials file for --nats")
	f.StringVar(&c.NATS.CA, "nats-ca", "", "certificates (PEM) of who vouches for the servers of --nats")
	f.StringVar(&c.NATS.Certificate, "nats-cert", "", "client certificate file (PEM) for --nats")
	f.StringVar(&c.NATS.Key, "nats-key", "", "private key file (PEM) of --nats-cert")
	f.IntVar(&c.NATS.Replicas, "nats-replicas", 0, "how many servers of --nats store each event; 0 leaves it at what the streams have")
	f.StringSliceVar(&c.Proxies, "trusted-proxy", nil, trustedProxy)
	dataFlag(cmd, &c.Data)
	storageFlags(cmd, &c.Storage)
	f.StringVar(&c.TLSCert, "tls-cert", "", "certificate file (PEM); needed to listen beyond loopback")
	f.StringVar(&c.TLSKey, "tls-key", "", "private key file (PEM) of --tls-cert")
	f.BoolVar(&c.Secrets, "secret-names", false,
		"also list names and types of Secrets, never values; the account must be allowed to list them")
	f.BoolVar(&c.NoImages, "no-images", false, "do not read images from registries: what is in them stays unknown")
	egressFlags(cmd, &c.Egress)
	f.StringArrayVar(&c.Registries, "registry", nil,
		"a registry to read: [http://]HOST[/REPOSITORY], where the repository may be a pattern such as shop/*; may repeat")
	f.StringVar(&c.File, "config", "", "a YAML file of registries to read, with their filters and where their passwords "+
		"lie, and of what is kept")
	f.DurationVar(&c.RegistryEvery, "registry-every", 10*time.Minute, "least time between two readings of a registry")
	f.DurationVar(&c.AdvisoriesEvery, "advisories-every", 0,
		"how often advisories are fetched from where they are published, such as 6h; 0 leaves it to breakwater db update and db import")
	f.StringVar(&c.AdvisoriesMirror, "advisories-mirror", "", "http(s)://HOST[/PATH] where advisories are fetched instead")
	f.Float64Var(&c.RegistryQPS, "registry-qps", 20, "requests per second to one registry for its list, at most")
	f.StringVar(&c.Rules, "rules", "", "a folder of rules to use beside the built-in ones")
	f.StringVar(&c.Exceptions, "exceptions", "", "a YAML file of vulnerabilities that people accepted, as scan image --help describes it; "+
		"it is read again when it changes")
	f.IntVar(&c.ScanWorkers, "scan-workers", 3,
		"how many images are read at once, each in a process of its own; of one registry all but one at most")
	f.Float32Var(&c.QPS, "qps", 20, "requests per second to one API server, at most")
	f.DurationVar(&c.SaveEvery, "save-every", 30*time.Second, "least time between two savings of a cluster's facts")
	f.StringArrayVar(&c.Limits, "limit", nil, server.LimitHelp())
	f.StringVar(&c.MinFree, "min-free", server.DefaultReserve, "how much of the disk of --data stays free: below it events are answered "+
		"with 503, images wait, and what is there can be read; a size, hundredths of the disk, or the less of both")
	f.StringVar(&c.Metrics.Listen, "metrics-listen", "", "address that tells metrics of the server to Prometheus, such as 127.0.0.1:9464; "+
		"none without it")
	f.StringVar(&c.Metrics.TokenFile, "metrics-token-file", "", "file with the bearer token that who asks for metrics must show; needed, "+
		"with --tls-cert, beyond loopback")
	f.StringVar(&c.Log.Level, "log-level", "info", "the least that is logged: debug, info, warn or error")
	f.StringVar(&c.Log.Format, "log-format", "text", "text, or json for programs that read the log")
	f.BoolVarP(&c.Verbose, "verbose", "v", false, "as --log-level debug")
}

// serve runs the server, shows the sample if it is served, and prints how to sign in.
func serve(ctx context.Context, s streams, c server.Config, live bool) error {
	if live && !c.Sample {
		return errors.New("--sensor is for --sample; a cluster's nodes get theirs with breakwater connect sensor")
	}
	c.Operator, c.Caged = operator, isProgram(ctx)
	stop := func() {}
	defer func() { stop() }()
	return server.Run(ctx, c, s.err, func(ctx context.Context, v *server.Server, url string) (err error) {
		if c.Sample {
			if stop, err = sample.Show(ctx, v, operator, live, s.out); err != nil {
				return err
			}
		}
		token, err := v.Store.NewSignIn(ctx, 10*time.Minute, operatorScope(), whoRuns())
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "Breakwater serves %s\nSign in (the link works once, for ten minutes):\n\n  %s\n\n", url,
			api.SignInLink(url, token))
		return err
	})
}
