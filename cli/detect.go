package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/server"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

func detectCommand(s streams) *cobra.Command {
	var o detectOptions
	c := &cobra.Command{
		Use:   "detect --audit FILE…",
		Short: "Find attacks in audit logs and runtime events: one alert for one human action",
		Long: `Read logs and tell what the detection rules find in them: one alert for one human
action, however many requests, stages and controllers it went through. A file is
a log with one event a line, an EventList, or one event, gzip or not; of runtime
events, what breakwater-sensor --stdout printed. - is the standard input. What could
not be read is counted and said, never passed over. Containers go by their ids: only
the server, which knows the clusters, tells their pods.`,
		Example: "  breakwater detect --audit /var/log/kubernetes/audit.log --fail-on high\n" +
			"  breakwater-sensor --stdout | breakwater detect --runtime -",
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("output") && isTerminal(s.out) {
				o.format = "table"
			}
			return o.run(c, s, args)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&o.audit, "audit", nil, "Kubernetes audit logs; may repeat, and further arguments are more of them")
	f.StringArrayVar(&o.runtime, "runtime", nil, "events that breakwater-sensor wrote; may repeat")
	f.StringVar(&o.rules, "rules", "", "a folder of rules to use beside the built-in ones, in detect/*/ below it")
	f.StringVar(&o.cluster, "cluster", "cluster", "what the cluster is called in alerts")
	f.StringVar(&o.provider, "provider", "", "whose cluster it is, so that the names of that provider's own components count: "+
		strings.Join(audit.Providers, ", ")+"; what the log itself shows counts without it")
	f.StringSliceVar(&o.proxies, "trusted-proxy", nil, trustedProxy)
	o.fail.flags(c, severity.Rated, "an alert is at least this severe")
	output(c, &o.format, "jsonl", "json", "table")
	c.Flags().Lookup("output").Usage += "; on a terminal table is the default"
	return c
}

const trustedProxy = "addresses (CIDR) of load balancers before the API server, whose word on where a request came from counts"

type detectOptions struct {
	audit, runtime, proxies        []string
	rules, cluster, provider       string
	fail                           failing
	kind                           string // of the log that is read
	format                         format
	prefixes                       []netip.Prefix
	decoder                        *audit.Decoder
	lines, rejected, blind, events int
	unplaced                       int            // events of containers whose pod nobody told
	undecided                      map[string]int // events of the file that rules could not be judged for
	gaps                           []collect.Gap
	broken                         error
}

// reader reads one kind of log in batches.
type reader func(s streams, file string, in io.Reader, each func([]event.Event)) error

func (o *detectOptions) run(c *cobra.Command, s streams, args []string) error {
	if len(o.audit) == 0 && len(o.runtime) == 0 {
		return errors.New("nothing to read: want --audit FILE or --runtime FILE")
	}
	if len(o.runtime) == 0 {
		o.audit = append(o.audit, args...)
	} else {
		o.runtime = append(o.runtime, args...)
	}
	if o.provider != "" && !slices.Contains(audit.Providers, o.provider) {
		return fmt.Errorf("provider %q: want one of %s", o.provider, strings.Join(audit.Providers, ", "))
	}
	var err error
	if o.prefixes, err = server.Prefixes(o.proxies); err != nil {
		return err
	}
	rules, err := server.LoadDetections(o.rules)
	if err != nil {
		return err
	}
	found := alerts{}
	engine := detect.New(rules, nil, detect.Options{})
	feed := func(events []event.Event) {
		for rule, n := range rules.Blind(events) {
			o.undecided[rule] += n
		}
		found.take(engine.Feed(events))
	}
	for _, in := range []struct {
		kind  string
		files []string
		read  reader
	}{{"audit", o.audit, o.readAudit}, {"runtime", o.runtime, o.readRuntime}} {
		for _, file := range in.files {
			o.kind = in.kind
			if err := o.file(c, s, file, in.read, feed); err != nil {
				return err
			}
		}
	}
	return o.write(s, found.sorted())
}

// file opens a file, gzip or not. One that breaks off is said to, and what came
// before counts.
func (o *detectOptions) file(c *cobra.Command, s streams, file string, read reader, feed func([]event.Event)) error {
	in, closed, err := openLog(c.InOrStdin(), file)
	if err != nil {
		return err
	}
	defer func() { _ = closed() }()
	before := *o
	o.undecided = map[string]int{}
	if err := read(s, file, in, feed); err != nil {
		o.broken = fmt.Errorf("%s: %w", file, err)
		o.gap(file, "the file breaks off: "+err.Error(), "What comes after is not looked at.")
	}
	if o.lines == before.lines && o.broken == nil {
		o.gap(file, "no event is in it", "Nothing was looked at: that there is no alert says nothing.")
	}
	if n := o.rejected - before.rejected; n > 0 {
		fmt.Fprintf(s.err, "%s: %d of %d events could not be read\n", terminal.Plain(file), n, o.lines-before.lines)
		o.gap(file, fmt.Sprintf("%d events could not be read", n), "Attacks in them are not seen.")
		if o.events == before.events {
			o.broken = fmt.Errorf("%s: holds no %s events", file, o.kind)
		}
	}
	if n, undecided := o.blind-before.blind, detect.Undecided(o.undecided); n > 0 || undecided != "" {
		why, consequence := audit.WhyBlind(n)
		o.gap(file, why, consequence+undecided)
	}
	if n := o.unplaced - before.unplaced; n > 0 {
		o.gap(file, fmt.Sprintf("%d events are of containers whose pods are not known here", n),
			"Alerts name containers by id, and rules that ask for a namespace do not find it.")
	}
	return nil
}

func (o *detectOptions) gap(what, why, consequence string) {
	o.gaps = append(o.gaps, collect.Gap{Cluster: o.cluster, Source: o.kind, What: what, Why: why, Consequence: consequence})
}

func (o *detectOptions) write(s streams, found []detect.Alert) error {
	lines := []alertLine{}
	var severities []string
	for _, a := range found {
		lines = append(lines, lineOf(a))
		severities = append(severities, a.Severity)
	}
	whole := map[string]any{"alerts": lines, "events": o.events, "rejected": o.rejected, "gaps": gapsOrEmpty(o.gaps)}
	err := writeAs(s, o.format, whole, lines, o.gaps, func() error { return o.table(s.out, lines) })
	if err = cmp.Or(err, o.broken); err != nil {
		return err
	}
	return o.fail.decide(s.err, len(o.gaps) > 0, severities...)
}

// table is alerts for people: one a row, and of how many events they came.
func (o *detectOptions) table(w io.Writer, found []alertLine) error {
	if len(found) > 0 {
		t := newTable(w, "FIRST SEEN", "SEVERITY", "TIMES", "ALERT", "BY", "ON", "RULE")
		for _, a := range found {
			t.row(a.Time.UTC().Format(time.DateTime), a.Severity, strconv.Itoa(a.Count), a.Title, named(a.Entities, event.Actor),
				named(a.Entities, event.Target), a.Rule)
		}
		if err := t.flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, "%d alerts in the %d events that were read\n", len(found), o.events)
	return err
}

// named is the first entity of a role as people write it, and how many more there are.
func named(entities []event.Entity, role event.Role) string {
	var out []string
	for _, e := range entities {
		if e.Role == role {
			out = append(out, e.Kind+" "+collect.Key{Namespace: e.Namespace, Name: e.Name}.String())
		}
	}
	switch len(out) {
	case 0:
		return ""
	case 1:
		return out[0]
	}
	return fmt.Sprintf("%s and %d more", out[0], len(out)-1)
}

// alertLine is an alert as the command line promises it.
type alertLine struct {
	ID         string            `json:"id"`
	Rule       string            `json:"rule"`
	Title      string            `json:"title"`
	Severity   string            `json:"severity"`
	Techniques []string          `json:"techniques"`
	Time       time.Time         `json:"time"`
	Last       time.Time         `json:"lastSeen"`
	Count      int               `json:"count"`
	Cluster    string            `json:"cluster"`
	Entities   []event.Entity    `json:"entities"`
	Evidence   string            `json:"evidence"`
	Events     []json.RawMessage `json:"events"`
}

func lineOf(a detect.Alert) alertLine {
	return alertLine{a.ID, a.Rule, a.Title, a.Severity, a.Techniques, a.First, a.Last, a.Count, a.Cluster, a.Entities,
		strings.Join(a.Evidence, " "), a.Events}
}

// alerts keeps what was last said of each alert.
type alerts map[string]detect.Alert

func (a alerts) take(changed []detect.Alert) {
	for _, one := range changed {
		a[one.ID] = one
	}
}

func (a alerts) sorted() (out []detect.Alert) {
	for _, one := range a {
		out = append(out, one)
	}
	slices.SortFunc(out, func(x, y detect.Alert) int {
		return cmp.Or(x.First.Compare(y.First), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.ID, y.ID))
	})
	return out
}
