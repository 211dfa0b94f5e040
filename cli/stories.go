package cli

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
)

// settledWithin is how long the sample may take until the stories are told as
// far as they go.
const settledWithin = 2 * time.Minute

// hunts are the questions of the first story, in the words of the mission: the
// number it names, and the vulnerability people mean by it.
var hunts = []string{"3889", "3602", "3786"}

// stories tells the stories of the sample estate in the terminal, from the same
// picture that the portal shows.
func (v *server) stories(ctx context.Context, out io.Writer) error {
	w, err := v.settled(ctx)
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
	paths := report.AttackPaths(w).Paths
	if len(paths) > 0 {
		p := slices.MinFunc(paths, func(a, b analyse.Path) int {
			return cmp.Or(cmp.Compare(gains(a), gains(b)), cmp.Compare(len(b.Steps), len(a.Steps)), cmp.Compare(b.RiskScore, a.RiskScore))
		})
		writePath(out, p.Risk, p.Title, p.Cluster+" · "+p.Namespace, p.Story)
		for _, f := range p.Fixes {
			fmt.Fprintf(out, "   fix (%s the path): %s\n", f.Effect, plain(f.Title))
		}
		fmt.Fprintf(out, "   … and %d more paths\n", len(paths)-1)
	}
	mend(out, w)
	fmt.Fprintln(out)
	return nil
}

// toldUpdates is how many updates of each demand are told.
const toldUpdates = 2

// mend tells how images stand, and the updates that matter most.
func mend(out io.Writer, w *scope.World) {
	fmt.Fprintln(out, "\nWhat to update:")
	advice := report.Recommended(w)
	for _, d := range advice.Demands {
		fmt.Fprintf(out, "   %s: %d of %s have some, %d not scanned\n", d.Title, d.Affected, count(d.Images, "image"), d.Unknown)
		told := advice.Only(d.About).Recommendations
		for _, r := range told[:min(len(told), toldUpdates)] {
			fmt.Fprintf(out, "      %s: fixes %s (%d known to be exploited) in %s and %s, %d exposed; attack paths: %s\n",
				plain(r.Title), count(len(r.Vulnerabilities), "finding"), r.Exploited, count(len(r.Images), "image"), count(len(r.Pods), "pod"), r.Exposed, r.Effects())
		}
		if more := len(told) - toldUpdates; more > 0 {
			fmt.Fprintf(out, "      … and %d more updates\n", more)
		}
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

// settled waits until every cluster was read and every image looked at.
func (v *server) settled(ctx context.Context) (*scope.World, error) {
	ctx2, cancel := context.WithTimeout(ctx, settledWithin)
	defer cancel()
	for events := v.live.Subscribe(ctx2); ; {
		w := scope.Of(v.live.World(), operator)
		if current(w) && v.assessed() {
			return w, ctx.Err()
		}
		select {
		case <-events:
		case <-time.After(200 * time.Millisecond): // images change without an event
		case <-ctx2.Done():
			return scope.Of(v.live.World(), operator), ctx.Err()
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

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// assessed says that no registry and no image waits, and that the picture shows
// what was found.
func (v *server) assessed() bool {
	for _, r := range v.registries.Registries() {
		if r.State == registries.Waiting || r.State == registries.Reading {
			return false
		}
	}
	if v.images.Pending() {
		return false
	}
	view := v.live.World().View
	for id, i := range v.images.Images() {
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
		fmt.Fprintf(out, "   contains %s: %s in %s: %s\n", number, row[0], plain(row[1].String()), runs)
	}
	if len(r.Rows) == 0 {
		fmt.Fprintf(out, "   contains %s: none\n", number)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(out, "   (%s: %s)\n", g.What, g.Consequence)
	}
	return nil
}
