package cli

import (
	"strings"
	"testing"
)

func TestWhyNotTellsWhetherSomethingPreventsAWay(t *testing.T) {
	mirror, data := estate(t)
	ask := func(args ...string) (string, int) {
		out, errOut, code := command(t, append([]string{"paths", "--images", mirror, "--data", data}, args...)...)
		return out + errOut, code
	}
	if said, code := ask("--from", before, "--why-not", "workload:shop/web", "cluster"); code != 0 ||
		!strings.HasPrefix(said, "Nothing prevents it") {
		t.Errorf("%d: %s", code, said)
	}
	if said, code := ask("--from", before, "--why-not", "workload:shop/web"); code == 0 || !strings.Contains(said, "want --why-not A B") {
		t.Errorf("%d: %s", code, said)
	}
	if said, code := ask("--from", before, "--why-not", "workload:shop/none", "cluster"); code == 0 ||
		!strings.Contains(said, "there is no such thing") {
		t.Errorf("%d: %s", code, said)
	}
}
