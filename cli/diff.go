package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/spf13/cobra"

	sarifreport "github.com/owenrumney/go-sarif/v3/pkg/report"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/ref"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/report/scan"
	"github.com/breakwater-sec/breakwater/severity"
	"github.com/breakwater-sec/breakwater/terminal"
)

// change is what the command compares: two wholes, or one and what would be done to it.
type change struct {
	base, head, against string
	gone                []string
	in                  input
}

func diffCommand(s streams) *cobra.Command {
	var d change
	var f format
	var fail failing
	c := &cobra.Command{
		Use:   "diff",
		Short: "What a change opens and closes: attack paths, and traffic that works today",
		Long: `Compare two states of a cluster: the attack paths that the change opens and closes,
those whose risk it changes, and the traffic between workloads that works before and no
longer after.

With --base and --head each is a whole: a folder of manifests as it was and as it is.
With --against the cluster is the base, and the head is a copy of it to which the
manifests of --head are applied and from which each --delete is taken away: what if?
Nothing is written to the cluster. A path that is no longer found, but of which
something can no longer be seen, is told as hidden, never as closed.`,
		Example: `  breakwater diff --base main/deploy --head deploy --fail-on high -o markdown
  breakwater diff --against context:prod --head deploy
  breakwater diff --against context:prod --delete ClusterRoleBinding/ci-admin`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			before, after, err := d.states(c.Context())
			if err != nil {
				return err
			}
			found := report.Differ(before, after)
			if err := printDifference(s, f, found, cmp.Or(d.head, d.against)); err != nil {
				return err
			}
			return fail.decide(s.err, len(found.Gaps)+len(found.Hidden) > 0, worsened(found)...)
		},
	}
	flags := c.Flags()
	flags.StringVar(&d.base, "base", "", "the state before: what --from of other commands takes")
	flags.StringVar(&d.head, "head", "", "the state after; with --against, manifests to apply")
	flags.StringVar(&d.against, "against", "", "a cluster, as --from of other commands takes it, to apply --head to and --delete from")
	flags.StringArrayVar(&d.gone, "delete", nil, "with --against: KIND/NAMESPACE/NAME or KIND/NAME that would be deleted; may repeat")
	d.in.imageFlags(c, "")
	output(c, &f, "table", "json", "markdown", "sarif")
	fail.flags(c, severity.Rated, "a path that opens, or whose risk grows, has at least this risk")
	c.AddCommand(diffImageCommand(s))
	return c
}

// states computes before and after under one name, so that a path is the same in both.
func (d change) states(ctx context.Context) (before, after report.State, err error) {
	base, head, err := d.facts(ctx)
	if err != nil {
		return before, after, err
	}
	head.Cluster.Name = base.Cluster.Name
	for _, each := range []struct {
		facts *collect.Facts
		state *report.State
	}{{base, &before}, {head, &after}} {
		each.state.Facts = []*collect.Facts{each.facts}
		if each.state.World, err = d.in.computed(ctx, each.state.Facts); err != nil {
			return before, after, err
		}
	}
	return before, after, nil
}

func (d change) facts(ctx context.Context) (base, head *collect.Facts, err error) {
	switch {
	case d.against == "" && (d.base == "" || d.head == ""):
		return nil, nil, errors.New("want --base FROM and --head FROM, or --against FROM and what would change")
	case d.against != "" && d.base != "":
		return nil, nil, errors.New("want --base or --against: either is the state before")
	case d.against == "" && len(d.gone) > 0:
		return nil, nil, errors.New("want --against with --delete: a cluster to delete from")
	case d.against != "" && d.head == "" && len(d.gone) == 0:
		return nil, nil, errors.New("want --head or --delete with --against: what would change")
	}
	if base, err = factsFrom(ctx, cmp.Or(d.against, d.base)); err != nil {
		return nil, nil, err
	}
	if d.head != "" {
		if head, err = factsFrom(ctx, d.head); err != nil {
			return nil, nil, err
		}
	}
	if d.against == "" {
		return base, head, nil
	}
	gone, err := objects(d.gone)
	if err != nil {
		return nil, nil, err
	}
	changed, err := base.Without(gone...)
	if err != nil {
		return nil, nil, fmt.Errorf("--delete: %w", err)
	}
	if head != nil {
		if changed, err = kube.Over(changed, head); err != nil {
			return nil, nil, fmt.Errorf("--head: %w", err)
		}
	}
	return base, changed, nil
}

// objects reads KIND/NAMESPACE/NAME and KIND/NAME.
func objects(all []string) (out []ref.Ref, err error) {
	for _, text := range all {
		parts := strings.Split(text, "/")
		switch len(parts) {
		case 2:
			out = append(out, ref.Ref{Kind: parts[0], Name: parts[1]})
		case 3:
			out = append(out, ref.Ref{Kind: parts[0], Namespace: parts[1], Name: parts[2]})
		default:
			return nil, fmt.Errorf("--delete %s: want KIND/NAMESPACE/NAME or KIND/NAME", text)
		}
	}
	return out, nil
}

func printDifference(s streams, f format, d report.Difference, head string) error {
	switch f {
	case "json":
		return writeJSON(s.out, d)
	case "markdown":
		return differenceMarkdown(s.out, d)
	case "sarif":
		return differenceSARIF(s.out, d, head)
	}
	differenceText(s.out, d)
	printGaps(s.err, d.Gaps)
	return nil
}

// sum is the change in one line.
func sum(d report.Difference) string {
	text := fmt.Sprintf("Opens %s, closes %d; %d stay", terminal.Count(len(d.Opened), "attack path"), len(d.Closed), d.Kept)
	if len(d.Changed) > 0 {
		text += fmt.Sprintf(", %d with another risk", len(d.Changed))
	}
	if len(d.Hidden) > 0 {
		text += fmt.Sprintf("; %d can no longer be judged", len(d.Hidden))
	}
	if d.PermissionsGone > 0 {
		text += fmt.Sprintf("; takes %s", terminal.Count(d.PermissionsGone, "permission"))
	}
	if d.RoutesLost > 0 {
		text += fmt.Sprintf("; loses %s of traffic", terminal.Count(d.RoutesLost, "route"))
	}
	return text + "."
}

func differenceText(w io.Writer, d report.Difference) {
	fmt.Fprintln(w, sum(d))
	if len(d.Opened) > 0 {
		fmt.Fprintln(w, "\nOpened:")
	}
	for _, p := range d.Opened {
		terminal.Path(w, p.Risk, p.Title, p.Cluster+" · "+p.Namespace, p.Story)
	}
	line := func(head string, p analyse.Path, more string) {
		fmt.Fprintf(
			w,
			"%s %s: %s (%s)%s\n",
			head,
			terminal.Plain(p.Risk),
			terminal.Plain(p.Title),
			terminal.Plain(where(p)),
			terminal.Plain(more),
		)
	}
	for _, p := range d.Closed {
		line("closed", p, "")
	}
	for _, c := range d.Changed {
		line("changed", c.Path, ", was "+c.BeforeRisk)
	}
	for _, h := range d.Hidden {
		line("hidden", h.Path, ": "+h.Why)
	}
	for _, l := range d.Lost {
		fmt.Fprintf(w, "lost: %s\n", terminal.Plain(lostRoute(l)))
	}
	if more := d.RoutesLost - len(d.Lost); more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
	for _, l := range d.PermissionsLost {
		fmt.Fprintf(w, "lost: %s\n", terminal.Plain(lostPermission(l)))
	}
	if more := d.PermissionsGone - len(d.PermissionsLost); more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
	for _, text := range d.NotKnown {
		fmt.Fprintf(w, "not known: %s\n", terminal.Plain(text))
	}
}

func lostPermission(l report.PermissionLost) string {
	text := l.Identity + " may no longer " + l.Permission
	if l.Uncertain != "" {
		text += ", as far as is known: " + l.Uncertain
	}
	return text
}

// where is the place in which a path begins.
func where(p analyse.Path) string {
	return strings.Trim(p.Namespace+" · "+cmp.Or(p.Foothold.Workload, p.Foothold.Name), " ·")
}

func lostRoute(l report.Lost) string {
	text := l.From + " → " + l.To + " on " + strings.Join(l.Before, ", ")
	if len(l.After) > 0 {
		text += "; what is left: " + strings.Join(l.After, ", ")
	}
	return text
}

// differenceMarkdown is for the comment of a merge request.
func differenceMarkdown(w io.Writer, d report.Difference) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### Breakwater: %s\n", markdown(sum(d)))
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(&b, "\n#### %s\n\n", title)
		}
		for _, l := range lines {
			fmt.Fprintln(&b, l)
		}
	}
	told := func(p analyse.Path, more string) string {
		return fmt.Sprintf("- **%s** %s (%s)%s", markdown(p.Risk), markdown(p.Title), markdown(where(p)), markdown(more))
	}
	var opened, closed, changed, hidden, lost, taken, gaps []string
	for _, p := range d.Opened {
		opened = append(opened, told(p, ""))
		for i, sentence := range p.Story {
			opened = append(opened, fmt.Sprintf("  %d. %s", i+1, markdown(sentence)))
		}
		for _, fix := range p.Fixes {
			if fix.Effect == analyse.Breaks {
				opened = append(opened, "  - fix: "+markdown(fix.Title))
			}
		}
	}
	for _, p := range d.Closed {
		closed = append(closed, told(p, ""))
	}
	for _, c := range d.Changed {
		changed = append(changed, told(c.Path, ", was "+c.BeforeRisk))
	}
	for _, h := range d.Hidden {
		hidden = append(hidden, told(h.Path, ": "+h.Why))
	}
	for _, l := range d.Lost {
		lost = append(lost, "- "+markdown(lostRoute(l)))
	}
	if more := d.RoutesLost - len(d.Lost); more > 0 {
		lost = append(lost, fmt.Sprintf("- … and %d more", more))
	}
	for _, l := range d.PermissionsLost {
		taken = append(taken, "- "+markdown(lostPermission(l)))
	}
	if more := d.PermissionsGone - len(d.PermissionsLost); more > 0 {
		taken = append(taken, fmt.Sprintf("- … and %d more", more))
	}
	for _, g := range collect.ByReason(d.Gaps) {
		gaps = append(gaps, "- "+markdown(g.What+": "+g.Why))
	}
	section("Opened", opened)
	section("Closed", closed)
	section("Another risk", changed)
	section("Can no longer be judged", hidden)
	section("Traffic that works today and would be lost", lost)
	section("Permissions that are held today and would be lost", taken)
	section("Not seen", gaps)
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown keeps text that strangers wrote from being read as markup: as entities, as addresses that become links, and
// as people and issues. Those are looked for in what a backslash leaves, so an empty comment parts them from their sign.
func markdown(text string) string {
	var b strings.Builder
	text = terminal.Plain(text)
	for i, r := range text {
		switch {
		case r == '@' || r == '#':
			b.WriteString("\\" + string(r) + "<!-- -->")
			continue
		case strings.ContainsRune("\\`*_[]<>|~!&", r), r == ':' && strings.HasPrefix(text[i:], "://"),
			r == '.' && strings.HasSuffix(text[:i], "www"):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// differenceSARIF writes one result for each path that opens, and what could not be seen
// as notifications of the run.
func differenceSARIF(w io.Writer, d report.Difference, head string) error {
	r := sarifreport.NewV210Report()
	run := sarif.NewRunWithInformationURI("Breakwater", "https://github.com/breakwater-sec/breakwater")
	invocation := sarif.NewInvocation().WithExecutionSuccessful(true)
	run.AddInvocation(invocation)
	at := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(head))
	result := func(p analyse.Path, text string) {
		run.AddRule(p.Type).WithDescription(p.Why)
		run.CreateResultForRule(p.Type).WithLevel(scan.SARIFLevel(p.Risk)).WithMessage(sarif.NewTextMessage(text)).
			WithPartialFingerprints(map[string]string{"breakwaterPath/v1": p.ID}).
			AddLocation(sarif.NewLocationWithPhysicalLocation(at))
	}
	for _, p := range d.Opened {
		result(p, "Opens: "+p.Title+" ("+where(p)+"). "+strings.Join(p.Story, " "))
	}
	for _, c := range d.Changed {
		if severity.Compare(c.Path.Risk, c.BeforeRisk) > 0 {
			result(c.Path, "Risk grows from "+c.BeforeRisk+" to "+c.Path.Risk+": "+c.Path.Title+" ("+where(c.Path)+").")
		}
	}
	notify := func(text string) {
		invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel("warning").WithMessage(sarif.NewTextMessage(text)))
	}
	for _, h := range d.Hidden {
		notify("Can no longer be judged: " + h.Path.Title + ": " + h.Why)
	}
	for _, g := range collect.ByReason(d.Gaps) {
		notify(g.What + ": " + g.Why)
	}
	r.AddRun(run)
	return r.PrettyWrite(w)
}
