// Package golden holds what a test says to a file: go test PACKAGE -update writes
// the file anew, and git diff shows what changed.
package golden

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the files that tests compare with anew")

// Compare fails the test at the first line by which the text differs from the file.
func Compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if got == string(want) {
		return
	}
	section, is, was := "", strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(is), len(was)) {
		if at(is, i) != at(was, i) || i >= min(len(is), len(was)) {
			t.Errorf("%s:%d %s\ngot  %s\nwant %s\n(-update writes the file anew; see what changed with git diff)",
				file, i+1, section, at(is, i), at(was, i))
			return
		}
		if strings.HasPrefix(is[i], "# ") {
			section = "in " + is[i][2:]
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(the end)"
}
