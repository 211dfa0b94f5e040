package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
)

// registryPolicy is what of a registry is read, and when, as flags say it.
type registryPolicy struct {
	repositories, tagNames, platforms, hours []string
	tags                                     int
	vex                                      bool
	maxAge, every                            string
	flags                                    *pflag.FlagSet
}

func (p *registryPolicy) add(c *cobra.Command) {
	p.flags = c.Flags()
	f := p.flags
	f.StringArrayVar(&p.repositories, "repository", nil,
		"a repository or a pattern such as shop/*, or '!shop/old-*' to leave it out; may repeat")
	f.StringArrayVar(&p.tagNames, "tag", nil, "a tag or a pattern such as v*, or '!*-debug' to leave it out; may repeat")
	f.IntVar(&p.tags, "tags", 0, "read at most this many tags of a repository, those that sort highest as versions")
	f.StringVar(&p.maxAge, "max-age", "", "such as 90d: leave out images that say they were made longer ago")
	f.StringSliceVar(&p.platforms, "platform", nil, "such as linux/arm64, the most wanted first; may repeat")
	f.BoolVar(&p.vex, "vex", false, "documents of VEX that the registry has for images count where nobody else says anything")
	f.StringVar(&p.every, "every", "", "such as 6h: the least time between two readings")
	f.StringArrayVar(&p.hours, "hours", nil, "when to read it, in UTC, such as 22:00-06:00 or 'sat-sun 00:00-24:00'; may repeat")
}

// over is a registry with what flags say of it.
func (p *registryPolicy) over(what collect.Registry) (_ collect.Registry, err error) {
	for name, take := range map[string]func(){
		"repository": func() { what.Repositories = p.repositories },
		"tag":        func() { what.TagNames = p.tagNames },
		"tags":       func() { what.Tags = p.tags },
		"platform":   func() { what.Platforms = p.platforms },
		"hours":      func() { what.Hours = p.hours },
		"vex":        func() { what.VEX = p.vex },
	} {
		if p.flags.Changed(name) {
			take()
		}
	}
	for name, span := range map[string]struct {
		text string
		to   *collect.Span
	}{"max-age": {p.maxAge, &what.MaxAge}, "every": {p.every, &what.Every}} {
		if span.text == "" {
			continue
		}
		if *span.to, err = collect.ParseSpan(span.text); err != nil {
			return what, fmt.Errorf("--%s: %w", name, err)
		}
	}
	return registry.Valid(what)
}

func registryPreviewCommand(s streams) *cobra.Command {
	var file string
	var e server.Egress
	var p registryPolicy
	var f format
	var within time.Duration
	c := &cobra.Command{
		Use:   "preview [http://]HOST[/REPOSITORY]",
		Short: "List what would be read of a registry, and what would be left out and why",
		Long: `List what would be read of a registry, and what would be left out and why, by a
policy of --config or of flags. It asks the registry itself, without a server; nothing
is kept. Where an image does not say when it was made or for which platform it is, it
is read. What runs in a cluster is read whatever the policy says.`,
		Example: "  breakwater registry preview registry.example --repository 'shop/*' --tag 'v*' --tag '!*-debug' --max-age 90d",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			named, err := server.NamedRegistries(args)
			if err != nil {
				return err
			}
			what, reader, err := readerOf(named[0].Registry, file, e)
			if err == nil {
				what, err = p.over(what)
			}
			if err != nil {
				return err
			}
			found, err := reader.Preview(c.Context(), what, within)
			if err != nil {
				return err
			}
			return printPreview(s, f, what.Host, found)
		},
	}
	c.Flags().StringVar(&file, "config", "", "the server's configuration file, for its accounts and policies")
	c.Flags().DurationVar(&within, "within", 10*time.Minute, "look for no longer than this")
	p.add(c)
	egressFlags(c, &e)
	output(c, &f, "table", "json")
	return c
}

func printPreview(s streams, f format, host string, p collect.Preview) error {
	if f == "json" {
		out := api.RegistryPreview{Host: host, Chosen: p.Chosen, Left: p.Left, Repositories: p.Repositories, Items: p.Items, Gaps: p.Gaps}
		if p.Cut != "" {
			out.Cut = &p.Cut
		}
		if out.Items == nil {
			out.Items = []collect.Choice{}
		}
		if out.Gaps == nil {
			out.Gaps = []collect.Gap{}
		}
		return writeJSON(s.out, out)
	}
	t := newTable(s.out, "REPOSITORY", "TAG", "READ", "MADE", "PLATFORMS", "WHY NOT")
	for _, c := range p.Items {
		read, made := "yes", "unknown"
		if c.Why != "" {
			read = "no"
		}
		if c.Made != nil {
			made = c.Made.UTC().Format("2006-01-02")
		} else if c.Digest == "" {
			made = ""
		}
		t.row(c.Repository, c.Tag, read, made, strings.Join(c.Platforms, " "), c.Why)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "\n%d tags of %s would be read, %d would not.\n", p.Chosen, terminal.Plain(host), p.Left)
	if more := p.Chosen + p.Left - len(p.Items); more > 0 {
		fmt.Fprintf(s.out, "%d of them are not listed.\n", more)
	}
	if p.Cut != "" {
		fmt.Fprintf(s.out, "This is not all: %s.\n", terminal.Plain(p.Cut))
	}
	printGaps(s.err, p.Gaps)
	return nil
}

func registryConnectCommand(s streams) *cobra.Command {
	var data, mirror, proxy, ca string
	var p registryPolicy
	var f format
	c := &cobra.Command{
		Use:   "connect [http://]HOST[/REPOSITORY]",
		Short: "Connect a registry to the running server, or change what is read of it",
		Long: `Connect a registry to the running server, or replace what is read of one that was
connected so or in the portal. registry preview tells before what would be read. No
password is taken: the server signs in with the docker configuration of its own user.`,
		Example: "  breakwater registry connect registry.example --repository 'shop/*' --max-age 90d --hours 22:00-06:00",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			named, err := server.NamedRegistries(args)
			if err != nil {
				return err
			}
			what := named[0].Registry
			what.Mirror, what.Proxy = mirror, proxy
			if ca != "" {
				text, err := os.ReadFile(ca)
				if err != nil {
					return fmt.Errorf("--ca: %w", err)
				}
				what.Authorities = string(text)
			}
			if what, err = p.over(what); err != nil {
				return err
			}
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			return connectRegistry(c.Context(), s, f, ask, what)
		},
	}
	dataFlag(c, &data)
	p.add(c)
	c.Flags().StringVar(&mirror, "mirror", "", "[http://]HOST[:PORT]: where it is reached instead")
	c.Flags().StringVar(&proxy, "proxy", "", "through which proxy it is reached: http://HOST:PORT, https:// or socks5://, or none")
	c.Flags().StringVar(&ca, "ca", "", "a file of certificates (PEM) of who may sign for it")
	output(c, &f, "text", "json")
	return c
}

func connectRegistry(ctx context.Context, s streams, f format, ask *client, what collect.Registry) error {
	var now api.Registry
	if err := ask.ask(ctx, "/registries", what, &now); err != nil {
		return err
	}
	if f == "json" {
		return writeJSON(s.out, now)
	}
	fmt.Fprintf(s.out, "registry %s is connected: breakwater registry list says how far it is\n", terminal.Plain(now.Host))
	return nil
}

func registryDisconnectCommand(s streams) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "disconnect HOST",
		Short: "Have the running server forget a registry, and the images only it holds",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			if err := ask.end(c.Context(), "/registry?"+url.Values{"host": args}.Encode()); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "registry %s is forgotten\n", terminal.Plain(args[0]))
			return nil
		},
	}
	dataFlag(c, &data)
	return c
}
