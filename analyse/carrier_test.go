package analyse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

// variant is a graph of a technique's test, or what is left of it without a line.
type variant struct {
	text string
	view *graph.View
	anew *gains
}

func (r *Rules) variant(t *testing.T, lines []string) *variant {
	t.Helper()
	v := variant{text: strings.Join(lines, "\n")}
	var err error
	if v.view, err = parseGiven(v.text); err != nil || len(v.view.Clusters()) == 0 {
		return nil // a line may be all there is
	}
	if v.anew, err = r.gain(t.Context(), v.view, nil); err != nil {
		t.Fatal(err)
	}
	return &v
}

// becomes is what of a variant is carried over to another; it has to be what is gained anew.
func (r *Rules) becomes(t *testing.T, was, is *variant) (carried bool) {
	t.Helper()
	now, err := r.gain(t.Context(), is.view, was.anew)
	if err != nil {
		t.Fatal(err)
	}
	what := fmt.Sprintf("%s: from\n%s\nto\n%s\n", r.attack[0].ID, was.text, is.text)
	if !slices.EqualFunc(now.of[0], is.anew.of[0], gain.equal) {
		t.Fatalf("%s%+v, want %+v", what, now.of[0], is.anew.of[0])
	}
	text := func(g *gains) string {
		return graphText(graph.NewView(is.view.Vocabulary(), is.view.Shared(), g.derived))
	}
	if one, other := text(now), text(is.anew); one != other {
		t.Fatalf("%sthe graph is another one: %s", what, firstOther(one, other))
	}
	return now.kept[0] != nil && !now.kept[0].whole
}

// TestWhatIsCarriedOverIsWhatWouldBeGainedAnew changes the graphs of each technique's tests into what is left of them without a line,
// back, and into each other.
func TestWhatIsCarriedOverIsWhatWouldBeGainedAnew(t *testing.T) {
	carried, computed := 0, 0
	for _, of := range builtIn(t).attack {
		rules := &Rules{attack: []*technique{of}}
		count := func(was, is *variant) {
			if was == nil || is == nil {
				return
			}
			if computed++; rules.becomes(t, was, is) {
				carried++
			}
		}
		var last *variant
		for _, test := range of.Tests {
			lines := strings.Split(strings.TrimSpace(test.Given), "\n")
			whole := rules.variant(t, lines)
			count(last, whole)
			count(whole, last)
			last = whole
			for i := range lines {
				less := rules.variant(t, slices.Delete(slices.Clone(lines), i, i+1))
				count(whole, less)
				count(less, whole)
			}
		}
	}
	t.Logf("%d of %d were carried over", carried, computed)
	if carried < computed/2 {
		t.Errorf("%d of %d were carried over: the test says little", carried, computed)
	}
}
