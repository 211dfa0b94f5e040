package analyse

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func TestATechniqueIsDistinctIfATestOfItsFiresNoOther(t *testing.T) {
	// The second fires wherever the first does, and in a test of its own.
	wider := strings.Replace(
		strings.Replace(twoWays, "id: two", "id: wider", 1),
		"WHERE a.privileged",
		"WHERE a.readOnlyRoot OR a.privileged",
		1,
	)
	wider = strings.Replace(wider, "tests:", `tests:
  - {name: its own, given: "Pod p -RUNS-> Container a readOnlyRoot=true\nPod p -RUNS_ON-> Node n", want: [a -> n]}`, 1)
	rules, err := LoadFS(fstest.MapFS{"attack/a.yaml": {Data: []byte(twoWays)}, "attack/b.yaml": {Data: []byte(wider)}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Distinct(t.Context(), rules.All())
	if want := "[{two  [wider]} {wider its own []}]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v; error %v", got, want, err)
	}
}
