// Package arch keeps the forbidden arrows: which package of ours may import
// which. A package that is not listed fails, so adding one means saying here
// where it belongs.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/breakwater-sec/breakwater/"

// may lists, for each package, the packages of ours it may import; "…/*" is every
// package below. It is the table of ARCHITECTURE.md: one list for readers and test.
var may = table()

func table() map[string][]string {
	text, err := os.ReadFile(filepath.Join("..", "..", "ARCHITECTURE.md"))
	if err != nil {
		panic(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) < 3 || !strings.HasPrefix(cells[0], "`") || strings.HasPrefix(line, "    ") {
			continue
		}
		last := cells[len(cells)-1]
		if last != "–" && last != "everything" && !strings.HasPrefix(last, "`") {
			continue // another table
		}
		allowed := []string{}
		if last == "everything" {
			allowed = append(allowed, "*")
		}
		for _, name := range quoted.FindAllString(last, -1) {
			allowed = append(allowed, strings.Trim(name, "`"))
		}
		out[strings.Trim(cells[0], "`")] = allowed
	}
	return out
}

var quoted = regexp.MustCompile("`[^`]+`")

// TestThePictureTheFoldersAndTheTableAgree holds the document to the tree: every folder
// with Go code has a row, every row a folder, and the picture names rows only.
func TestThePictureTheFoldersAndTheTableAgree(t *testing.T) {
	root := filepath.Join("..", "..")
	for name := range may {
		if info, err := os.Stat(filepath.Join(root, strings.TrimSuffix(name, "/*"))); err != nil || !info.IsDir() {
			t.Errorf("ARCHITECTURE.md has a row for %s, and there is no such folder", name)
		}
	}
	folders, err := filepath.Glob(filepath.Join(root, "*", "*.go"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("no folders of Go: %v", err)
	}
	for _, file := range folders {
		if name := filepath.Base(filepath.Dir(file)); may[name] == nil {
			t.Errorf("ARCHITECTURE.md has no row for %s", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, picture, _ := strings.Cut(string(text), "\n\n")
	picture, _, _ = strings.Cut(picture, "\n\n")
	names := 0
	for _, word := range regexp.MustCompile(`[a-z]+`).FindAllString(picture, -1) {
		if word == "state" || word == "events" {
			continue
		}
		if names++; may[word] == nil {
			t.Errorf("the picture of ARCHITECTURE.md names %s, and there is no such folder", word)
		}
	}
	if names < 15 {
		t.Errorf("the picture of ARCHITECTURE.md names %d folders only", names)
	}
}

// onlyHere lists third-party packages that one package of ours alone may use.
var onlyHere = map[string]string{
	"k8s.io/client-go":     "collect/kube",
	"go.yaml.in/yaml":      "strictyaml",
	"modernc.org/sqlite":   "store",
	"github.com/jackc/pgx": "store",
	"database/sql":         "store",
}

// never lists imports that a package must not have, even from outside.
var never = map[string][]string{
	"graph": {"k8s.io/"}, "schema": {"k8s.io/"}, "query": {"k8s.io/"}, "rule": {"k8s.io/"},
	"analyse": {"k8s.io/client-go", "net/http"}, "segment": {"net/http"}, "rbac": {"net/http"},
	"netpol": {"net/http"}, "exposure": {"net/http"}, "vuln": {"net/http"},
}

func TestArrowsThatMustNeverExist(t *testing.T) {
	each(t, func(pkg, file string, imports []string) {
		check(t, pkg, file, imports)
	})
}

// TestEveryAllowanceIsUsed keeps the table narrow: a row that still names a package
// which nothing of the row imports any more would let the arrow come back unseen.
// What tests import needs no row, and files of every build tag count.
func TestEveryAllowanceIsUsed(t *testing.T) {
	used := map[string][]string{}
	each(t, func(pkg, _ string, imports []string) {
		row, _ := rowOf(pkg)
		for _, imported := range imports {
			if ours, ok := strings.CutPrefix(imported, module); ok {
				used[row] = append(used[row], ours)
			}
		}
	})
	for row, allowed := range may {
		for _, a := range allowed {
			if a != "*" && !slices.ContainsFunc(used[row], func(imported string) bool { return allows([]string{a}, imported) }) {
				t.Errorf("ARCHITECTURE.md lets %s import %s, and it does not: take it out of the row", row, a)
			}
		}
	}
}

// each calls f with every file of ours that is no test.
func each(t *testing.T, f func(pkg, file string, imports []string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, file, d)
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, _ := filepath.Rel(root, filepath.Dir(file))
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range parsed.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			imports = append(imports, imported)
		}
		f(filepath.ToSlash(rel), file, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// skip leaves out hidden folders, test data and modules of their own.
func skip(root, dir string, d fs.DirEntry) error {
	name := d.Name()
	if dir == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules" {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func check(t *testing.T, pkg, file string, imports []string) {
	t.Helper()
	row, listed := rowOf(pkg)
	if !listed {
		t.Errorf("%s: package %s is not in the table: say where it belongs", file, pkg)
		return
	}
	for _, imported := range imports {
		if ours, ok := strings.CutPrefix(imported, module); ok && ours != "severity" && !allows(may[row], ours) {
			t.Errorf("%s: %s must not import %s", file, pkg, ours)
		}
		top, _, _ := strings.Cut(pkg, "/")
		free := top == "test" || top == "cmd" || top == "cli" || top == "server" || top == "datadir" || top == "sample" ||
			top == "internal" || top == "bench"
		for prefix, home := range onlyHere {
			if strings.HasPrefix(imported, prefix) && !free && pkg != home && !strings.HasPrefix(pkg, home+"/") {
				t.Errorf("%s: only %s may import %s", file, home, prefix)
			}
		}
		for _, prefix := range never[pkg] {
			if strings.HasPrefix(imported, prefix) {
				t.Errorf("%s: %s must not import %s", file, pkg, imported)
			}
		}
	}
}

// rowOf finds the row of a package, or of the nearest folder above it.
func rowOf(pkg string) (string, bool) {
	if may[pkg] != nil {
		return pkg, true
	}
	for p := pkg; p != "."; p = path.Dir(p) {
		if row := path.Dir(p) + "/*"; may[row] != nil {
			return row, true
		}
	}
	top, _, _ := strings.Cut(pkg, "/")
	return top, slices.Contains(may[top], "*") || top == "examples"
}

func allows(allowed []string, imported string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, all := strings.CutSuffix(a, "/*")
		return a == "*" || a == imported || all && strings.HasPrefix(imported, below+"/")
	})
}
