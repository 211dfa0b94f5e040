package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shows is a package, or the name of a test of the package before it.
var shows = regexp.MustCompile("`([a-z][a-z0-9/]*)`|\\b((?:Test|Fuzz)[A-Z]\\w*)")

// TestWhatIsSaidOfAttacksIsThere holds docs/attacks.md and SECURITY.md to the code: each guard is a file, each test a test.
func TestWhatIsSaidOfAttacksIsThere(t *testing.T) {
	root := filepath.Join("..", "..")
	rows := 0
	for line := range strings.Lines(read(t, "docs", "attacks.md")) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| attack |") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 {
			t.Errorf("%q: want attack, guard and test", line)
			continue
		}
		for _, file := range ticked(cells[1]) {
			if info, err := os.Stat(filepath.Join(root, file)); err != nil || info.IsDir() {
				t.Errorf("%s: %s is no file", cells[0], file)
			}
		}
		if len(ticked(cells[1])) == 0 || !isShown(t, cells[0], "", cells[2]) {
			t.Errorf("%s: it has no guard or no test", cells[0])
		}
	}
	if rows < 50 {
		t.Errorf("only %d attacks are told of", rows)
	}
	said := read(t, "SECURITY.md")
	cannot := strings.Index(said, "## What an attacker cannot do")
	if cannot < 0 || !isShown(t, "SECURITY.md", "test/hostile", said[cannot:]) {
		t.Error("SECURITY.md names no test of what an attacker cannot do")
	}
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// isShown looks for each test that a text names, in the package named before it, and says whether there is any.
func isShown(t *testing.T, what, pkg, text string) (any bool) {
	t.Helper()
	for _, m := range shows.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			if info, err := os.Stat(filepath.Join("..", "..", m[1])); err == nil && info.IsDir() {
				pkg = m[1]
			}
			continue
		}
		any = true
		if !testsOf(t, pkg)[m[2]] {
			t.Errorf("%s: %q has no %s", what, pkg, m[2])
		}
	}
	return any
}

var testsIn = map[string]map[string]bool{}

// testsOf are the names of the tests of a package.
func testsOf(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	if found := testsIn[pkg]; found != nil {
		return found
	}
	found := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", "..", pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[fn.Name.Name] = true
			}
		}
	}
	testsIn[pkg] = found
	return found
}
