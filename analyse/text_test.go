package analyse

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/collect/kube"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/test/golden"
	"github.com/breakwater-sec/breakwater/vuln"
)

const (
	imagesMark = "=== images ===\n"
	graphMark  = "=== graph ===\n"
	pathsMark  = "=== paths ===\n"
)

// estate is a cluster as a test writes it: manifests, and what is in the images.
type estate struct{ manifests, images string }

// readEstate reads a file of testdata; want is what lies below.
func readEstate(t testing.TB, file string) (e estate, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	above, want, _ := strings.Cut(string(text), pathsMark)
	e.manifests, e.images, _ = strings.Cut(above, imagesMark)
	return e, want
}

func (e estate) facts(t testing.TB) *collect.Facts {
	t.Helper()
	f, err := kube.ReadFS(fstest.MapFS{"in.yaml": {Data: []byte(e.manifests)}})
	if err != nil {
		t.Fatal(err)
	}
	f.Cluster.Name = "c"
	return f
}

// scanned says one vulnerability per line: image, id, severity, and any of rce,
// kev, fixed (in 2.0) or fixed=VERSION. An image with no line was never scanned.
func (e estate) scanned() (out []*assess.Assessment) {
	found := map[string][]vuln.Match{}
	var order []string
	for _, line := range strings.Split(strings.TrimSpace(e.images), "\n") {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		if _, known := found[words[0]]; !known {
			order = append(order, words[0])
			found[words[0]] = nil
		}
		if words[1] == "clean" {
			continue
		}
		m := vuln.Match{
			ID:       words[1],
			Severity: vuln.Severity(words[2]),
			RCE:      slices.Contains(words, "rce"),
			Unclear:  map[bool]string{true: "nobody says"}[slices.Contains(words, "unclear")],
			KEV:      &vuln.KEV{Listed: slices.Contains(words, "kev")},
		}
		if slices.Contains(words, "fixed") {
			m.FixedVersion = "2.0"
		}
		for _, w := range words {
			if version, said := strings.CutPrefix(w, "fixed="); said {
				m.FixedVersion = version
			}
		}
		found[words[0]] = append(found[words[0]], m)
	}
	for _, id := range order {
		p := vuln.Package{Ecosystem: "Debian:12", Name: "openssl", Version: "1.0"}
		c := assess.Contents{ID: id, Components: []assess.Component{{Package: p, PURL: "pkg:deb/debian/openssl@1.0"}}}
		out = append(out, c.Assess(advisories(found[id])))
	}
	return out
}

// advisories says the same of every package.
type advisories []vuln.Match

func (a advisories) Examine(p vuln.Package) ([]vuln.Match, []collect.Gap) {
	out := slices.Clone([]vuln.Match(a))
	for i := range out {
		out[i].Package = p
	}
	return out, nil
}

func (advisories) Doubt(vuln.Package) (collect.Gap, bool) { return collect.Gap{}, false }

// analysed is the whole way from facts to paths.
func analysed(t testing.TB, f *collect.Facts, rules *Rules, images []*assess.Assessment) (*graph.View, []Path) {
	t.Helper()
	made := segment.Cluster(f, segment.Judge(f, rules.Powers))
	shared := graph.NewShared(schema.Vocabulary())
	made.PutShared(shared)
	for _, a := range images {
		segment.PutAssessment(shared, a)
	}
	frozen := shared.Freeze()
	seg, _ := made.Build(frozen)
	var gaps []collect.Gap
	for _, g := range f.Gaps {
		gaps = append(gaps, g)
	}
	derived, paths, _, err := Cluster(context.Background(), graph.NewView(schema.Vocabulary(), frozen, seg), seg, rules, gaps...)
	if err != nil {
		t.Fatal(err)
	}
	return graph.NewView(schema.Vocabulary(), frozen, derived), paths
}

// analysedGraph is the paths in a graph as a rule's test writes it.
func analysedGraph(t testing.TB, given string, rules *Rules) []Path {
	t.Helper()
	v, err := parseGiven(given)
	if err != nil {
		t.Fatal(err)
	}
	_, paths, _, err := Cluster(context.Background(), v, v.Clusters()[0], rules)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestManifestsAndImagesGiveThePathsBelowThem(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v, %v", files, err)
	}
	rules := builtIn(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			above, _, _ := strings.Cut(string(text), pathsMark)
			var paths []Path
			if given, is := strings.CutPrefix(above, graphMark); is {
				paths = analysedGraph(t, given, rules)
			} else {
				e, _ := readEstate(t, file)
				_, paths = analysed(t, e.facts(t), rules, e.scanned())
			}
			golden.Compare(t, file, above+pathsMark+told(paths))
		})
	}
}

// told is what people read of paths.
func told(paths []Path) string {
	var b strings.Builder
	for _, p := range paths {
		fmt.Fprintf(&b, "%s (%s %d)\n  %s\n", p.Title, p.Risk, p.RiskScore, p.route())
		for i, s := range p.Story {
			fmt.Fprintf(&b, "  %d. %s\n", i+1, s)
		}
		for _, r := range p.RiskFactors {
			fmt.Fprintf(&b, "  risk %+d %s: %s\n", r.Points, r.Name, r.Why)
		}
		for _, st := range p.Steps {
			tellStep(&b, "step", st)
		}
		for _, st := range p.Also {
			tellStep(&b, "also", st)
		}
		for _, n := range p.Nodes {
			tellThing(&b, n)
		}
		for _, v := range p.Vulnerabilities {
			fmt.Fprintf(&b, "  open to %s %s %q in %s %s, fixed %q, image %s, kev %t, rce %t\n",
				v.ID, v.Severity, v.Title, v.Package, v.Installed, v.Fixed, v.Image, v.KEV, v.RCE)
		}
		for _, u := range p.Uncertain {
			fmt.Fprintf(&b, "  uncertain: %s\n", u)
		}
		for _, f := range p.Frames {
			fmt.Fprintf(&b, "  frame %s %s: %s\n", f.Kind, f.Name, strings.Join(f.Nodes, ", "))
		}
		for _, f := range p.Fixes {
			fmt.Fprintf(&b, "  fix %s %s: %s: %s %v\n", f.ID, f.Effect, f.Title, f.Text, f.Concerns)
		}
		fmt.Fprintf(&b, "  owners %v, carriers %v, attack %v, why: %s\n", p.Owners, p.Carriers, p.Attack, p.Why)
		fmt.Fprintf(&b, "  %s, %s; depends on %s\n", plural(p.Pods, "pod"), plural(p.Workloads, "workload"),
			strings.Join(p.DependsOn, " "))
	}
	return b.String()
}

func tellStep(b *strings.Builder, which string, st Step) {
	fmt.Fprintf(b, "  %s %s %s %s -> %s %v %v\n", which, st.Edge, st.Rule, st.From, st.To, st.Rules, st.Attack)
	for _, ev := range st.Evidence {
		fmt.Fprintf(b, "    because %s %v\n", ev.Text, ev.Nodes)
	}
	if st.Uncertain != "" {
		fmt.Fprintf(b, "    uncertain: %s\n", st.Uncertain)
	}
}

func tellThing(b *strings.Builder, n Thing) {
	fmt.Fprintf(b, "  thing %s %s: %d of %q in %q, insights %v, members %v\n", n.Kind, n.ID, n.Count, n.Workload, n.Namespace,
		n.Insights, n.Members)
	for _, i := range n.Images {
		fmt.Fprintf(b, "    image %+v\n", i)
	}
}
