package cli

import (
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/egress"
	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/server"
)

// egressFlags give a command what images may be fetched from beyond registries of the internet.
func egressFlags(c *cobra.Command, e *server.Egress) {
	f := c.Flags()
	f.StringArrayVar(&e.Mirrors, "registry-mirror", nil, "HOST=HOST:PORT: where a registry is reached instead; may repeat")
	f.StringArrayVar(&e.Allow, "allow-private", nil, "[http://]HOST[:PORT], an address or a network such as 10.0.0.0/8: images may be "+
		"fetched from there though it is not of the internet, or speaks no TLS; may repeat")
	f.StringArrayVar(&e.Sites, "registry-site", nil,
		"HOST=HOST: a registry, and where it keeps tokens or layers if that is not its own site; may repeat")
	f.StringArrayVar(&e.Authorities, "registry-ca", nil,
		"HOST=FILE: certificates (PEM) of who may sign for a registry, beside those that this machine knows; may repeat")
	f.StringArrayVar(&e.Proxies, "registry-proxy", nil,
		"HOST=http://HOST:PORT: through which proxy a registry is reached, or none, in place of HTTPS_PROXY; may repeat")
}

// wayTo is the policy where a person wrote the reference of an image: its registry is named.
func wayTo(p egress.Policy, ref image.Reference) egress.Policy {
	host := ref.Registry()
	if r, err := name.NewRegistry(host); err == nil {
		host = r.RegistryStr() // docker.io has another name there
	}
	return p.With(egress.Host{Name: host})
}
