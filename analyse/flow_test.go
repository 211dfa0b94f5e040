package analyse

import (
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/rbac"
)

// drawnPath reads steps "from EDGE to", "from EDGE:rule,rule to" where techniques make it, the first
// from the entry; target and foothold are as said.
func drawnPath(foothold, target string, steps ...string) Path {
	p := Path{Foothold: Thing{ID: foothold}, Target: Thing{ID: target}}
	for i, text := range steps {
		words := strings.Fields(text)
		edge, rules, derived := strings.Cut(words[1], ":")
		s := Step{From: words[0], Edge: edge, To: words[2], Derived: derived}
		if rules != "" {
			s.Rules = strings.Split(rules, ",")
		}
		if i == 0 {
			p.Entry.ID = s.From
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// fixing makes a fix of steps written the same way; one whose rule is "" is of several.
func fixing(kind, rule string, steps ...string) Fix {
	f := Fix{ID: strings.Join(append([]string{kind, rule}, steps...), " "), Kind: kind, Rule: rule}
	for _, text := range steps {
		words := strings.Fields(text)
		edge, by, _ := strings.Cut(words[1], ":")
		f.endings = append(f.endings, ending{edge, by, group{id: words[0]}, group{id: words[2]}})
	}
	return f
}

func revoking(binding string, steps ...string) Fix {
	f := fixing(fixGrant, "", steps...)
	f.grants = []rbac.Grant{{Binding: binding}}
	return f
}

func TestHowFewFixesCouldDo(t *testing.T) {
	held := []Path{drawnPath("a", "c", "a HOLDS b", "b E:x c"), drawnPath("f", "d", "f HOLDS e", "e E:x d")}
	for _, test := range []struct {
		name  string
		paths []Path
		fixes []Fix
		want  int
	}{
		{"a technique that no fix names is one", []Path{drawnPath("a", "b", "a E:x b")}, nil, 1},
		{"permissions that no fix names are one where they are held", []Path{drawnPath("a", "c", "a HOLDS b", "b E:x c"),
			drawnPath("a", "d", "a HOLDS e", "e E:x d")}, nil, 1},
		{"a fact that no fix names cannot be ended", []Path{drawnPath("a", "b", "a RUNS b")}, nil, 0},
		{"what is drawn does not lead to the target", []Path{drawnPath("a", "z", "a E:x b")}, nil, 0},
		{"what follows a foothold that is the target is not needed", []Path{drawnPath("b", "b", "a RUNS b", "b E:x c", "c E:x b")}, nil, 0},
		{"two techniques of one step are two", []Path{drawnPath("a", "b", "a E:x,y b")}, nil, 2},
		{"also where a fix is of both together", []Path{drawnPath("a", "b", "a E:x,y b")},
			[]Fix{fixing(fixRule, "x", "a E:x b"), fixing(fixRule, "y", "a E:y b"), fixing(fixRule, "", "a E:x b", "a E:y b")}, 2},
		{"one technique of two steps, each with a fix of its own", []Path{drawnPath("a", "b", "a E:x b"), drawnPath("c", "d", "c E:x d")},
			[]Fix{fixing(fixRule, "x", "a E:x b"), fixing(fixRule, "x", "c E:x d")}, 2},
		{"one technique of two steps that one fix ends", []Path{drawnPath("a", "b", "a E:x b"), drawnPath("c", "d", "c E:x d")},
			[]Fix{fixing(fixRule, "x", "a E:x b", "c E:x d")}, 1},
		{"from one place to two, each with a fix of its own", []Path{drawnPath("a", "b", "a E:x b"), drawnPath("a", "c", "a E:x c")},
			[]Fix{fixing(fixRule, "x", "a E:x b"), fixing(fixRule, "x", "a E:x c")}, 2},
		{"a fix of another technique of the same step ends nothing of it",
			[]Path{drawnPath("a", "b", "a E:x b"), drawnPath("c", "d", "c E:y d")},
			[]Fix{fixing(fixRule, "y", "a E:y b", "c E:y d")}, 2},
		{"nor does one of another kind of edge", []Path{drawnPath("a", "b", "a E:x b"), drawnPath("c", "d", "c F:x d")},
			[]Fix{fixing(fixRule, "x", "a F:x b", "c F:x d")}, 2},
		{"a door that is fixed as a whole",
			[]Path{drawnPath("p", "p", "i ROUTES_TO s", "s RUNS p"), drawnPath("q", "q", "i ROUTES_TO s", "s RUNS q")},
			[]Fix{fixing(fixExposure, "", "i ROUTES_TO s")}, 1},
		{"two doors of one path", []Path{{Entry: Thing{ID: "i"}, Foothold: Thing{ID: "p"}, Target: Thing{ID: "p"},
			Steps: drawnPath("", "", "i ROUTES_TO s", "s RUNS p").Steps, Also: drawnPath("", "", "i ROUTES_TO t", "t RUNS p").Steps}},
			[]Fix{fixing(fixExposure, "", "i ROUTES_TO s"), fixing(fixExposure, "", "i ROUTES_TO t")}, 2},
		{"a node through which traffic comes, and that is taken over in the end",
			[]Path{drawnPath("c", "n", "i ROUTES_TO n", "n RUNS c", "c E:x n")},
			nil, 1},
		{"permissions that one binding grants go at once", held, []Fix{revoking("B", "a HOLDS:B b"), revoking("B", "f HOLDS:B e")}, 1},
		{"of two bindings do not", held, []Fix{revoking("B", "a HOLDS:B b"), revoking("C", "f HOLDS:C e")}, 2},
		{"nothing", nil, nil, 0},
	} {
		for i := range test.paths {
			test.paths[i].Fixes = test.fixes
		}
		if got := leastFixes(test.paths, nil); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
