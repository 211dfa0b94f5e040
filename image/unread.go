package image

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/breakwater-sec/breakwater/image/lang"
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

// Programs are recognised by what they begin with, not by a name.
const (
	programs = "programs and libraries"
	scripts  = "scripts"
)

// sign is a file whose name shows code of a kind: its whole name, or the end of it, in
// a folder whose name ends so.
type sign struct{ kind, name, ends, in string }

// signs are what package managers of languages, and some vendors, leave beside what
// they install, and lists of what a program was built from, as far as no reader of
// image/lang reads it.
var signs = []sign{
	{kind: "npm packages", name: "yarn.lock"},
	{kind: "npm packages", name: "pnpm-lock.yaml"},
	{kind: "npm packages", name: "bun.lock"},
	{kind: "npm packages", name: "bun.lockb"},
	{kind: "npm packages", name: "deno.lock"},
	{kind: "npm packages", name: ".pnp.cjs"},
	{kind: "Bower packages", name: "bower.json", in: "/bower_components/*"},
	{kind: "Python packages", name: "Pipfile.lock"},
	{kind: "Python packages", name: "poetry.lock"},
	{kind: "Python packages", name: "uv.lock"},
	{kind: "Python packages", name: "pdm.lock"},
	{kind: "Python packages", ends: ".pyz"},
	{kind: "Python packages", ends: ".pex"},
	{kind: "Ruby gems", name: "Gemfile.lock"},
	{kind: "Java archives", ends: ".jmod"},
	{kind: "Java archives", name: "gradle.lockfile"},
	{kind: "PHP packages", name: "composer.lock"},
	{kind: ".NET assemblies", ends: ".dll"},
	{kind: ".NET assemblies", ends: ".nupkg"},
	{kind: ".NET assemblies", name: "packages.lock.json"},
	{kind: "Go modules", name: "go.mod"},
	{kind: "Rust crates", name: "Cargo.lock"},
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

// beginning is what a file begins with, empty for one that is too short to be a program.
func beginning(size int64, r io.Reader) ([]byte, error) {
	head := make([]byte, 18)
	if size < int64(len(head)) {
		return nil, nil
	}
	if n, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("after %d bytes: %w", n, err)
	}
	return head, nil
}

// isProgram says that a file begins as a program or a shared library of Linux does (ELF).
func isProgram(head []byte) bool {
	if len(head) < 18 {
		return false
	}
	kind := head[16] | head[17] // 2 and 3, in the one byte order or the other
	return bytes.HasPrefix(head, []byte("\x7fELF")) && (kind == 2 || kind == 3)
}

// isScript says that a file that may be run begins with the name of what runs it.
func isScript(head []byte, mode int64) bool {
	return mode&0o111 != 0 && bytes.HasPrefix(head, []byte("#!"))
}

// packageScript says that a file is a package manager's own: what it runs when a package comes or goes.
func packageScript(name string) bool {
	return strings.HasPrefix(name, "var/lib/dpkg/info/") || strings.HasPrefix(name, "usr/lib/opkg/info/")
}

// ecosystems are where what a kind of lists wants is installed.
var ecosystems = map[string]string{"npm packages": "npm", "Python packages": "PyPI", "Ruby gems": "RubyGems", "PHP packages": "Packagist"}

// unread is the code in the tree that no package brought, and what is beyond the signs that
// were kept.
func (t *tree) unread(b *brought, beyond map[string]int) []Unread {
	found := map[string]*Unread{}
	for kind, n := range beyond {
		found[kind] = &Unread{Kind: kind, Files: n}
	}
	t.files(func(name string, n *node) bool {
		if n.Kind == aSign && !b.has(name) && !b.installs(ecosystems[n.Target], path.Dir(name)) {
			see(found, n.Target, name)
		}
		if n.Kind == aHardLink && !b.has(name) { // to a file that no layer has, or that was not looked into
			if r := lang.ReaderOf(name); r != nil {
				see(found, r.Kind, name)
			}
		}
		return true
	})
	return inOrder(found)
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

// own is the files of packages, by their names without a link on the way, and the package of each.
func (t *tree) own(packages []Package) *brought {
	out, at := &brought{owner: map[string]string{}, files: map[string]bool{}, folders: map[string]bool{}, seen: map[string]map[string]bool{}},
		map[string]string{}
	for _, p := range packages {
		for _, file := range p.Files {
			dir, base := path.Split(file)
			if _, known := at[dir]; !known {
				at[dir] = t.resolve(strings.Trim(dir, "/"))
			}
			out.owner[strings.TrimPrefix(at[dir]+"/"+base, "/")] = p.PURL
		}
	}
	out.own(t)
	return out
}
