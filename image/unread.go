package image

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// Unread is code in an image that nobody looked into: no package that was read brought
// it, and Breakwater does not read its kind yet.
type Unread struct {
	// Kind in the field's words: "Python packages".
	Kind string `json:"kind"`
	// Files is how many files show that it is there, Such the first of them.
	Files int    `json:"files"`
	Such  string `json:"such,omitempty"`
}

// programs are recognised by what they begin with, not by a name.
const programs = "programs and libraries"

// sign is a file whose name shows code of a kind: its whole name, or the end of it, in
// a folder whose name ends so.
type sign struct{ kind, name, ends, in string }

// signs are what package managers of languages, and some vendors, leave beside what
// they install, and lists of what a program was built from.
var signs = []sign{
	{kind: "npm packages", name: "package.json"},
	{kind: "npm packages", name: "package-lock.json"},
	{kind: "npm packages", name: "yarn.lock"},
	{kind: "npm packages", name: "pnpm-lock.yaml"},
	{kind: "npm packages", name: "npm-shrinkwrap.json"},
	{kind: "npm packages", name: "bun.lock"},
	{kind: "npm packages", name: "bun.lockb"},
	{kind: "npm packages", name: "deno.lock"},
	{kind: "npm packages", name: ".pnp.cjs"},
	{kind: "Bower packages", name: "bower.json", in: "/bower_components/*"},
	{kind: "Python packages", name: "METADATA", in: ".dist-info"},
	{kind: "Python packages", name: "PKG-INFO", in: ".egg-info"},
	{kind: "Python packages", name: "PKG-INFO", in: "EGG-INFO"},
	{kind: "Python packages", ends: ".egg-info"},
	{kind: "Python packages", ends: ".egg"},
	{kind: "Python packages", name: "Pipfile.lock"},
	{kind: "Python packages", name: "poetry.lock"},
	{kind: "Python packages", name: "uv.lock"},
	{kind: "Python packages", name: "pdm.lock"},
	{kind: "Python packages", ends: ".whl"},
	{kind: "Python packages", ends: ".pyz"},
	{kind: "Python packages", ends: ".pex"},
	{kind: "Ruby gems", ends: ".gemspec"},
	{kind: "Ruby gems", name: "Gemfile.lock"},
	{kind: "Java archives", ends: ".jar"},
	{kind: "Java archives", ends: ".war"},
	{kind: "Java archives", ends: ".ear"},
	{kind: "Java archives", ends: ".hpi"},
	{kind: "Java archives", ends: ".jpi"},
	{kind: "Java archives", ends: ".jmod"},
	{kind: "Java archives", name: "gradle.lockfile"},
	{kind: "PHP packages", name: "installed.json", in: "composer"},
	{kind: "PHP packages", name: "composer.lock"},
	{kind: ".NET assemblies", ends: ".dll"},
	{kind: ".NET assemblies", ends: ".nupkg"},
	{kind: ".NET assemblies", ends: ".deps.json"},
	{kind: ".NET assemblies", name: "packages.lock.json"},
	{kind: "Go modules", name: "go.mod"},
	{kind: "Rust crates", name: "Cargo.lock"},
	{kind: "conda packages", ends: ".json", in: "conda-meta"},
	{kind: "Perl distributions", name: ".packlist"},
	{kind: "R packages", name: "DESCRIPTION", in: "/library/*"},
	{kind: "R packages", name: "DESCRIPTION", in: "/site-library/*"},
	{kind: "Erlang applications", ends: ".app", in: "ebin"},
	{kind: "Erlang applications", name: "rebar.lock"},
	{kind: "Elixir packages", name: "mix.lock"},
	{kind: "C and C++ packages", name: "conan.lock"},
	{kind: "snaps", name: "snap.yaml", in: "/meta"},
	{kind: "Lua rocks", name: "rock_manifest"},
	{kind: "Dart packages", name: "pubspec.lock"},
	{kind: "Swift packages", name: "Package.resolved"},
	{kind: "WordPress", name: "version.php", in: "wp-includes"},
	{kind: "Homebrew formulae", name: "INSTALL_RECEIPT.json"},
	{kind: "Bitnami components", ends: ".spdx", in: "/opt/bitnami/*"},
	{kind: programs, ends: ".wasm"},
}

// signsOf are the signs by the whole name of a file, or by the last part of it.
var signsOf = func() map[string][]sign {
	out := map[string][]sign{}
	for _, s := range signs {
		key := cmp.Or(s.name, path.Ext(s.ends))
		out[key] = append(out[key], s)
	}
	return out
}()

// codeOf is the kind of code that a file's name shows, empty for none.
func codeOf(name string) string {
	dir, base := path.Split("/" + name)
	dir = strings.TrimSuffix(dir, "/")
	for _, key := range []string{base, path.Ext(base)} {
		for _, s := range signsOf[key] {
			if (s.name == base || s.ends != "" && strings.HasSuffix(base, s.ends)) && s.within(dir) {
				return s.kind
			}
		}
	}
	return ""
}

func (s sign) within(dir string) bool {
	above, below, star := strings.Cut(s.in, "/*")
	if star && below == "" {
		return strings.HasSuffix(path.Dir(dir), above)
	}
	return strings.HasSuffix(dir, s.in)
}

// isProgram says that a file begins as a program or a shared library of Linux does
// (ELF), and leaves the reader behind that.
func isProgram(size int64, r io.Reader) (bool, error) {
	head := make([]byte, 18)
	if size < int64(len(head)) {
		return false, nil
	}
	if n, err := io.ReadFull(r, head); err != nil {
		return false, fmt.Errorf("after %d bytes: %w", n, err)
	}
	kind := head[16] | head[17] // 2 and 3, in the one byte order or the other
	return bytes.HasPrefix(head, []byte("\x7fELF")) && (kind == 2 || kind == 3), nil
}

// unread is the code in the tree that none of the packages brought, and what is beyond
// the signs that were kept.
func (t *tree) unread(packages []Package, beyond map[string]int) []Unread {
	own := t.own(packages)
	found := map[string]*Unread{}
	for kind, n := range beyond {
		found[kind] = &Unread{Kind: kind, Files: n}
	}
	t.files(func(name string, n *node) bool {
		if n.Kind != aSign || own[name] {
			return true
		}
		u := found[n.Target]
		if u == nil {
			u = &Unread{Kind: n.Target}
			found[n.Target] = u
		}
		u.Files, u.Such = u.Files+1, cmp.Or(u.Such, name)
		return true
	})
	var out []Unread
	for _, u := range found {
		out = append(out, *u)
	}
	slices.SortFunc(out, func(a, b Unread) int { return strings.Compare(a.Kind, b.Kind) })
	return out
}

// String is how many files show it: "3 files, such as app/a.jar".
func (u Unread) String() string {
	words := fmt.Sprintf("%d files", u.Files)
	if u.Files == 1 {
		words = "1 file"
	}
	if u.Such != "" {
		words += ", such as " + u.Such
	}
	return words
}

// own is the files of packages, by their names without a link on the way.
func (t *tree) own(packages []Package) map[string]bool {
	out, at := map[string]bool{}, map[string]string{}
	for _, p := range packages {
		for _, file := range p.Files {
			dir, base := path.Split(file)
			if _, known := at[dir]; !known {
				at[dir] = t.resolve(strings.Trim(dir, "/"))
			}
			out[strings.TrimPrefix(at[dir]+"/"+base, "/")] = true
		}
	}
	return out
}
