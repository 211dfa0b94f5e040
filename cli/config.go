package cli

import (
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/ingest"
)

// config is everything a server can be told. Parts get fields, never the struct.
type config struct {
	from   []string
	sample bool
	listen string
	hosts  []string
	ingest string
	// nats is where events wait, if not in this process.
	nats ingest.NATS
	// proxies are the addresses of load balancers before API servers.
	proxies []string
	data    string
	storage storage
	// tlsCert and tlsKey are needed to listen beyond loopback.
	tlsCert, tlsKey string
	secrets         bool
	noImages        bool
	mirrors         []string
	// registries are read whole; file is the configuration file.
	registries    []string
	file          string
	registryEvery time.Duration
	registryQPS   float64
	rules         string
	scanWorkers   int
	qps           float32
	saveEvery     time.Duration
	verbose       bool
}

func (c *config) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&c.from, "from", nil, "a cluster to watch: context:NAME, in-cluster, a folder or file of manifests, a dump; NAME=… before it names the cluster; may repeat")
	f.BoolVar(&c.sample, "sample", false, "serve the sample estate: two clusters of a harbour's shop and their images")
	f.StringVar(&c.listen, "listen", "127.0.0.1:7878", "address to listen on; port 0 takes a free one")
	f.StringSliceVar(&c.hosts, "host", nil, "a further host name that browsers may use for this server; may repeat")
	f.StringVar(&c.ingest, "ingest-listen", "", "address that takes the audit logs of clusters, with TLS and a token each (see connect); nothing is taken without it")
	f.StringVar(&c.nats.URL, "nats", "", "a NATS cluster with JetStream in which events wait, such as nats://HOST:4222 (default: "+natsVariable+", or inside this process, in --data)")
	f.StringVar(&c.nats.Credentials, "nats-creds", "", "credentials file for --nats")
	f.StringVar(&c.nats.CA, "nats-ca", "", "certificates (PEM) of who vouches for the servers of --nats")
	f.StringVar(&c.nats.Certificate, "nats-cert", "", "client certificate file (PEM) for --nats")
	f.StringVar(&c.nats.Key, "nats-key", "", "private key file (PEM) of --nats-cert")
	f.IntVar(&c.nats.Replicas, "nats-replicas", 0, "how many servers of --nats store each event; 0 leaves it at what the streams have")
	f.StringSliceVar(&c.proxies, "trusted-proxy", nil, trustedProxy)
	dataFlag(cmd, &c.data)
	c.storage.flags(cmd)
	f.StringVar(&c.tlsCert, "tls-cert", "", "certificate file (PEM); needed to listen beyond loopback")
	f.StringVar(&c.tlsKey, "tls-key", "", "private key file (PEM) of --tls-cert")
	f.BoolVar(&c.secrets, "secret-names", false, "also list names and types of Secrets, never values; the account must be allowed to list them")
	f.BoolVar(&c.noImages, "no-images", false, "do not read images from registries: what is in them stays unknown")
	f.StringArrayVar(&c.mirrors, "registry-mirror", nil, "HOST=HOST:PORT: where a registry is reached instead; may repeat")
	f.StringArrayVar(&c.registries, "registry", nil, "a registry to read: [http://]HOST[/REPOSITORY], where the repository may be a pattern such as shop/*; may repeat")
	f.StringVar(&c.file, "config", "", "a YAML file of registries to read, with their filters and where their passwords lie, and of what is kept")
	f.DurationVar(&c.registryEvery, "registry-every", 10*time.Minute, "least time between two readings of a registry")
	f.Float64Var(&c.registryQPS, "registry-qps", 20, "requests per second to one registry for its list, at most")
	f.StringVar(&c.rules, "rules", "", "a folder of rules to use beside the built-in ones")
	f.IntVar(&c.scanWorkers, "scan-workers", 2, "how many images are read at once")
	f.Float32Var(&c.qps, "qps", 20, "requests per second to one API server, at most")
	f.DurationVar(&c.saveEvery, "save-every", 30*time.Second, "least time between two savings of a cluster's facts")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "log more")
}

// natsVariable names the NATS cluster: an address may hold a password, and flags are seen
// by whoever lists processes.
const natsVariable = "BREAKWATER_NATS"

// version is what the Go toolchain knows of this build.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	return v
}
