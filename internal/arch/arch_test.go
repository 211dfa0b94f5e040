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
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/breakwater-sec/breakwater/"

// may lists, for each package, the packages of ours it may import; "…/*" allows
// every package below. The order is that of the data flow.
var may = map[string][]string{
	"severity":   {}, // and every package may import it
	"strictyaml": {},
	"graph":      {},
	"rule":       {"strictyaml"},
	"store":      {"assess", "registries"},
	"event":      {"ref"},
	"detect":     {"event", "rule", "strictyaml", "ref"},
	"sensor":     {"event", "event/runtime"},
	"backoff":    {},
	"ingest":     {"event", "store", "backoff"},
	"pipeline":   {"event", "event/audit", "event/runtime", "detect", "ingest", "store", "backoff"},
	"ui":         {},
	"schema":     {"graph"},
	"collect":    {"ref"},
	"image":      {"collect"},
	"vuln":       {"collect"},
	"rbac":       {"collect", "strictyaml", "ref"},
	"netpol":     {"collect"},
	"exposure":   {"collect", "netpol", "ref"},
	"query":      {"graph", "schema", "rule", "strictyaml", "packs/queries"},
	"packs":      {},
	"assess":     {"collect", "image", "vuln"},
	"registries": {"collect", "image", "assess"},
	"segment":    {"collect", "rbac", "netpol", "exposure", "assess", "vuln", "schema", "graph", "ref"},
	"analyse":    {"graph", "schema", "query", "rule", "packs", "collect", "rbac", "ref"},
	"live":       {"collect", "assess", "segment", "graph", "schema", "analyse", "store"},
	"enrichment": {"live", "collect", "graph", "schema", "query", "rule", "detect", "event", "event/runtime", "ref"},
	"scope":      {"live", "assess", "registries", "collect", "image", "graph", "schema", "analyse", "store", "detect"},
	"report":     {"scope", "vuln", "segment", "collect", "graph", "schema", "analyse", "exposure", "netpol", "ref"},
	"api": {"report", "scope", "ui", "rule", "live", "assess", "registries", "store", "query",
		"schema", "graph", "analyse", "collect", "image", "vuln", "segment", "packs/queries", "detect", "event", "event/runtime", "ref"},
	"docs":   {"*"},
	"test":   {"*"},
	"bench":  {"*"},
	"cli":    {"*"},
	"server": {"*"},
	"sample": {"server", "terminal", "analyse", "collect", "detect", "graph", "ingest",
		"ingest/sender", "live", "query", "registries", "report", "store", "assess", "datadir", "scope"},
	"datadir":          {"collect", "collect/kube", "store"},
	"terminal":         {},
	"cmd":              {"*"},
	"examples":         {"collect", "collect/kube", "image"},
	"internal":         {"*"},
	"collect/*":        {"collect"},
	"collect/registry": {"collect", "image"},
	"graph/*":          {"graph"},
	"image/*":          {"image"},
	"detect/builtin":   {"packs", "detect", "event", "event/audit", "event/runtime"},
	"packs/*":          {"rule", "query", "schema", "graph"},
	"event/*":          {"event", "ref"},
	"deploy/*":         {},
	"sensor/*":         {"event", "event/runtime"},
	"ingest/*":         {"ingest", "backoff", "event", "store"},
	"segment/*":        {"segment", "collect", "collect/kube", "graph", "schema"},
}

// onlyHere lists third-party packages that one package of ours alone may use.
var onlyHere = map[string]string{
	"k8s.io/client-go":                        "collect/kube",
	"go.yaml.in/yaml":                         "strictyaml",
	"modernc.org/sqlite":                      "store",
	"github.com/jackc/pgx":                    "store",
	"database/sql":                            "store",
	"github.com/google/osv-scalibr/extractor": "image",
}

// never lists imports that a package must not have, even from outside.
var never = map[string][]string{
	"graph": {"k8s.io/"}, "schema": {"k8s.io/"}, "query": {"k8s.io/"}, "rule": {"k8s.io/"},
	"analyse": {"k8s.io/client-go", "net/http"}, "segment": {"net/http"}, "rbac": {"net/http"},
	"netpol": {"net/http"}, "exposure": {"net/http"}, "vuln": {"net/http"},
}

func TestArrowsThatMustNeverExist(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, file, d)
		}
		if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			rel, _ := filepath.Rel(root, filepath.Dir(file))
			check(t, filepath.ToSlash(rel), file)
		}
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

func check(t *testing.T, pkg, file string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	allowed, listed := allowedFor(pkg)
	if !listed {
		t.Errorf("%s: package %s is not in the table: say where it belongs", file, pkg)
		return
	}
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if ours, ok := strings.CutPrefix(imported, module); ok && ours != "severity" && !allows(allowed, ours) {
			t.Errorf("%s: %s must not import %s", file, pkg, ours)
		}
		top, _, _ := strings.Cut(pkg, "/")
		free := top == "test" || top == "cmd" || top == "cli" || top == "server" || top == "datadir" || top == "sample" || top == "internal" || top == "bench"
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

// allowedFor finds the row of a package, or of the nearest folder above it.
func allowedFor(pkg string) ([]string, bool) {
	if a, ok := may[pkg]; ok {
		return a, true
	}
	for p := pkg; p != "."; p = path.Dir(p) {
		if a, ok := may[path.Dir(p)+"/*"]; ok {
			return a, true
		}
	}
	top, _, _ := strings.Cut(pkg, "/")
	if a := may[top]; slices.Contains(a, "*") || top == "examples" {
		return a, true
	}
	return nil, false
}

func allows(allowed []string, imported string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		below, all := strings.CutSuffix(a, "/*")
		return a == "*" || a == imported || all && strings.HasPrefix(imported, below+"/")
	})
}
