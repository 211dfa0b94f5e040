package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

// supposition is what would be done to a copy of a cluster.
type supposition struct {
	apply, gone, fixes []string
	assume             string
	in                 input
}

func whatIfCommand(s streams) *cobra.Command {
	var d supposition
	var f format
	var fail failing
	c := &cobra.Command{
		Use:   "what-if",
		Short: "What would change: attack paths that go and come, and what legitimate use would lose",
		Long: `What would change if manifests were applied, objects deleted or fixes done: on a copy,
nothing is written to the cluster. Told are the attack paths that would go and come,
the traffic and the permissions that would be lost, and what nobody can say from here.

--apply takes manifests as kubectl apply does. An object that says all that one must have
stands for itself: what its file no longer says is taken away. One that says only part
(a Deployment without a selector or images, a namespace's labels) changes what is there
and keeps the rest. A workload brings the pods that it would make.
--fix takes the id of a fix as "paths -o json" and "cut" tell it. A fix that needs a
change of programs or pods is done by taking away the attack steps that it ends.

It exits with 0 when the answer could be found, whatever it is; see --fail-on.`,
		Example: `  breakwater what-if --from context:prod --apply policy.yaml
  breakwater what-if --from context:prod --delete ClusterRoleBinding/ci-admin
  breakwater what-if --from ./manifests --fix fix-1a2b3c4d5e`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			found, err := d.answer(c.Context(), s)
			if err != nil {
				return err
			}
			if err := printWhatIf(s, f, found); err != nil {
				return err
			}
			return fail.decide(s.err, len(found.Gaps)+len(found.Hidden) > 0, worsened(found.Difference)...)
		},
	}
	d.in.flags(c)
	flags := c.Flags()
	flags.StringArrayVar(
		&d.apply,
		"apply",
		nil,
		"a file or folder of manifests that would be applied, or - for the standard input; may repeat",
	)
	flags.StringArrayVar(&d.gone, "delete", nil, "KIND/NAMESPACE/NAME or KIND/NAME that would be deleted; may repeat")
	flags.StringSliceVar(&d.fixes, "fix", nil, "the id of a fix that would be done; may repeat")
	assumeFlag(c, &d.assume)
	output(c, &f, "table", "json")
	fail.flags(c, severity.Rated, "a path that comes, or whose risk grows, has at least this risk")
	return c
}

// answer asks the running server, or computes what --from names.
func (d supposition) answer(ctx context.Context, s streams) (out report.WhatIf, err error) {
	if len(d.apply)+len(d.gone)+len(d.fixes) == 0 {
		return out, errors.New("want --apply, --delete or --fix: what would change")
	}
	switch {
	case len(d.in.from) > 1:
		return out, errors.New("want one --from: one cluster is changed")
	case len(d.in.from) == 0 && len(d.apply)+len(d.gone) > 0:
		return out, errors.New("want --from with --apply and --delete: the running server tries fixes only")
	case len(d.in.from) == 0:
		return out, d.in.ask(ctx, s, "/what-if", map[string]any{"fixes": d.fixes, "assume": d.assume}, &out)
	}
	all, err := d.in.facts(ctx)
	if err != nil {
		return out, err
	}
	base := all[0]
	head, err := d.changed(ctx, base)
	if err != nil {
		return out, err
	}
	before := report.State{Facts: all}
	if before.World, err = d.in.computed(ctx, before.Facts); err != nil {
		return out, err
	}
	after := before
	if head != base {
		after.Facts = []*collect.Facts{head}
		if after.World, err = d.in.computed(ctx, after.Facts); err != nil {
			return out, err
		}
	}
	return report.TryFixes(ctx, before.World, after.World, report.Differ(before, after), d.fixes, d.assume, tryOn(after.World, after.Facts))
}

// changed are the facts with what would be applied and without what would be deleted: the
// same facts if neither is asked for.
func (d supposition) changed(ctx context.Context, base *collect.Facts) (*collect.Facts, error) {
	head := base
	if len(d.gone) > 0 {
		gone, err := objects(d.gone)
		if err != nil {
			return nil, err
		}
		if head, err = head.Without(gone...); err != nil {
			return nil, fmt.Errorf("--delete: %w", err)
		}
	}
	for _, from := range d.apply {
		applied, err := factsFrom(ctx, from)
		if err != nil {
			return nil, fmt.Errorf("--apply: %w", err)
		}
		for _, g := range applied.Gaps {
			if kube.Unread(g) {
				return nil, fmt.Errorf("--apply: %s: %s", g.What, g.Why)
			}
		}
		if head, err = kube.Over(head, applied); err != nil {
			return nil, fmt.Errorf("--apply: %w", err)
		}
	}
	return head, nil
}

func printWhatIf(s streams, f format, d report.WhatIf) error {
	if f == "json" {
		return writeJSON(s.out, d)
	}
	for _, fix := range d.Fixes {
		fmt.Fprintf(s.out, "fix %s: %s\n", fix.ID, terminal.Plain(fix.Title))
	}
	differenceText(s.out, d.Difference)
	printGaps(s.err, d.Gaps)
	return nil
}

// worsened are the risks of the paths that a change opens or makes worse.
func worsened(d report.Difference) (risks []string) {
	for _, p := range d.Opened {
		risks = append(risks, p.Risk)
	}
	for _, p := range d.Changed {
		if severity.Compare(p.Path.Risk, p.BeforeRisk) > 0 {
			risks = append(risks, p.Path.Risk)
		}
	}
	return risks
}
