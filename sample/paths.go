package sample

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/breakwater-sec/breakwater/analyse"
	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/registries"
	"github.com/breakwater-sec/breakwater/report"
	"github.com/breakwater-sec/breakwater/scope"
	"github.com/breakwater-sec/breakwater/terminal"
)

// readWithin is how long the sample may take until the stories are told as
// far as they go.
const readWithin = 2 * time.Minute

// hunts are the questions of the first story, in the words of the mission: the
// number it names, and the vulnerability people mean by it.
var hunts = []string{"3889", "3602", "3786"}

// stories tells the stories of the sample estate in the terminal, from the same
// picture that the portal shows.
func (v *tour) stories(ctx context.Context, out io.Writer) error {
	w, err := v.whenRead(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "\nHunt: which images have a vulnerability whose CVE id contains …, and which pods run them?")
	for _, number := range hunts {
		if err := hunt(ctx, out, w, number); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nThe attacker's way in:")
	paths := report.Open(w).Paths
	if len(paths) > 0 {
		p := slices.MinFunc(paths, func(a, b analyse.Path) int {
			return cmp.Or(cmp.Compare(gains(a), gains(b)), cmp.Compare(len(b.Steps), len(a.Steps)), cmp.Compare(b.RiskScore, a.RiskScore))
		})
		terminal.Path(out, p.Risk, p.Title, p.Cluster+" · "+p.Namespace, p.Story)
		for _, f := range p.Fixes {
			fmt.Fprintf(out, "   fix (%s the path): %s\n", f.Effect, terminal.Plain(f.Title))
		}
		fmt.Fprintf(out, "   … and %d more paths\n", len(paths)-1)
	}
	mend(out, w)
	fmt.Fprintln(out)
	return nil
}

// toldUpdates is how many updates are told.
const toldUpdates = 4

// mend tells how images stand, and the updates that matter most.
func mend(out io.Writer, w *scope.World) {
	fmt.Fprintln(out, "\nWhat to update:")
	advice := report.Recommended(w)
	for _, d := range advice.Demands {
		fmt.Fprintf(out, "   %s: %d of %s have some, unknown for %d\n", d.Title, d.Affected, terminal.Count(d.Images, "image"), d.Unknown)
	}
	for _, r := range advice.Updates[:min(len(advice.Updates), toldUpdates)] {
		fmt.Fprintf(out, "   %s: fixes %s (%d known to be exploited) in %s and %s, %d exposed; attack paths: %s\n",
			terminal.Plain(r.Title), terminal.Count(len(r.Vulnerabilities), "finding"), r.Exploited, terminal.Count(len(r.Images), "image"),
			terminal.Count(len(r.Pods), "pod"), r.Exposed, r.Effects())
	}
	if more := len(advice.Updates) - toldUpdates; more > 0 {
		fmt.Fprintf(out, "   … and %d more updates\n", more)
	}
}

// gains counts the steps of an attacker behind the traffic: the story told is one
// with few of them, and all of the way that leads there.
func gains(p analyse.Path) (n int) {
	for _, s := range p.Steps {
		if s.Derived {
			n++
		}
	}
	return n
}

// whenRead waits until every cluster was read and every image looked at.
func (v *tour) whenRead(ctx context.Context) (*scope.World, error) {
	ctx2, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	for events := v.Live.Subscribe(ctx2); ; {
		w := scope.Of(v.Live.World(), v.asker)
		if current(w) && v.assessed() {
			return w, ctx.Err()
		}
		select {
		case <-events:
		case <-time.After(200 * time.Millisecond): // images change without an event
		case <-ctx2.Done():
			return scope.Of(v.Live.World(), v.asker), ctx.Err()
		}
	}
}

func current(w *scope.World) bool {
	for _, c := range w.Clusters {
		if c.Segment == nil {
			return false
		}
	}
	return true
}

// assessed says that no registry and no image waits, and that the picture shows
// what was found.
func (v *tour) assessed() bool {
	for _, r := range v.Registries.Registries() {
		if r.State == registries.Waiting || r.State == registries.Reading {
			return false
		}
	}
	if v.Images.Pending() {
		return false
	}
	view := v.Live.World().View
	for id, i := range v.Images.Images() {
		n, there := view.Node("Image", id)
		if i.State == "queued" || i.State == "scanning" || there && n.Text("scan") != i.State {
			return false
		}
	}
	return true
}

func hunt(ctx context.Context, out io.Writer, w *scope.World, number string) error {
	q, problems := query.Compile(query.Schema(), `
		MATCH (v:Vulnerability) WHERE v.id CONTAINS '`+number+`'
		MATCH (v)<-[:HAS_VULNERABILITY]-(i:Image)
		OPTIONAL MATCH (i)<-[:USES_IMAGE]-(c:Container)
		OPTIONAL MATCH (c)<-[:RUNS]-(p:Pod)
		RETURN DISTINCT v.id, i.name, p.cluster, p.namespace, p.name`)
	if len(problems) > 0 {
		return &problems[0]
	}
	r, err := query.Run(ctx, w.View, w.Scope(), q, query.Options{})
	if err != nil {
		return err
	}
	for _, row := range r.Rows {
		runs := "nothing runs it"
		if pod := row[4].String(); pod != "" {
			runs = fmt.Sprintf("pod %s in %s/%s", pod, row[2], row[3])
		}
		fmt.Fprintf(out, "   contains %s: %s in %s: %s\n", number, row[0], terminal.Plain(row[1].String()), runs)
	}
	if len(r.Rows) == 0 {
		fmt.Fprintf(out, "   contains %s: none\n", number)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(out, "   (%s: %s)\n", g.What, g.Consequence)
	}
	return nil
}
