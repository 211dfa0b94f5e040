// Package versions compares our order of versions with what each ecosystem's own tool says, on versions made at random.
// What the tools said is kept in vuln/testdata/versions, where the tests of vuln read it without the tools;
// go test ./test/versions -update asks them anew.
package versions

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/vuln"
)

var (
	update = flag.Bool("update", false, "write what the tools say into vuln/testdata/versions")
	seed   = flag.Uint64("seed", 1, "which versions are made")
	many   = flag.Int("pairs", 1500, "how many pairs each tool is asked about")
)

// kept is how many pairs a table holds.
const kept = 700

func TestVersionsCompareAsTheToolsOfTheirEcosystemsSay(t *testing.T) {
	for _, o := range oracles {
		t.Run(o.name, func(t *testing.T) {
			o.needed(t)
			pairs := o.words.pairs(*seed, *many)
			orders := o.orders(t, pairs)
			var table []string
			wrong, asked := 0, 0
			for i, p := range pairs {
				sign, known := map[string]string{"-1": "<", "0": "=", "1": ">"}[orders[i]]
				if !known {
					continue // it takes one of them for no version
				}
				asked++
				if len(table) < kept {
					table = append(table, p.a+" "+sign+" "+p.b)
				}
				got, err := vuln.Compare(o.ecosystem, p.a, p.b)
				if err != nil || map[bool]string{got < 0: "-1", got == 0: "0", got > 0: "1"}[true] != orders[i] {
					if wrong++; wrong <= 40 {
						t.Errorf("%s %s %s says %s, got %d, %v", p.a, sign, p.b, o.tool, got, err)
					}
				}
			}
			t.Logf("%d pairs, %d wrong", asked, wrong)
			if asked < len(pairs)/3 {
				t.Errorf("%s took %d of %d pairs for versions", o.tool, asked, len(pairs))
			}
			if *update {
				o.write(t, table)
			}
		})
	}
}

// needed skips the test where the tool is not installed.
func (o oracle) needed(t *testing.T) {
	t.Helper()
	for _, each := range o.needs {
		found, err := filepath.Glob(each)
		if err == nil && len(found) == 0 {
			err = os.ErrNotExist
		}
		if !strings.HasPrefix(each, "/") {
			_, err = exec.LookPath(each)
		}
		if err != nil {
			t.Skipf("there is no %s: %v", each, err)
		}
	}
}

// orders are the tool's answers.
func (o oracle) orders(t *testing.T, pairs []pair) []string {
	t.Helper()
	var asked strings.Builder
	for _, p := range pairs {
		fmt.Fprintf(&asked, "%s\t%s\n", p.a, p.b)
	}
	out := strings.Fields(string(o.ask(t, asked.String())))
	if len(out) != len(pairs) {
		t.Fatalf("%s gave %d answers to %d questions", o.tool, len(out), len(pairs))
	}
	return out
}

func (o oracle) write(t *testing.T, table []string) {
	t.Helper()
	release := ""
	if len(o.version) > 0 {
		said, err := exec.Command(o.version[0], o.version[1:]...).Output()
		if err != nil {
			t.Fatal(err)
		}
		release, _, _ = strings.Cut(strings.TrimSpace(string(said)), "\n")
		release = " (" + release + ")"
	}
	text := fmt.Sprintf("# What %s%s says of versions made by go test ./test/versions -update\n%s\n", o.tool, release, strings.Join(table,
		"\n"))
	name := filepath.Join("..", "..", "vuln", "testdata", "versions", o.name+".txt")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
