package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// commands are the binaries that we hand out.
var commands = []string{"./cmd/breakwater", "./cmd/breakwater-sensor"}

// part is a module of Go or a package of npm that is in what we hand out.
type part struct {
	Name, Version string
	npm           bool
	root          string   // its folder
	dirs          []string // those of its folders that are in use
}

func (p part) purl() string {
	kind := "golang"
	if p.npm {
		kind = "npm"
	}
	return "pkg:" + kind + "/" + strings.ReplaceAll(strings.Replace(p.Name, "@", "%40", 1), "+", "%2B") + "@" +
		strings.ReplaceAll(p.Version, "+", "%2B")
}

// standardLibrary stands for the module that the toolchain is.
const standardLibrary = "std"

// linkedModules are the modules that the binaries contain, and the standard library.
func linkedModules(root string) ([]part, error) {
	list := exec.Command("go", append([]string{"list", "-deps", "-json=Dir,Standard,Module", "-tags", "ui"}, commands...)...)
	list.Dir, list.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil && !strings.Contains(said.String(), "all:dist") {
		return nil, fmt.Errorf("go list: %w: %s", err, said.String())
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	std := strings.TrimSpace(string(goroot))
	parts := map[string]*part{standardLibrary: {Name: standardLibrary, root: std, dirs: []string{std}}}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		if p.Standard || p.Module == nil || p.Module.Main {
			continue
		}
		m := parts[p.Module.Path]
		if m == nil {
			m = &part{Name: p.Module.Path, Version: p.Module.Version, root: p.Module.Dir}
			parts[p.Module.Path] = m
		}
		m.dirs = append(m.dirs, p.Dir)
	}
	return sorted(parts), nil
}

func sorted(parts map[string]*part) (out []part) {
	for _, p := range parts {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b part) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version)) })
	return out
}

// bundledList is where the portal's build says which packages are in it: ui/vite.config.ts.
const bundledList = "ui/dist/.packages.json"

// bundledPackages are the packages of npm that the built portal contains.
func bundledPackages(root string) (out []part, err error) {
	text, err := os.ReadFile(filepath.Join(root, bundledList))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the portal is not built: make ui: %w", err)
	}
	if err != nil {
		return nil, err
	}
	var list []struct{ Name, Version string }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read %s: %w", bundledList, err)
	}
	for _, p := range list {
		dir := filepath.Join(root, "ui/node_modules", p.Name)
		out = append(out, part{Name: p.Name, Version: p.Version, npm: true, root: dir, dirs: []string{dir}})
	}
	return out, nil
}

// licenceFile is one whose text is of the code; those of documents and pictures, which are in no binary, are not.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense)([-._].*)?$`)

var notOfCode = regexp.MustCompile(`(?i)(\.go|\.docs|-logo)$`)

// licences are the texts under which a part is used: of its folders in use, and of those above them.
func (p part) licences() (texts []string, err error) {
	seen := map[string]bool{}
	for _, dir := range p.dirs {
		for ; strings.HasPrefix(dir, p.root) && !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			found, err := licencesIn(dir)
			if err != nil {
				return nil, err
			}
			texts = append(texts, found...)
		}
	}
	slices.Sort(texts)
	if texts = slices.Compact(texts); len(texts) == 0 && p.npm {
		return p.stated()
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s %s has no licence in %s", p.Name, p.Version, p.root)
	}
	return texts, nil
}

// stated is what the package.json of a package says that came without a text.
func (p part) stated() ([]string, error) {
	b, err := os.ReadFile(filepath.Join(p.root, "package.json"))
	if err != nil {
		return nil, err
	}
	var said struct {
		License string
		Author  any
	}
	if err := json.Unmarshal(b, &said); err != nil || said.License == "" {
		return nil, fmt.Errorf("%s %s has neither a licence nor says one in its package.json: %w", p.Name, p.Version, err)
	}
	author := said.Author
	if of, ok := author.(map[string]any); ok {
		author = of["name"]
	}
	return []string{fmt.Sprintf("%s%s\nIt came without a text. Its author: %v\n", stated, said.License, author)}, nil
}

const stated = "Its package.json says: license: "

func licencesIn(dir string) (texts []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) || notOfCode.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		text := plain(string(b))
		if ids, err := licencesOf(text); err != nil || len(ids) == 0 && !strings.HasPrefix(strings.ToLower(e.Name()), "notice") {
			return nil, fmt.Errorf("%s is not on the list of licences (%v):\n%s", filepath.Join(dir, e.Name()), err, text[:min(len(text), 400)])
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// plain is a text with lines that end alike.
func plain(text string) string {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\r\n", "\n")) {
		lines = append(lines, strings.TrimRight(line, " \t\f\n"))
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}
