package cli

import (
	"encoding/json"
	"testing"

	"github.com/breakwater-sec/breakwater/report"
)

func TestACutEndsThePathsThatThereAre(t *testing.T) {
	mirror, data := estate(t)
	args := []string{"cut", "--from", before, "--images", mirror, "--data", data, "-o", "json"}
	cut := func(more ...string) (d report.Cut) {
		out, errOut, code := command(t, append(args, more...)...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, errOut)
		}
		if err := json.Unmarshal([]byte(out), &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	d, ended := cut(), 0
	for _, f := range d.Fixes {
		ended += len(f.Ends)
	}
	if d.Paths == 0 || ended != d.Paths || len(d.Left) > 0 || d.AtLeast == 0 || d.AtLeast > len(d.Fixes) {
		t.Errorf("%+v", d)
	}
	if worst := cut("--risk", "critical"); worst.Paths > d.Paths {
		t.Errorf("%d paths of critical risk, %d in all", worst.Paths, d.Paths)
	}
}
