package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/audit"
	"github.com/breakwater-sec/breakwater/server"
)

func rulesCoverageCommand(s streams) *cobra.Command {
	o := detectOptions{cluster: "cluster"}
	var f format
	c := &cobra.Command{
		Use:   "coverage --audit FILE…",
		Short: "Say which detections can fire on what an audit log shows, and why others cannot",
		Long: `Read audit logs and say of each detection whether it can fire there: can; partly, where some events could
not be judged; learns, where it watches for longer before it tells anything; unseen, where no request that it is about is in the
log; cannot, where the audit policy leaves out what it asks for; never, where no log here says what it asks for.`,
		Example: "  breakwater rules coverage --audit /var/log/kubernetes/audit.log",
		RunE: func(c *cobra.Command, args []string) error {
			o.audit = append(o.audit, args...)
			return o.coverage(c, s, f)
		},
	}
	c.Flags().StringArrayVar(&o.audit, "audit", nil, "Kubernetes audit logs; may repeat, and further arguments are more of them")
	c.Flags().StringVar(&o.rules, "rules", "", "a folder of rules to look at beside the built-in ones, in detect/*/ below it")
	output(c, &f, "table", "json", "jsonl")
	return c
}

// coverage reads logs and says which rules can fire on them.
func (o *detectOptions) coverage(c *cobra.Command, s streams, f format) error {
	if len(o.audit) == 0 {
		return errors.New("nothing to read: want --audit FILE")
	}
	rules, err := server.LoadDetections(o.rules)
	if err != nil {
		return err
	}
	o.kind, o.decoder = "audit", &audit.Decoder{Cluster: o.cluster, Envelopes: true}
	w, last := detect.Watch(rules), time.Time{}
	for _, file := range o.audit {
		err := o.file(c, s, file, o.readAudit, func(events []event.Event) {
			w.Take(events, rules.Match(events), rules.Blind(events))
			for i := range events {
				if at := events[i].Time; at.After(last) {
					last = at
				}
			}
		})
		if err != nil {
			return err
		}
	}
	rows := w.Coverage(last)
	whole := map[string]any{"coverage": rows, "events": o.events, "rejected": o.rejected, "gaps": gapsOrEmpty(o.gaps)}
	err = writeAs(s, f, whole, rows, o.gaps, func() error {
		t := newTable(s.out, "CAN", "RULE", "SEVERITY", "MATCHED", "NOT JUDGED", "WHY")
		by := map[detect.Can]int{}
		for _, r := range rows {
			by[r.Can]++
			t.row(string(r.Can), r.Rule, r.Severity, strconv.Itoa(r.Matched), strconv.Itoa(r.Blind), r.Why)
		}
		if err := t.flush(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "\n%d detections in the %d events that were read: %d can fire, %d in part, %d learn; "+
			"%d cannot, %d never, and of %d nothing was seen\n", len(rows), o.events, by[detect.Fires], by[detect.Partly], by[detect.Learns],
			by[detect.Hidden], by[detect.Nowhere], by[detect.Unseen])
		return err
	})
	if err == nil {
		err = o.broken
	}
	return err
}
