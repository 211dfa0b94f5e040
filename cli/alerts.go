package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/api"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/terminal"
)

// alertsAsked is which alerts a person asks for.
type alertsAsked struct {
	data, severity, cluster, namespace, rule, search, assignee string

	statuses         []string
	mine, unassigned bool
	since            time.Duration
	limit            int
}

func (a *alertsAsked) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&a.statuses, "status", nil, "new, in progress, resolved or dismissed; may repeat; without it the first two")
	f.StringVar(&a.severity, "severity", "", "at least this")
	f.StringVar(&a.cluster, "cluster", "", "only of this cluster")
	f.StringVar(&a.namespace, "namespace", "", "only those that name something in this namespace")
	f.StringVar(&a.rule, "rule", "", "only of the rule with this id")
	f.StringVar(&a.search, "search", "", "only with this in the title, who did it, to what, or the rule's id")
	f.StringVar(&a.assignee, "assignee", "", "only those on which this person works")
	f.BoolVar(&a.mine, "mine", false, "only those on which who runs the command works")
	f.BoolVar(&a.unassigned, "unassigned", false, "only those on which nobody works")
	dataFlag(c, &a.data)
}

func (a *alertsAsked) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"severity": a.severity, "cluster": a.cluster, "namespace": a.namespace, "rule": a.rule,
		"q": a.search, "assignee": a.assignee} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, is := range map[string]bool{"mine": a.mine, "unassigned": a.unassigned} {
		if is {
			q.Set(name, "true")
		}
	}
	if len(a.statuses) > 0 {
		q["status"] = a.statuses
	}
	if a.since > 0 {
		q.Set("since", time.Now().Add(-a.since).UTC().Format(time.RFC3339))
	}
	return q
}

func alertsCommand(s streams) *cobra.Command {
	var a alertsAsked
	var f format
	c := &cobra.Command{
		Use:   "alerts",
		Short: "The security alerts of the running server",
		Long: `The security alerts of the running server, those seen last first, with what could not be seen: no
alert means something only where events arrive.`,
		Example: "  breakwater alerts --severity high --unassigned\n  breakwater alerts --namespace shop --since 24h -o jsonl",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ask, err := dial(s.err, datadir.Dir(a.data))
			if err != nil {
				return err
			}
			list, err := a.list(c.Context(), ask)
			if err != nil {
				return err
			}
			return writeAs(s, f, list, list.Items, list.Gaps, func() error { return alertsTable(s, list) })
		},
	}
	a.flags(c)
	c.Flags().DurationVar(&a.since, "since", 0, "only those seen in this last time, such as 24h")
	c.Flags().IntVar(&a.limit, "limit", 100, "how many at most")
	output(c, &f, "table", "json", "jsonl")
	c.AddCommand(alertCommand(s), changeAlertCommand(s), watchAlertsCommand(s))
	return c
}

// list asks page after page, up to the limit.
func (a *alertsAsked) list(ctx context.Context, ask *client) (whole api.AlertList, err error) {
	most := max(a.limit, 1)
	for q := a.query(); ; {
		q.Set("limit", strconv.Itoa(min(most-len(whole.Items), 1000)))
		var page api.AlertList
		if err := ask.ask(ctx, "/alerts?"+q.Encode(), nil, &page); err != nil {
			return whole, err
		}
		items := append(whole.Items, page.Items...)
		whole = page
		whole.Items = items
		if page.Next == nil || len(items) >= most {
			return whole, nil
		}
		q.Set("cursor", *page.Next)
	}
}

func alertsTable(s streams, list api.AlertList) error {
	t := newTable(s.out, "SEVERITY", "ALERT", "WHO", "TO WHAT", "STATUS", "ASSIGNEE", "TIMES", "LAST SEEN", "CLUSTER", "ID")
	for _, a := range list.Items {
		t.row(a.Severity, a.Title, a.Actor, a.About, string(a.Status), text(a.Assignee), strconv.Itoa(a.Count),
			a.LastSeen.Local().Format(time.DateTime), a.Cluster, a.Id)
	}
	if err := t.flush(); err != nil {
		return err
	}
	if list.Next != nil {
		fmt.Fprintf(s.err, "these are the newest %d: see more with --limit\n", len(list.Items))
	}
	if len(list.Receiving) == 0 {
		fmt.Fprintln(s.err, "no cluster sends events, so nothing can be detected: see breakwater connect")
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func alertCommand(s streams) *cobra.Command {
	var data string
	var f format
	c := &cobra.Command{
		Use:     "show CLUSTER ID",
		Short:   "One alert: what happened, who and what it names, what the graph knows of them, and what people did with it",
		Example: "  breakwater alerts show prod 3f9c61d0a2b4",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			var p api.AlertPage
			if err := ask.ask(c.Context(), "/alert?"+alertKey(args).Encode(), nil, &p); err != nil {
				return err
			}
			if f == "json" {
				return writeJSON(s.out, p)
			}
			return printAlert(s, p)
		},
	}
	dataFlag(c, &data)
	output(c, &f, "text", "json")
	return c
}

func alertKey(args []string) url.Values { return url.Values{"cluster": {args[0]}, "id": {args[1]}} }

func printAlert(s streams, p api.AlertPage) error {
	say := func(text string) { fmt.Fprintln(s.out, terminal.Plain(text)) }
	a := p.Alert
	say(fmt.Sprintf("%s: %s", strings.ToUpper(a.Severity), a.Title))
	say(fmt.Sprintf("cluster %s, rule %s, %s, seen %s, first %s, last %s", a.Cluster, a.Rule, strings.Join(a.Techniques, " "),
		terminal.Count(a.Count, "time"), a.FirstSeen.Local().Format(time.DateTime), a.LastSeen.Local().Format(time.DateTime)))
	stands := string(a.Status)
	if p.DecidedBy != nil {
		stands += " by " + *p.DecidedBy
	}
	if p.Reason != "" {
		stands += ": " + p.Reason
	}
	if a.Assignee != nil {
		stands += "; " + *a.Assignee + " works on it"
	}
	say(stands)
	for _, part := range []struct {
		head  string
		lines []string
	}{
		{"What happened", p.Evidence}, {"Who and what", entityLines(p.Entities)}, {"Why it matters", []string{p.Why}},
		{"What to do", []string{p.Fix}},
		{"What people did", noteLines(p.Notes)},
	} {
		if len(part.lines) == 0 {
			continue
		}
		say("")
		say(part.head + ":")
		for _, l := range part.lines {
			say("  " + l)
		}
	}
	return nil
}

func entityLines(all []api.AlertEntity) (out []string) {
	for _, e := range all {
		line := string(e.Role) + ": " + e.Kind + " " + strings.TrimPrefix(text(e.Namespace)+"/"+e.Name, "/")
		if e.Detail != nil && *e.Detail != e.Name {
			line += " (" + *e.Detail + ")"
		}
		if e.Exposed != nil && *e.Exposed {
			line += ", exposed to the internet"
		}
		for _, p := range e.Paths {
			line += "; on the attack path " + p.Title
		}
		for _, r := range e.Reaches {
			line += "; reaches " + r
		}
		out = append(out, line)
		for _, u := range e.Unknown {
			out = append(out, "  not known: "+u)
		}
	}
	return out
}

func noteLines(all []api.AlertNote) (out []string) {
	for _, n := range all {
		what := n.What
		switch {
		case n.What == "assignee" && n.Words == "":
			what = "nobody works on it"
		case n.What == "assignee":
			what = n.Words + " works on it"
		case n.What == "comment":
			what = n.Words
		case n.Words != "":
			what += ": " + n.Words
		}
		out = append(out, n.At.Local().Format(time.DateTime)+" "+n.Person+": "+what)
	}
	return out
}

func changeAlertCommand(s streams) *cobra.Command {
	var data, status, reason, assignee, comment string
	c := &cobra.Command{
		Use:   "set CLUSTER ID…",
		Short: "Decide on alerts, give them to somebody, or say something about them",
		Long: `Decide on alerts, give them to somebody, or say something about them. What is left out stays. It is kept with
the name of who runs the command, and told with the alert.`,
		Example: `  breakwater alerts set prod 3f9c61d0a2b4 --status "in progress" --assignee alice
  breakwater alerts set prod 3f9c61d0a2b4 91be0c77d5a1 --status dismissed --reason "the drill of Tuesday"`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			change := map[string]string{}
			for name, value := range map[string]string{"status": status, "reason": reason, "assignee": assignee, "comment": comment} {
				if c.Flags().Changed(name) {
					change[name] = value
				}
			}
			if len(change) == 0 {
				return errors.New("want --status, --assignee or --comment")
			}
			ask, err := dial(s.err, datadir.Dir(data))
			if err != nil {
				return err
			}
			var keys []api.AlertKey
			for _, id := range args[1:] {
				keys = append(keys, api.AlertKey{Cluster: args[0], Id: id})
			}
			var done api.AlertsChanged
			if err := ask.put(c.Context(), "/alerts", map[string]any{"alerts": keys, "change": change}, &done); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "changed: %s\n", terminal.Count(done.Changed, "alert"))
			if len(done.Missing) > 0 {
				var ids []string
				for _, k := range done.Missing {
					ids = append(ids, k.Id)
				}
				return fmt.Errorf("not there: %s of cluster %s", terminal.Plain(strings.Join(ids, ", ")), terminal.Plain(args[0]))
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&status, "status", "", "new, in progress, resolved or dismissed")
	f.StringVar(&reason, "reason", "", "why; needed to resolve or dismiss")
	f.StringVar(&assignee, "assignee", "", "who works on it; empty: nobody")
	f.StringVar(&comment, "comment", "", "what there is to say")
	dataFlag(c, &data)
	return c
}

// watchEvery is how often alerts are asked for again.
const watchEvery = 2 * time.Second

func watchAlertsCommand(s streams) *cobra.Command {
	var a alertsAsked
	var f format
	c := &cobra.Command{
		Use:   "watch",
		Short: "Print alerts as they come, until it is interrupted",
		Long: `Print alerts as they come, until it is interrupted: each when it is first seen from now on, and again when it
is seen once more. With -o jsonl every line is an alert as alerts -o jsonl prints it.`,
		Example: "  breakwater alerts watch --severity high -o jsonl",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ask, err := dial(s.err, datadir.Dir(a.data))
			if err != nil {
				return err
			}
			return a.watch(c.Context(), s, f, ask)
		},
	}
	a.flags(c)
	output(c, &f, "text", "jsonl")
	return c
}

func (a *alertsAsked) watch(ctx context.Context, s streams, f format, ask *client) error {
	a.limit = 1000
	shown, told, began := map[api.AlertKey]int{}, map[collect.GapKey]bool{}, time.Now()
	for first := true; ; first = false {
		a.since = time.Since(began) + time.Hour // by senders' clocks, which differ
		list, err := a.list(ctx, ask)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, g := range list.Gaps {
			if !told[g.Key()] {
				told[g.Key()] = true
				fmt.Fprintf(s.err, "not seen: %s\n", terminal.Plain(g.What+": "+g.Why))
			}
		}
		seen := map[api.AlertKey]int{}
		for _, row := range slices.Backward(list.Items) {
			key := api.AlertKey{Cluster: row.Cluster, Id: row.Id}
			seen[key] = row.Count
			if first || shown[key] == row.Count {
				continue
			}
			if err := printWatched(s, f, row); err != nil {
				return err
			}
		}
		shown = seen
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

func printWatched(s streams, f format, a api.AlertRow) error {
	if f == "jsonl" {
		return writeLines(s.out, []api.AlertRow{a})
	}
	_, err := fmt.Fprintln(
		s.out,
		terminal.Plain(fmt.Sprintf("%s  %-8s  %s  by %s, %s, cluster %s, %s  %s", a.LastSeen.Local().Format(time.DateTime),
			a.Severity, a.Title, a.Actor, a.About, a.Cluster, terminal.Count(a.Count, "time"), a.Id)),
	)
	return err
}
