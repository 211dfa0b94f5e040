package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reading are the functions that turn bytes into something, by the package that has them.
var reading = map[string]*regexp.Regexp{
	"encoding/json": regexp.MustCompile(`^(Unmarshal|NewDecoder)$`), "sigs.k8s.io/json": regexp.MustCompile(`^Unmarshal`),
	"github.com/go-json-experiment/json/jsontext": regexp.MustCompile(`^NewDecoder$`),
	"sigs.k8s.io/yaml":                            regexp.MustCompile(`^(Unmarshal|YAMLToJSON)`),
	"go.yaml.in/yaml/v3":                          regexp.MustCompile(`^(Unmarshal|NewDecoder)$`),
	module + "strictyaml":                         regexp.MustCompile(`^(Decode|Read|ReadFrom)$`),
	"archive/tar":                                 regexp.MustCompile(`^NewReader$`),
	"archive/zip":                                 regexp.MustCompile(`^(New|Open)Reader$`),
	"compress/gzip":                               regexp.MustCompile(`^NewReader$`),
	"compress/bzip2":                              regexp.MustCompile(`^NewReader$`),
	"compress/zlib":                               regexp.MustCompile(`^NewReader$`),
	"compress/flate":                              regexp.MustCompile(`^NewReader$`),
	"encoding/binary":                             regexp.MustCompile(`^(Read|Decode|Uvarint|Varint|ReadUvarint|ReadVarint)$`),
	"encoding/csv":                                regexp.MustCompile(`^NewReader$`),
	"encoding/gob":                                regexp.MustCompile(`^NewDecoder$`),
	"encoding/xml":                                regexp.MustCompile(`^(Unmarshal|NewDecoder)$`),
	"encoding/pem":                                regexp.MustCompile(`^Decode$`),
	"crypto/x509":                                 regexp.MustCompile(`^Parse`),
	"mime/multipart":                              regexp.MustCompile(`^NewReader$`),
	"bufio":                                       regexp.MustCompile(`^NewScanner$`),
	"io":                                          regexp.MustCompile(`^ReadAll$`),
	"debug/buildinfo":                             regexp.MustCompile(`^Read`),
	"debug/elf":                                   regexp.MustCompile(`^(NewFile|Open)$`),
	"github.com/google/cel-go/cel":                regexp.MustCompile(`^NewEnv`),
	"google.golang.org/protobuf/proto":            regexp.MustCompile(`^Unmarshal`),
	"github.com/klauspost/compress/gzip":          regexp.MustCompile(`^NewReader$`),
	"github.com/klauspost/compress/zstd":          regexp.MustCompile(`^NewReader$`),
}

// TestEveryFileThatReadsBytesIsInTheTable holds docs/foreign-bytes.md to the code.
func TestEveryFileThatReadsBytesIsInTheTable(t *testing.T) {
	root := filepath.Join("..", "..")
	foreign, ours := pageOf(t)
	listed := map[string]int{}
	for _, row := range append(slices.Clone(foreign), ours...) {
		for _, file := range row.files {
			listed[file]++
			if _, err := os.Stat(filepath.Join(root, file)); err != nil {
				t.Errorf("%s is in docs/foreign-bytes.md, and there is no such file", file)
			}
		}
	}
	reads := map[string]bool{}
	each(t, func(pkg, file string, _ []string) {
		name := filepath.ToSlash(strings.TrimPrefix(file, root+string(filepath.Separator)))
		switch strings.Split(name, "/")[0] {
		case "test", "examples", "bench", "docs", "internal":
			return
		}
		if what := whatItReads(t, file); what != "" {
			reads[name] = true
			if listed[name] != 1 {
				t.Errorf("%s calls %s and is in %d rows of docs/foreign-bytes.md: want one, with who writes the bytes, their bound and a fuzz test",
					name, what, listed[name])
			}
		}
	})
	for _, row := range ours {
		for _, file := range row.files {
			if !reads[file] {
				t.Errorf("%s reads nothing any more: take it out of docs/foreign-bytes.md", file)
			}
		}
	}
	if len(reads) < 50 {
		t.Errorf("only %d files read anything", len(reads))
	}
}

// TestEveryParserOfForeignBytesHasItsBoundAndItsFuzzTest looks for what the page names.
func TestEveryParserOfForeignBytesHasItsBoundAndItsFuzzTest(t *testing.T) {
	foreign, _ := pageOf(t)
	there, named := fuzzTests(t), map[string]bool{}
	for _, row := range foreign {
		if len(row.files) == 0 || len(row.fuzz) == 0 {
			t.Errorf("%s: no file or no fuzz test", row.what)
		}
		for _, f := range row.fuzz {
			if named[f] = true; !there[f] {
				t.Errorf("%s: there is no %s", row.what, f)
			}
		}
		for _, bound := range row.bounds {
			if !slices.ContainsFunc(row.where, func(folder string) bool { return declares(t, folder, bound) }) {
				t.Errorf("%s: %s is a name in none of %v", row.what, bound, row.where)
			}
		}
	}
	for f := range there {
		if !named[f] {
			t.Errorf("%s is in no row of docs/foreign-bytes.md", f)
		}
	}
}

// parsed is one row: files, names of bounds, folders where they are looked for, fuzz tests.
type parsed struct {
	what                       string
	files, bounds, where, fuzz []string
}

var targeted = regexp.MustCompile("`([^`]+)` (Fuzz\\w+)")

func pageOf(t *testing.T) (foreign, ours []parsed) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "foreign-bytes.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !strings.HasPrefix(line, "| ") || cells[0] == "bytes" || cells[0] == "what" {
			continue
		}
		row := parsed{what: cells[0]}
		switch len(cells) {
		case 2:
			row.files = ticked(cells[1])
			ours = append(ours, row)
		case 5:
			row.files = ticked(cells[2])
			for _, file := range row.files {
				row.where = append(row.where, filepath.Dir(file))
			}
			for _, name := range ticked(cells[3]) {
				if info, err := os.Stat(filepath.Join("..", "..", name)); err == nil && info.IsDir() {
					row.where = append(row.where, name)
				} else {
					row.bounds = append(row.bounds, name)
				}
			}
			for _, m := range targeted.FindAllStringSubmatch(cells[4], -1) {
				row.fuzz = append(row.fuzz, m[1]+" "+m[2])
			}
			foreign = append(foreign, row)
		default:
			t.Errorf("a row of docs/foreign-bytes.md has %d cells: %s", len(cells), line)
		}
	}
	return foreign, ours
}

func ticked(cell string) (out []string) {
	for _, name := range quoted.FindAllString(cell, -1) {
		out = append(out, strings.Trim(name, "`"))
	}
	return out
}

// whatItReads is a call by which a file reads bytes, empty if there is none.
func whatItReads(t *testing.T, file string) (call string) {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{}
	for _, i := range tree.Imports {
		imported, _ := strconv.Unquote(i.Path.Value)
		name := strings.TrimSuffix(imported, "/v3")
		name = name[strings.LastIndex(name, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		of[name] = imported
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s.Sel.Name == "AppendCertsFromPEM" {
			call = s.Sel.Name
		}
		if x, ok := s.X.(*ast.Ident); ok {
			if functions := reading[of[x.Name]]; functions != nil && functions.MatchString(s.Sel.Name) {
				call = x.Name + "." + s.Sel.Name
			}
		}
		return true
	})
	return call
}

// fuzzTests are all there are, as folder and name.
func fuzzTests(t *testing.T) map[string]bool {
	t.Helper()
	root, out := filepath.Join("..", ".."), map[string]bool{}
	err := filepath.WalkDir(root, func(file string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, file, d)
		}
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(file)
		folder, _ := filepath.Rel(root, filepath.Dir(file))
		for _, m := range declaredFuzz.FindAllStringSubmatch(string(text), -1) {
			out[filepath.ToSlash(folder)+" "+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var declaredFuzz = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)

// declares says whether a name is written in the code of a folder, as one that is declared there.
func declares(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`(?m)^(const|var|type)?[\w\t ,]*\b` + name + `\b[\w, \t]*(=|struct|\n)`)
	return slices.ContainsFunc(files, func(file string) bool {
		if strings.HasSuffix(file, "_test.go") {
			return false
		}
		text, err := os.ReadFile(file)
		return err == nil && word.Match(text)
	})
}
