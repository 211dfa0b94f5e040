package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// subject is a package with its mutants and the binary of its tests that holds them.
type subject struct {
	Dir, Name, ImportPath, Export string
	GoFiles, CgoFiles             []string
	root, work                    string
	mutants                       []*mutant
	sources                       map[string][]byte
	lines                         map[string][]int // where each line of a file begins
}

// load parses and type-checks a package's files and finds their mutants.
func load(root, work, path string, only func(file string) bool) (*subject, error) {
	list, err := goList(root, path)
	if err != nil {
		return nil, err
	}
	s := &list[len(list)-1]
	s.root, s.work, s.sources, s.lines = root, work, map[string][]byte{}, map[string][]int{}
	exports := map[string]string{}
	for _, p := range list {
		exports[p.ImportPath] = p.Export
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range s.GoFiles {
		file := filepath.Join(s.Dir, name)
		if s.sources[file], err = os.ReadFile(file); err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(fset, file, s.sources[file], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, parsed)
		s.lines[file] = fset.File(parsed.Pos()).Lines()
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	checked, err := (&types.Config{Importer: imports}).Check(s.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	id := 0
	for i, parsed := range files {
		file := filepath.Join(s.Dir, s.GoFiles[i])
		if ast.IsGenerated(parsed) || !only(s.GoFiles[i]) {
			continue
		}
		f := &finder{
			fset: fset,
			file: parsed,
			name: s.relative(file),
			src:  s.sources[file],
			info: info,
			pkg:  checked,
			next: func() int { id++; return id },
		}
		s.mutants = append(s.mutants, f.find()...)
	}
	return s, nil
}

func goList(root, path string) ([]subject, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=Dir,Name,ImportPath,Export,GoFiles,CgoFiles", path)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", path, err)
	}
	var list []subject
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p subject
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (s *subject) relative(file string) string {
	name, err := filepath.Rel(s.root, file)
	if err != nil {
		panic(err) // both are absolute
	}
	return filepath.ToSlash(name)
}

// helpers choose at run time which mutant lives; with MUTANT_REACHED a run notes
// which of them its tests reach.
const helpers = `package %s

import (
	mutantOS "os"
	mutantStrconv "strconv"
	mutantAtomic "sync/atomic"
)

var (
	mutantActive, _ = mutantStrconv.Atoi(mutantOS.Getenv("MUTANT"))
	mutantLog, _    = mutantOS.OpenFile(mutantOS.Getenv("MUTANT_REACHED"), mutantOS.O_APPEND|mutantOS.O_WRONLY, 0)
	mutantSeen      [%d]mutantAtomic.Bool
)

func mutantOn(id int) bool {
	if mutantLog != nil {
		mutantReach(id)
	}
	return id == mutantActive && id != 0
}

func mutantReach(id int) {
	if !mutantSeen[id].Swap(true) {
		_, _ = mutantLog.WriteString(mutantStrconv.Itoa(id) + "\n")
	}
}

func mutantCondition(always, never int, v bool) bool {
	return (mutantOn(always) || v) && !mutantOn(never)
}

func mutantPick[T any](id int, was, now T) T {
	if mutantOn(id) {
		return now
	}
	return was
}

func mutantStep[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](id int, _ T) T {
	if mutantOn(id) {
		return ^T(0)
	}
	return 1
}
`

var complaint = regexp.MustCompile(`(?m)^(?:vet: )?([^\s:]+\.go):(\d+):`)

// buildAll builds the test binary that holds every mutant that can be switched.
// What the compiler refuses is taken out and built by itself later.
func (s *subject) buildAll() (string, error) {
	helper := filepath.Join(s.work, "helpers.go")
	if err := os.WriteFile(helper, fmt.Appendf(nil, helpers, s.Name, len(s.mutants)+1), 0o600); err != nil {
		return "", err
	}
	bin := filepath.Join(s.work, "all.test")
	for range 20 {
		replace := map[string]string{filepath.Join(s.Dir, "mutants_switch.go"): helper}
		for file, src := range s.sources {
			var edits []edit
			for _, m := range s.mutants {
				if m.file == s.relative(file) {
					edits = append(edits, m.switched...)
				}
			}
			if len(edits) == 0 {
				continue
			}
			replace[file] = filepath.Join(s.work, filepath.Base(file))
			if err := os.WriteFile(replace[file], apply(src, edits), 0o600); err != nil {
				return "", err
			}
		}
		out, err := s.compile(bin, replace)
		if err == nil {
			return bin, nil
		}
		if !s.takeOut(out) {
			return "", fmt.Errorf("build %s with its mutants: %w\n%s", s.ImportPath, err, out)
		}
	}
	return "", fmt.Errorf("build %s with its mutants: the compiler is never content", s.ImportPath)
}

// buildOne builds the test binary with one mutant in its place.
func (s *subject) buildOne(m *mutant, bin string) error {
	file := filepath.Join(s.root, filepath.FromSlash(m.file))
	changed := bin + ".go"
	if err := os.WriteFile(changed, apply(s.sources[file], []edit{m.raw}), 0o600); err != nil {
		return err
	}
	_, err := s.compile(bin, map[string]string{file: changed})
	return err
}

func (s *subject) compile(bin string, replace map[string]string) (string, error) {
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(bin+".json", overlay, 0o600); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", bin+".json", "-o", bin, s.ImportPath)
	cmd.Dir = s.root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// takeOut takes the mutants out that stand where the compiler complains.
func (s *subject) takeOut(complaints string) bool {
	found := false
	for _, c := range complaint.FindAllStringSubmatch(complaints, -1) {
		line, _ := strconv.Atoi(c[2]) // digits
		for _, m := range s.mutants {
			if filepath.Base(c[1]) == filepath.Base(m.file) && len(m.switched) > 0 && s.spans(m, line) {
				m.switched, found = nil, true
			}
		}
	}
	return found
}

func (s *subject) spans(m *mutant, line int) bool {
	starts := s.lines[filepath.Join(s.root, filepath.FromSlash(m.file))]
	at := func(offset int) int {
		i, found := slices.BinarySearch(starts, offset)
		if found {
			return i + 1
		}
		return i
	}
	first, last := m.switched[0], m.switched[len(m.switched)-1]
	return at(first.from) <= line && line <= at(last.to)
}

// apply makes the edits; what stands at one place keeps the order it was made in,
// but what ends there comes before what begins.
func apply(src []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Or(a.from-b.from, a.order-b.order) })
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.Write(src[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(src[at:])
	return []byte(out.String())
}
