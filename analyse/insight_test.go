package analyse

import (
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func TestAPodHasWhatAnyOfItsImagesHasAndIsNotCleanWhileOneIsUnknown(t *testing.T) {
	tests := []struct{ name, first, second, want string }{
		{"one is severe", "severe=true", "severe=false", "true"},
		{"one is severe, the other was never scanned", "", "severe=true", "true"},
		{"one is clean, the other was never scanned", "severe=false", "scanned=false", ""},
		{"never scanned first", "scanned=false", "severe=false", ""},
		{"both clean", "severe=false", "severe=false", "false"},
	}
	for _, test := range tests {
		v, err := parseGiven("Pod p -RUNS-> Container p/a -USES_IMAGE-> Image i " + test.first +
			"\nPod p -RUNS-> Container p/b -USES_IMAGE-> Image j " + test.second)
		if err != nil {
			t.Fatal(err)
		}
		seg, err := builtIn(t).derive(background(), v, v.Clusters()[0])
		if err != nil {
			t.Fatal(err)
		}
		p, _ := graph.NewView(v.Vocabulary(), v.Shared(), seg).Node("Pod", "c/p")
		if got := p.Value("severe").String(); got != test.want {
			t.Errorf("%s: severe = %q, want %q", test.name, got, test.want)
		}
	}
}
