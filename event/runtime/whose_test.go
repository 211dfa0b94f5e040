package runtime

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

// A recording of the node worker-1, in the pod of whose container a shell was started.
func recordingOf(t *testing.T) []byte {
	t.Helper()
	all, err := os.ReadFile("../../packs/detect/runtime/testdata/web-shell.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestASenderSpeaksForItsNodeAlone(t *testing.T) {
	lines := recordingOf(t)
	for node, want := range map[string]struct {
		foreign []string
		read    bool
	}{"": {nil, true}, "worker-1": {nil, true}, "worker-2": {[]string{"worker-1"}, false}, "Worker-1": {[]string{"worker-1"}, false}} {
		d := Decoder{Cluster: "prod", Node: node}
		var foreign []string
		read, refused := 0, 0
		err := d.Read(bytes.NewReader(lines), func(b *Batch) error {
			foreign, read, refused = append(foreign, b.Foreign...), read+b.Count()-b.Refused(), refused+b.Refused()
			return nil
		})
		if err != nil || !slices.Equal(foreign, want.foreign) || (read > 0) != want.read || (refused == 0) != want.read {
			t.Errorf("as %q: %v, %d read, %d refused, %v", node, foreign, read, refused, err)
		}
	}
	many := &bytes.Buffer{}
	for i := range 50 {
		many.WriteString(strings.Replace(strings.SplitAfter(string(lines), "\n")[0], `"worker-1"`, `"n-`+strings.Repeat("x", i)+`"`, 1))
	}
	err := (&Decoder{Cluster: "prod", Node: "worker-1"}).Read(many, func(b *Batch) error {
		if len(b.Foreign) != maxForeign || b.Refused() != 50 {
			t.Errorf("%d told, %d refused", len(b.Foreign), b.Refused())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestOfAPodThatAnotherNodeRunsNothingIsSaid(t *testing.T) {
	for node, want := range map[string]bool{"worker-1": true, "": true, "worker-2": false} {
		d := Decoder{Cluster: "prod", Place: func(*Container) (Place, bool) {
			return Place{Namespace: "shop", Pod: "web", PodID: "prod/shop/Pod/web", Container: "app", Privileged: true, Node: node}, true
		}}
		err := d.Read(bytes.NewReader(recordingOf(t)), func(b *Batch) error {
			for _, e := range b.Events {
				said := len(e.Fields["pod.name"]) > 0 || len(e.Fields["container.privileged"]) > 0
				for _, x := range e.Entities {
					said = said || x.Kind == "Pod"
				}
				if said != want {
					t.Errorf("the cluster runs the pod on %q: said of it: %v: %v", node, said, e.Entities)
				}
			}
			if elsewhere := slices.Equal(b.Elsewhere, []Elsewhere{{"worker-1", "worker-2", "shop", "web"}}); elsewhere == want {
				t.Errorf("the cluster runs the pod on %q: %+v", node, b.Elsewhere)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
