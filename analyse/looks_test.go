package analyse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/rule"
	"github.com/breakwater-sec/breakwater/schema"
)

// lookText is what a pattern looks at, in words.
func lookText(l *looks) string {
	v := schema.Vocabulary()
	var out []string
	for _, n := range l.nodes {
		kinds := "anything"
		if len(n.kinds) < len(v.Kinds()) {
			var names []string
			for _, k := range n.kinds {
				names = append(names, v.Kinds()[k].Name)
			}
			kinds = strings.Join(names, "|")
		}
		out = append(out, n.as+":"+kinds)
	}
	for _, h := range l.hops {
		arrow := "->"
		if h.in {
			arrow = "<-"
		}
		through := ""
		if h.through >= 0 {
			through = " through " + v.Edges()[h.through].Name
		}
		out = append(out, fmt.Sprint(h.near, " ", v.Edges()[h.edge].Name, through, arrow, " ", h.far))
	}
	for said, is := range map[string]bool{"in part": !l.whole, "unknown": l.unknown, "shared": l.shared} {
		if is {
			out = append(out, said)
		}
	}
	slices.Sort(out[len(l.nodes)+len(l.hops):])
	return strings.Join(out, ", ")
}

// TestWhatAPatternLooksAt: what cannot be followed node by node is said, or something that is different would be carried over.
func TestWhatAPatternLooksAt(t *testing.T) {
	for _, c := range []struct{ match, want string }{
		{"MATCH (c:Container) RETURN c", "c:Container"},
		{"MATCH (c) RETURN c", "c:anything"},
		{"MATCH (c:Container)<-[:RUNS]-(p:Pod) RETURN c", "c:Container, p:Pod, 0 RUNS<- 1"},
		{"MATCH (p:Pod)-[:RUNS]->(c:Container) RETURN c", "p:Pod, c:Container, 0 RUNS-> 1"},
		{"MATCH (p:Pod)-[:RUNS_ON]->(n:Node) MATCH (p)-[:RUNS_AS]->(s:ServiceAccount) RETURN p",
			"p:Pod, n:Node, s:ServiceAccount, 0 RUNS_ON-> 1, 0 RUNS_AS-> 2"},
		{"MATCH (c:Container)-[:USES_IMAGE]->(i:Image) RETURN c", "c:Container, i:Image, 0 USES_IMAGE-> 1"},
		{"MATCH (p:Permission)-[:COVERS]->(n:Namespace) RETURN p", "p:Permission, n:Namespace, 0 COVERS through CONTAINS-> 1"},
		// edges that no cluster has of its own
		{"MATCH (i:Image)-[:HAS_PACKAGE]->(p:Package) RETURN i", "i:Image, p:Package, 0 HAS_PACKAGE-> 1, shared"},
		{"MATCH (p:Package)<-[:HAS_PACKAGE]-(i:Image) RETURN i", "p:Package, i:Image, 0 HAS_PACKAGE<- 1, shared"},
		{"MATCH (c:Container)-[:USES_IMAGE]->(i:Image)-[:HAS_PACKAGE]->(p:Package) RETURN c",
			"c:Container, i:Image, p:Package, 1 HAS_PACKAGE-> 2, 0 USES_IMAGE-> 1, shared"},
		// what lies between two nodes, and what may be there or not
		{"MATCH (p:Pod) WHERE EXISTS { (p)-[:RUNS]->(c:Container) } RETURN p", "p:Pod, c:Container, 0 RUNS-> 1, in part"},
		{"MATCH (p:Pod) WHERE NOT EXISTS { (p)-[:RUNS]->(c:Container) } RETURN p", "p:Pod, c:Container, 0 RUNS-> 1, in part"},
		{"MATCH (p:Pod) WHERE p.hostNetwork AND (p.hostPID OR EXISTS { (p)-[:RUNS]->(c:Container) }) RETURN p",
			"p:Pod, c:Container, 0 RUNS-> 1, in part"},
		{"MATCH (p:Pod) WHERE COUNT { (p)-[:RUNS]->(c:Container) } > 1 RETURN p", "p:Pod, c:Container, 0 RUNS-> 1, in part"},
		{"MATCH (p:Pod) OPTIONAL MATCH (p)-[:RUNS]->(c:Container) RETURN p", "p:Pod, c:Container, 0 RUNS-> 1, in part"},
		{"MATCH (p:Pod) WHERE EXISTS { (p)-[:RUNS*1..3]->(c:Container) } RETURN p", "p:Pod, c:Container, 0 RUNS-> 1, in part, unknown"},
		{"MATCH (p:Pod) WHERE p.hostNetwork RETURN p", "p:Pod"},
	} {
		q, err := query.Parse(c.match)
		if err != nil {
			t.Errorf("%s: %v", c.match, err)
			continue
		}
		if got := lookText(lookAt(q.Find)); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.match, got, c.want)
		}
	}
	if got := lookText(lookAt(&query.Node{Kinds: []string{"Pod", "Nobody"}})); got != ":anything, in part" {
		t.Errorf("a node without a name, of a kind that nobody knows: %s", got)
	}
	unknown := &query.Node{As: "p", Kinds: []string{"Pod"}, With: []*query.Rel{{Edge: []string{"NOBODY", "RUNS"}, Dir: query.Out,
		To: &query.Node{As: "c", Kinds: []string{"Container"}}}}}
	if got := lookText(lookAt(unknown)); got != "p:Pod, c:Container, 0 RUNS-> 1, in part, unknown" {
		t.Errorf("an edge that nobody knows: %s", got)
	}
}

func TestWhereGainsAreOthersIsNoted(t *testing.T) {
	at := func(from, to uint32, kinds ...int32) gain {
		kinds = append(kinds, 1, 2)
		return gain{from: spot{kinds[0], from}, to: spot{kinds[1], to}}
	}
	with := func(g gain, witness, uncertain string) gain {
		g.witness, g.uncertain = []string{witness}, uncertain
		return g
	}
	for _, c := range []struct {
		name    string
		was, is []gain
		want    []gain
	}{
		{"nothing", nil, nil, nil},
		{"the same", []gain{at(1, 2)}, []gain{at(1, 2)}, nil},
		{"one is gone", []gain{at(1, 2), at(1, 3)}, []gain{at(1, 2)}, []gain{at(1, 3)}},
		{"one came", nil, []gain{at(1, 2)}, []gain{at(1, 2)}},
		{"one came before it", []gain{at(2, 2)}, []gain{at(1, 2), at(2, 2)}, []gain{at(1, 2)}},
		{"one for another", []gain{at(1, 2)}, []gain{at(1, 3)}, []gain{at(1, 2), at(1, 3)}},
		{"by another witness", []gain{with(at(1, 2), "a", "")}, []gain{with(at(1, 2), "b", "")}, []gain{at(1, 2)}},
		{"less sure", []gain{with(at(1, 2), "a", "")}, []gain{with(at(1, 2), "a", "why")}, []gain{at(1, 2)}},
		{"the same by the same", []gain{with(at(1, 2), "a", "why")}, []gain{with(at(1, 2), "a", "why")}, nil},
		{"between other kinds", []gain{at(1, 2, 1, 4), at(1, 2, 3, 2)}, []gain{at(1, 2)}, []gain{at(1, 2), at(1, 2, 1, 4), at(1, 2, 3, 2)}},
	} {
		var k kept
		for _, all := range [][]gain{c.was, c.is} {
			slices.SortFunc(all, gain.compare)
		}
		k.compare(c.was, c.is)
		var want []between
		for _, g := range c.want {
			want = append(want, g.between())
		}
		if !slices.Equal(k.different, want) {
			t.Errorf("%s: %v, want %v", c.name, k.different, want)
		}
	}
}

func TestGainsAreInOrder(t *testing.T) {
	spots := []spot{{1, 1}, {1, 2}, {2, 0}}
	for i, a := range spots {
		for j, b := range spots {
			if got := a.compare(b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%v against %v is %d", a, b, got)
			}
		}
	}
	if (gain{from: spots[0], to: spots[2]}).compare(gain{from: spots[1], to: spots[0]}) >= 0 ||
		(gain{from: spots[0], to: spots[0]}).compare(gain{from: spots[0], to: spots[1]}) >= 0 {
		t.Error("gains are ordered by where they begin, then by where they end")
	}
	props := func(g gain) (out []string) {
		for _, p := range g.props(&technique{Head: rule.Head{ID: "rule"}}) {
			out = append(out, p.Name+"="+p.Value.String())
		}
		return out
	}
	if got := props(gain{}); !slices.Equal(got, []string{"rule=rule"}) {
		t.Errorf("of nothing else: %v", got)
	}
	if got := props(gain{witness: []string{"Pod a"}, uncertain: "why"}); len(got) != 3 || got[2] != "uncertain=why" {
		t.Errorf("of all: %v", got)
	}
}
