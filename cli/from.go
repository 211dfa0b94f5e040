package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/collect/provider"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/live"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/server"
)

// input is where an analysis without a server gets its clusters.
type input struct {
	from   []string
	data   string
	images bool
	// egress is what images may be fetched from beyond registries of the internet.
	egress server.Egress
	rules  string
	cloud  []string
}

func (in *input) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&in.from, "from", nil,
		"context:NAME, in-cluster, a folder or file of manifests, a kubectl List, a dump, or - for manifests from the standard input; "+
			"NAME=… before it names the cluster; may repeat. Without it the running server is asked")
	in.imageFlags(c, "with --from: ")
}

// imageFlags are the flags of an analysis that is not asked of a server.
func (in *input) imageFlags(c *cobra.Command, when string) {
	f := c.Flags()
	f.BoolVar(&in.images, "images", false,
		when+"read the images from their registries too; otherwise only what was read before is known")
	egressFlags(c, &in.egress)
	cloudFlag(c, &in.cloud)
	f.StringVar(&in.rules, "rules", "", when+"a folder of rules to use beside the built-in ones")
	dataFlag(c, &in.data)
}

// cloudFlag gives a command what clouds say of themselves.
func cloudFlag(c *cobra.Command, to *[]string) {
	c.Flags().StringArrayVar(to, "cloud", nil, "a file or folder of what the cluster's cloud says of itself, as JSON of its "+
		"describe, list and export commands; may repeat")
}

// ask has the running server answer, where there is no --from: a GET, or a POST if there is a body.
func (in *input) ask(ctx context.Context, s streams, path string, body, answer any) error {
	cl, err := dial(s.err, datadir.Dir(in.data))
	if err != nil {
		return err
	}
	return cl.ask(ctx, path, body, answer)
}

// facts reads every --from once.
func (in *input) facts(ctx context.Context) ([]*collect.Facts, error) {
	var out []*collect.Facts
	said, err := provider.Read(in.cloud...)
	if err != nil {
		return nil, fmt.Errorf("read --cloud: %w", err)
	}
	for _, s := range in.from {
		f, err := factsFrom(ctx, s)
		if err != nil {
			return nil, err
		}
		if said != nil {
			f.Cloud = said
		}
		out = append(out, f)
	}
	return out, nil
}

// factsFrom reads one cluster.
func factsFrom(ctx context.Context, from string) (*collect.Facts, error) {
	name, source := server.SplitFrom(from)
	f, err := kube.Open(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from, err)
	}
	if name != "" {
		f.Cluster.Name = name
	}
	return f, nil
}

// world computes what --from names.
func (in *input) world(ctx context.Context) (*scope.World, error) {
	facts, err := in.facts(ctx)
	if err != nil {
		return nil, err
	}
	return in.computed(ctx, facts)
}

// computed is the picture of facts.
func (in *input) computed(ctx context.Context, facts []*collect.Facts) (*scope.World, error) {
	rules, err := server.LoadRules(in.rules)
	if err != nil {
		return nil, err
	}
	images, done, err := imagesFor(ctx, datadir.Dir(in.data), in.images, in.egress)
	if err != nil {
		return nil, err
	}
	defer done()
	return seen(live.Once(ctx, rules, images, facts))
}
