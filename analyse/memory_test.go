package analyse

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/breakwater-sec/breakwater/assess"
	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/schema"
	"github.com/breakwater-sec/breakwater/segment"
	"github.com/breakwater-sec/breakwater/vuln"
)

// derive extends a segment by what is gained in it.
func (r *Rules) derive(ctx context.Context, v *graph.View, seg *graph.Segment) (*graph.Segment, error) {
	g, err := r.gain(ctx, graph.NewView(v.Vocabulary(), v.Shared(), seg), nil)
	if err != nil {
		return nil, err
	}
	return g.derived, nil
}

// pool is what a changing cluster is made of: objects, of which several may have one name, and what may be in images.
type pool struct {
	objects []collect.Change
	images  []*assess.Assessment
}

func (p *pool) add(f *collect.Facts, images []*assess.Assessment) {
	var objects []collect.Change
	for _, kind := range collect.Kinds {
		for k, o := range f.Each(kind) {
			objects = append(objects, collect.Change{Op: collect.Put, Kind: kind, Key: k, Object: o})
		}
	}
	slices.SortFunc(objects, func(a, b collect.Change) int { // a map has no order, and a failure is to be seen again
		return strings.Compare(fmt.Sprint(a.Kind, " ", a.Key), fmt.Sprint(b.Kind, " ", b.Key))
	})
	p.objects = append(p.objects, objects...)
	var more []collect.Change
	for _, o := range objects { // what one binding grants, another may
		if pod, is := o.Object.(*collect.Pod); is { // the same at other paths
			twin, shape := *pod, *pod.Shape
			shape.Containers = slices.Clone(shape.Containers)
			for i, c := range shape.Containers {
				shape.Containers[i].Mounts = slices.Clone(c.Mounts)
				for m := range c.Mounts {
					shape.Containers[i].Mounts[m].Path += "/too"
				}
			}
			twin.Shape = &shape
			o.Object = &twin
			more = append(more, o)
		}
		if b, is := o.Object.(*rbacv1.ClusterRoleBinding); is {
			twin := b.DeepCopy()
			twin.Name += "-too"
			o.Key.Name, o.Object = twin.Name, twin
			more = append(more, o, o, o)
		}
	}
	p.objects = append(p.objects, more...)
	p.images = append(p.images, images...)
	for _, a := range images { // nobody looked into it, or found more
		p.images = append(p.images, assess.Contents{ID: a.ID, Components: []assess.Component{{PURL: "pkg:deb/debian/q@1",
			Package: vuln.Package{Ecosystem: "Debian:12", Name: "q", Version: "1"}}}}.Assess(
			advisories{{ID: "CVE-2026-2", Severity: vuln.Critical, RCE: true, FixedVersion: "2"}}))
	}
}

// changing is a cluster under way, as live has it: one shared segment and one memory.
type changing struct {
	pool
	random *rand.Rand
	facts  *collect.Facts
	shared *graph.Shared
	memory *Memory
	rules  *Rules
	// drawing is what was drawn before, again how often something of it was.
	drawing segment.Memory
	again   int
}

func newChanging(p pool, seed uint64, rules *Rules) *changing {
	c := &changing{pool: p, random: rand.New(rand.NewPCG(seed, 2)), facts: collect.NewFacts(), shared: graph.NewShared(schema.Vocabulary()),
		memory: &Memory{}, rules: rules}
	c.facts.Cluster.Name = "c"
	for _, o := range p.objects {
		if c.random.IntN(10) > 0 {
			c.facts.Apply(o)
		}
	}
	for _, a := range p.images {
		if c.random.IntN(2) == 0 {
			segment.PutAssessment(c.shared, a)
		}
	}
	return c
}

// step changes something, mostly one thing.
func (c *changing) step() (what []string) {
	for range 1 + c.random.IntN(6)/5*3 {
		o := c.objects[c.random.IntN(len(c.objects))]
		switch c.random.IntN(8) {
		case 0, 1, 2:
			o.Op = collect.Gone
		case 3:
			if len(c.images) > 0 {
				a := c.images[c.random.IntN(len(c.images))]
				segment.PutAssessment(c.shared, a)
				what = append(what, "image "+a.ID)
				continue
			}
		case 4:
			if c.random.IntN(4) == 0 {
				c.facts.Apply(collect.Change{Op: []collect.Op{collect.GapOpen, collect.GapClosed}[c.random.IntN(2)],
					Gap: &collect.Gap{Source: "api", What: "secrets", Why: "forbidden"}})
				what = append(what, "gap")
				continue
			}
		}
		c.facts.Apply(o)
		what = append(what, fmt.Sprint(o.Op, " ", o.Kind, " ", o.Key))
	}
	return what
}

// analysed is what the memory tells, and what is told by who remembers nothing.
func (c *changing) analysed(t *testing.T) (again, anew []Path) {
	t.Helper()
	made := c.drawing.Drawn(c.facts, c.rules.Powers, func(*segment.Judged) {})
	whole := segment.Cluster(c.facts, segment.Judge(c.facts, c.rules.Powers))
	if c.drawing.Again {
		c.again++
	}
	made.PutShared(c.shared)
	whole.PutShared(c.shared)
	frozen := c.shared.Freeze()
	seg, gaps := made.Build(frozen)
	drawn, unseen := whole.Build(frozen)
	if a, b := graphText(graph.NewView(schema.Vocabulary(), frozen, seg)), graphText(graph.NewView(schema.Vocabulary(), frozen, drawn)); a != b {
		t.Errorf("another graph is drawn: %s", firstOther(a, b))
	}
	if !reflect.DeepEqual(gaps, unseen) || !reflect.DeepEqual(made.Images, whole.Images) {
		t.Errorf("gaps %v, want %v; images %v, want %v", gaps, unseen, made.Images, whole.Images)
	}
	for _, g := range c.facts.Gaps {
		gaps = append(gaps, g)
	}
	view := graph.NewView(schema.Vocabulary(), frozen, seg)
	one, again, _, err := c.memory.Cluster(t.Context(), view, seg, c.rules, gaps...)
	if err != nil {
		t.Fatal(err)
	}
	other, anew, _, err := Cluster(t.Context(), view, seg, c.rules, gaps...)
	if err != nil {
		t.Fatal(err)
	}
	a, b := graphText(graph.NewView(schema.Vocabulary(), frozen, one)), graphText(graph.NewView(schema.Vocabulary(), frozen, other))
	if a != b {
		t.Errorf("the graph is another one: %s", firstOther(a, b))
	}
	return again, anew
}

// firstOther is where two texts are different.
func firstOther(a, b string) string {
	one, other := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(one), len(other)) {
		if one[i] != other[i] {
			return fmt.Sprintf("\n%s\nwant\n%s", strings.Join(one[max(0, i-2):i+1], "\n"), strings.Join(other[max(0, i-2):i+1], "\n"))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(one), len(other))
}

// graphText is everything in a view, in its order.
func graphText(v *graph.View) string {
	var b strings.Builder
	for _, k := range schema.Kinds() {
		for n := range v.Nodes(k.Name) {
			fmt.Fprintln(&b, k.Name, n.ID())
			for _, p := range k.Properties {
				fmt.Fprint(&b, p.Name, "=", n.Value(p.Name), ";")
			}
			for e := range n.Out("") {
				fmt.Fprint(&b, "\n  ", e.Kind(), " ", e.To.ID())
				for _, p := range edgeOf(e.Kind()).Properties {
					fmt.Fprint(&b, " ", p.Name, "=", e.Value(p.Name))
				}
			}
		}
	}
	return b.String()
}

func TestWhatIsToldAgainIsWhatWouldBeToldAnew(t *testing.T) {
	rules := builtIn(t)
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata: %v, %v", files, err)
	}
	var pools []pool
	for _, file := range files {
		e, _ := readEstate(t, file)
		if strings.HasPrefix(e.manifests, graphMark) {
			continue
		}
		var p pool
		p.add(e.facts(t), e.scanned())
		pools = append(pools, p)
	}
	for seed := range uint64(6) {
		var p pool
		for more := range uint64(3) {
			f, images := random(3*seed+more, plainNames)
			p.add(f, images)
		}
		pools = append(pools, p)
	}
	reused, told, carried, computed, drawn := 0, 0, 0, 0, 0
	for seed, p := range pools {
		c := newChanging(p, uint64(seed), rules)
		for step := range 15 {
			what := c.step()
			again, anew := c.analysed(t)
			if t.Failed() {
				t.Fatalf("pool %d, step %d, after %v", seed, step, what)
			}
			for i := range again {
				again[i].rests = nil
			}
			if !reflect.DeepEqual(again, anew) {
				t.Fatalf("pool %d, step %d, after %v: %s", seed, step, what, firstDifference(again, anew))
			}
			drawn += c.again
			c.again = 0
			reused, told = reused+c.memory.Reused, told+c.memory.Told
			carried, computed = carried+c.memory.Carried, computed+1
		}
	}
	t.Logf("%d of %d paths were told again, the gains of %d of %d techniques carried over", reused, told, carried/computed, len(rules.attack))
	if drawn < computed/4 {
		t.Errorf("of %d of %d graphs something was drawn before: the test says little", drawn, computed)
	}
	if carried/computed < len(rules.attack)/2 {
		t.Errorf("the gains of %d of %d techniques were carried over: the test says little", carried/computed, len(rules.attack))
	}
	if reused < told/3 {
		t.Errorf("%d of %d paths were told again: the test says little", reused, told)
	}
}

func firstDifference(again, anew []Path) string {
	if len(again) != len(anew) {
		return fmt.Sprintf("%d paths, want %d", len(again), len(anew))
	}
	for i := range again {
		if !reflect.DeepEqual(again[i], anew[i]) {
			a, _ := json.Marshal(again[i])
			b, _ := json.Marshal(anew[i])
			return fmt.Sprintf("\n%s\nwant\n%s", a, b)
		}
	}
	return ""
}

func TestAPathIsToldAnewWhereOnlyWhatAStepRestsOnIsDifferent(t *testing.T) {
	rules, memory := builtIn(t), &Memory{}
	for _, test := range []struct {
		path   string
		reused int
	}{{"/one", 0}, {"/one", 1}, {"/two", 0}, {"/two", 1}} {
		v, err := parseGiven(strings.ReplaceAll(`
			Internet internet -ROUTES_TO-> Service shop/Service/cart name=cart
			Service shop/Service/cart -ROUTES_TO-> Pod cart-1 namespace=shop workload=Deployment/cart exposed=true
			Pod cart-1 runtimeSandboxed=false userNamespace=false -RUNS-> Container cart-1/app name=app runsAsRoot=true
			Container cart-1/app namespace=shop workload=Deployment/cart exposed=true -USES_IMAGE-> Image sha256:a
			Image sha256:a severe=true rce=true unclear=false
			Container cart-1/app -MOUNTS{hostFolder=/ opens=root path=PATH}-> Volume cart-1/data
			Pod cart-1 -RUNS_ON-> Node node-1 name=node-1`, "PATH", test.path))
		if err != nil {
			t.Fatal(err)
		}
		_, paths, _, err := memory.Cluster(t.Context(), v, v.Clusters()[0], rules)
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, p := range paths {
			if p.Type == "node-takeover" {
				said += fmt.Sprint(p.Steps)
			}
		}
		if !strings.Contains(said, test.path) || memory.Reused < test.reused ||
			test.reused == 0 && memory.Reused > 0 && memory.Reused == memory.Told {
			t.Errorf("%s: %d of %d paths were told again: %s", test.path, memory.Reused, memory.Told, said)
		}
	}
}
