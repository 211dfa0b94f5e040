package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/registry"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/terminal"
)

func registryCommand(s streams) *cobra.Command {
	c := &cobra.Command{Use: "registry", Short: "Container registries: what their account may see, and how far they were read"}
	c.AddCommand(registryCheckCommand(s), registryListCommand(s), registryImagesCommand(s), registryWebhookCommand(s),
		registryReferrersCommand(s), registryPreviewCommand(s), registryConnectCommand(s), registryDisconnectCommand(s))
	return c
}

func registryCheckCommand(s streams) *cobra.Command {
	var file string
	var e server.Egress
	var f format
	c := &cobra.Command{
		Use:   "check [http://]HOST[/REPOSITORY]",
		Short: "Try each thing that reading a registry needs, and say what is not seen without it",
		Long: `Try each thing that reading a registry needs, and say what is not seen without it.
It asks the registry itself, without a server, with the account that docker login
or the file of --config has for it. It exits with 2 if something is refused.`,
		Example: "  breakwater registry check registry.example/shop/web",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return checkRegistry(c.Context(), s, f, args[0], file, e)
		},
	}
	c.Flags().StringVar(&file, "config", "", "the server's configuration file, for its accounts")
	egressFlags(c, &e)
	output(c, &f, "table", "json")
	return c
}

func checkRegistry(ctx context.Context, s streams, f format, arg, file string, e server.Egress) error {
	named, err := server.NamedRegistries([]string{arg})
	if err != nil {
		return err
	}
	what, reader, err := readerOf(named[0].Registry, file, e)
	if err != nil {
		return err
	}
	who, from, err := reader.Account(ctx, what.Host)
	if err != nil {
		return err
	}
	out := api.RegistryCheck{Host: what.Host, Ok: true, Account: who, AccountFrom: from, Permissions: reader.Check(ctx, what)}
	refused := 0
	for _, p := range out.Permissions {
		if p.State == collect.Refused {
			out.Ok = false
			refused++
		}
	}
	if f == "json" {
		err = writeJSON(s.out, out)
	} else {
		err = printCheck(s, out)
	}
	if err == nil && refused > 0 {
		err = fmt.Errorf("registry %s: %d of %d permissions are refused", what.Host, refused, len(out.Permissions))
	}
	return err
}

// readerOf is what reads a registry as a file of --config says, where it names it, and flags.
func readerOf(what collect.Registry, file string, e server.Egress) (_ collect.Registry, r registry.Reader, err error) {
	if r.Policy, err = e.Policy(); err != nil || file == "" {
		return what, r, err
	}
	var known []registries.Connection
	if known, r.Logins, err = server.ReadConfig(file); err != nil {
		return what, r, err
	}
	for _, c := range known {
		if c.Host != what.Host {
			continue
		}
		named, insecure := what.Repositories, what.Insecure
		if what = c.Registry; len(named) > 0 {
			what.Repositories = named
		}
		what.Insecure = what.Insecure || insecure
	}
	return what, r, nil
}

func printCheck(s streams, c api.RegistryCheck) error {
	who := "as nobody"
	if c.Account != "" {
		who = "as " + c.Account
	}
	fmt.Fprintf(s.out, "registry %s, %s (%s)\n\n", terminal.Plain(c.Host), terminal.Plain(who), terminal.Plain(c.AccountFrom))
	t := newTable(s.out, "PERMISSION", "STATE", "WHY", "NOT SEEN THEREFORE")
	for _, p := range c.Permissions {
		t.row(p.What, string(p.State), p.Why, p.Blind)
	}
	return t.flush()
}

func registryListCommand(s streams) *cobra.Command {
	var data string
	var f format
	c := &cobra.Command{
		Use:   "list",
		Short: "The registries that the running server reads, and how far it is",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			if f == "json" {
				return ask.get(c.Context(), "/registries", s.out)
			}
			var list api.RegistryList
			if err := ask.ask(c.Context(), "/registries", nil, &list); err != nil {
				return err
			}
			return printRegistries(s, list)
		},
	}
	dataFlag(c, &data)
	output(c, &f, "table", "json")
	return c
}

func printRegistries(s streams, list api.RegistryList) error {
	t := newTable(s.out, "REGISTRY", "STATE", "REPOSITORIES", "TAGS", "IMAGES", "DONE", "WAITING", "FAILED", "UNSUPPORTED", "READ")
	for _, r := range list.Items {
		i := r.Images
		t.row(r.Host, string(r.State), strconv.Itoa(r.Repositories), strconv.Itoa(r.Tags), strconv.Itoa(i.Total), strconv.Itoa(i.Done),
			strconv.Itoa(i.Queued+i.Scanning), strconv.Itoa(i.Failed), strconv.Itoa(i.Unsupported), at(r.LastReadAt))
	}
	if err := t.flush(); err != nil {
		return err
	}
	printGaps(s.err, list.Gaps)
	return nil
}

func at(t *time.Time) string {
	if t == nil {
		return "not yet"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func registryImagesCommand(s streams) *cobra.Command {
	var data, state string
	var f format
	c := &cobra.Command{
		Use:     "images HOST",
		Short:   "What a registry holds, and where the reading of each image stands",
		Example: "  breakwater registry images registry.example --state failed",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			return registryImages(c.Context(), s, ask, f, args[0], state)
		},
	}
	dataFlag(c, &data)
	states := []string{"queued", "scanning", "done", "failed", "unsupported"}
	c.Flags().Var(&choice{&state, states}, "state", "only those: "+strings.Join(states, ", "))
	output(c, &f, "table", "jsonl")
	return c
}

// registryImages asks page after page: a registry may hold more than fits in one.
func registryImages(ctx context.Context, s streams, ask *client, f format, host, state string) error {
	q := url.Values{"host": {host}, "limit": {"1000"}}
	if state != "" {
		q.Set("state", state)
	}
	t := newTable(s.out, "IMAGE", "DIGEST", "STATE", "RUNS", "TRIED", "NEXT TRY", "WHY")
	if f == "jsonl" {
		t = nil
	}
	for {
		var page api.RegistryImageList
		if err := ask.ask(ctx, "/registry/images?"+q.Encode(), nil, &page); err != nil {
			return err
		}
		if t == nil {
			if err := writeLines(s.out, page.Items); err != nil {
				return err
			}
		} else {
			rowsOf(t, page.Items)
		}
		if page.Next == nil {
			break
		}
		q.Set("cursor", *page.Next)
	}
	if t == nil {
		return nil
	}
	return t.flush()
}

func rowsOf(t *table, images []api.RegistryImage) {
	for _, i := range images {
		runs, next := "no", ""
		if i.Running {
			runs = strconv.Itoa(i.Pods) + " pods"
		}
		if i.NextTry != nil {
			next = at(i.NextTry)
		}
		t.row(i.Name, short(i.Id), string(i.State), runs, strconv.Itoa(i.Attempts), next, i.Why)
	}
}

// short is enough of a digest to tell it from others.
func short(digest string) string { return digest[:min(len(digest), 19)] }
