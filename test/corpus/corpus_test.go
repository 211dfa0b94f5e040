// Package corpus scores Breakwater against other people's test cases with known
// answers. The cases are no part of this repository: BREAKWATER_CORPUS names
// their folder, and every test skips without it.
//
//	BREAKWATER_CORPUS=DIR go test ./test/corpus -run Corpus -v -count=1
//
// The rows of a key say what is scored: each is counted, or left out for a reason
// that is printed. Each test prints its measures and every row it got wrong, and
// fails below the floors of floors.csv. Rows that nobody can score are in left-out.csv;
// which of ours stands for which of theirs is in the other tables.
package corpus

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// folder is one family of cases; the test skips if it is not there.
func folder(t *testing.T, family string) string {
	t.Helper()
	root := os.Getenv("BREAKWATER_CORPUS")
	if root == "" {
		t.Skip("BREAKWATER_CORPUS is not set")
	}
	dir, err := filepath.Abs(filepath.Join(root, family))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no %s in the corpus", family)
	}
	return dir
}

// table reads a CSV file as one map per row.
func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, column := range rows[0] {
			named[column] = row[i]
		}
		out = append(out, named)
	}
	return out
}

// binary is the command that people use, built once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "corpus-")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "breakwater")
	if said, err := exec.Command("go", "build", "-o", out, "../../cmd/breakwater").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, said)
	}
	return out, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("BREAKWATER_CORPUS") != "" {
		if bin, err := binary(); err == nil {
			os.RemoveAll(filepath.Dir(bin))
		}
	}
	os.Exit(code)
}

// breakwater runs the command and gives what it prints as its answer.
func breakwater(t *testing.T, args ...string) []byte {
	t.Helper()
	answer, _ := breakwaterSays(t, args...)
	return []byte(answer)
}

// breakwaterSays runs the command and gives its answer, and what it says beside that.
func breakwaterSays(t *testing.T, args ...string) (answer, told string) {
	t.Helper()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var out, said strings.Builder
	cmd := exec.Command(bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("breakwater %s: %v: %s", strings.Join(args, " "), err, said.String())
	}
	return out.String(), said.String()
}
