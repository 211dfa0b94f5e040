package analyse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// drawn is a path of steps "a>b"; those with "=" instead of ">" are derived. It
// enters at "in", its foothold is the first derived step's end and its target the
// last one's.
func drawn(id string, score int, steps string, also ...string) Path {
	p := Path{ID: id, RiskScore: score, Entry: Thing{ID: "in", Kind: "Internet"}}
	read := func(text string) (out []Step) {
		for step := range strings.FieldsSeq(text) {
			from, to, derived := strings.Cut(step, "=")
			if !derived {
				from, to, _ = strings.Cut(step, ">")
			}
			out = append(out, Step{From: from, To: to, Derived: derived})
			for _, id := range []string{from, to} {
				if !slices.ContainsFunc(p.Nodes, func(t Thing) bool { return t.ID == id }) {
					p.Nodes = append(p.Nodes, Thing{ID: id, Kind: "Pod"})
				}
			}
			if derived {
				if p.Foothold.ID == "" {
					p.Foothold = Thing{ID: to, Kind: "Pod"}
				}
				p.Target = Thing{ID: to, Kind: "Pod"}
			}
		}
		return out
	}
	p.Steps, p.Also = read(steps), read(strings.Join(also, " "))
	return p
}

func TestChokePointsAreWhatSeveralPathsCannotDoWithout(t *testing.T) {
	tests := []struct {
		name  string
		paths []Path
		want  string
	}{
		{"what two paths share", []Path{drawn("1", 90, "in>s s>p p=c c=n1"), drawn("2", 40, "in>s s>p p=c c=n2")},
			"c 2 critical 1,2; p 2 critical 1,2; s 2 critical 1,2"},
		{"one path alone has none", []Path{drawn("1", 90, "in>s s>p p=c c=n1")}, ""},
		{"what one of two paths passes", []Path{drawn("1", 20, "in>s s>p p=c c=n1"), drawn("2", 40, "in>s s>q q=d d=n2")},
			"s 2 medium 1,2"},
		{"a way around it", []Path{drawn("1", 20, "in>s s>p p=c c=n1", "in>i i>p"), drawn("2", 20, "in>s s>p p=c c=n2")},
			"c 2 low 1,2; p 2 low 1,2"},
		{"a target does not count, nor where it is the foothold",
			[]Path{drawn("1", 20, "in>s s>p p=c"), drawn("2", 20, "in>s s>p p=c c=n")}, "p 2 low 1,2; s 2 low 1,2"},
		{"what lies beyond the footholds",
			[]Path{drawn("1", 20, "in>s s>p p=a a=b b=n1"), drawn("2", 20, "in>r r>q q=d d=b b=n2")}, "b 2 low 1,2"},
		{"a target reached from elsewhere is none", []Path{drawn("1", 20, "in>s s>p p=c c=n"), drawn("2", 20, "in>t t>q q=d d=n")}, ""},
		{"a node on the way in that is the target too", []Path{drawn("1", 20, "in>n n>p p=c c=n"), drawn("2", 20, "in>n n>p p=c c=m")},
			"c 2 low 1,2; p 2 low 1,2"},
		{"most paths first", []Path{drawn("1", 20, "in>z z>p p=c c=n1"), drawn("2", 20, "in>z z>p p=c c=n2"),
			drawn("3", 20, "in>z z>q q=d d=n3")},
			"z 3 low 1,2,3; c 2 low 1,2; p 2 low 1,2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, c := range ChokePoints(test.paths) {
				got = append(got, fmt.Sprintf("%s %d %s %s", c.Thing.ID, c.Count, c.Risk, strings.Join(c.Paths, ",")))
			}
			if text := strings.Join(got, "; "); text != test.want {
				t.Errorf("got  %q\nwant %q", text, test.want)
			}
		})
	}
}
