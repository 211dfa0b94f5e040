package lang

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Lists of what was to be installed that are read line by line: each has a name and a version of its own in
// few words. What is written in another form is none of their packages.
var lockReaders = []struct {
	base, kind, ecosystem string
	read                  func(l *lock, line string)
}{
	{"poetry.lock", python, "PyPI", (*lock).toml}, {"uv.lock", python, "PyPI", (*lock).toml}, {"pdm.lock", python, "PyPI", (*lock).toml},
	{"Cargo.lock", rust, "crates.io", (*lock).toml}, {"requirements.txt", python, "PyPI", (*lock).requirement},
	{"yarn.lock", npm, "npm", (*lock).yarn}, {"pnpm-lock.yaml", npm, "npm", (*lock).pnpm}, {"bun.lock", npm, "npm", (*lock).bun},
	{"Gemfile.lock", ruby, "RubyGems", (*lock).gemfile}, {"gradle.lockfile", java, "Maven", (*lock).gradle},
	{"mix.lock", elixir, "Hex", (*lock).mix}, {"pubspec.lock", dart, "Pub", (*lock).pubspec}, {"go.mod", goModule, "Go", (*lock).goMod},
}

const (
	rust     = "Rust crates"
	elixir   = "Elixir packages"
	dart     = "Dart packages"
	swift    = "Swift packages"
	goModule = "Go modules"
)

// locks are the readers of such lists.
func locks() []Reader {
	out := []Reader{{python, named("Pipfile.lock"), readPipfileLock}, {php, named("composer.lock"), readComposerLock},
		{dotNET, named("packages.lock.json"), readNuGetLock}, {swift, named("Package.resolved"), readSwiftResolved}}
	for _, l := range lockReaders {
		out = append(out, Reader{l.kind, named(l.base), func(f File, c *Content) error { return readLock(f, c, l.ecosystem, l.read) }})
	}
	return out
}

func named(name string) func(dir, base string) bool {
	return func(dir, base string) bool { return base == name && !insideOthers(dir) }
}

// insideOthers says that a folder is of an installed package, whose own lists nobody follows.
func insideOthers(dir string) bool {
	dir = "/" + dir + "/"
	return strings.Contains(dir, "/node_modules/") || strings.Contains(dir, "-packages/") || strings.Contains(dir, "/gems/") ||
		strings.Contains(dir, "/vendor/") || strings.Contains(dir, "/pkg/mod/") || strings.Contains(dir, "/.cargo/registry/")
}

// lock is a list that is being read.
type lock struct {
	content   *Content
	ecosystem string
	section   string
	name      string
	version   string
	seen      map[Package]bool
	err       error
}

func readLock(f File, c *Content, ecosystem string, read func(*lock, string)) error {
	if f.Size > mostList {
		_, err := f.text(mostList)
		return err
	}
	l := &lock{content: c, ecosystem: ecosystem, seen: map[Package]bool{}}
	lines := bufio.NewScanner(io.LimitReader(f.Stream, mostList))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		read(l, strings.TrimRight(lines.Text(), "\r"))
	}
	c.Wanted = true
	return errors.Join(l.err, lines.Err())
}

func (l *lock) add(name, version string) {
	p := Package{Ecosystem: l.ecosystem, Name: name, Version: version}
	if name == "" || version == "" || l.seen[p] {
		return
	}
	l.seen[p] = true
	if err := l.content.add(p); err != nil && l.err == nil {
		l.err = err
	}
}

// quoted is the value of NAME = "VALUE".
func quoted(line, name string) (string, bool) {
	rest, ok := strings.CutPrefix(line, name+" = \"")
	value, _, ended := strings.Cut(rest, "\"")
	return value, ok && ended
}

// toml: [[package]], name = "x", version = "1", source = …. What is of the folder beside the list is of no registry:
// it has no source in Cargo's, and one of its own kinds in uv's.
func (l *lock) toml(line string) {
	if strings.HasPrefix(line, "[") {
		l.section, l.name, l.version = line, "", ""
	}
	if l.section != "[[package]]" {
		return
	}
	if name, ok := quoted(line, "name"); ok {
		l.name = name
		if l.ecosystem == "PyPI" {
			l.name = pythonNamed(name)
		}
	}
	if version, ok := quoted(line, "version"); ok {
		if l.version = version; l.ecosystem == "PyPI" {
			l.add(l.name, l.version)
		}
	}
	switch source, isSource := strings.CutPrefix(line, "source = "); {
	case !isSource:
	case l.ecosystem == "PyPI" && (strings.HasPrefix(source, "{ editable") || strings.HasPrefix(source, "{ virtual")):
		l.without(l.name, l.version)
	case l.ecosystem != "PyPI" && strings.HasPrefix(source, `"registry+`):
		l.add(l.name, l.version)
	}
}

// without takes back what was added last.
func (l *lock) without(name, version string) {
	p := Package{Ecosystem: l.ecosystem, Name: name, Version: version}
	if n := len(l.content.Packages); n > 0 && l.content.Packages[n-1] == p {
		l.content.Packages = l.content.Packages[:n-1]
	}
}

var requirement = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*===?\s*([^\s;#,*]+)\s*(?:[;#\\].*|--.*)?$`)

// requirement: NAME==VERSION. What leaves the version open says none.
func (l *lock) requirement(line string) {
	if m := requirement.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
		l.add(pythonNamed(m[1]), m[2])
	}
}

var yarnHead = regexp.MustCompile(`^"?((?:@[^/@"]+/)?[^@",]+)@`)

// yarn: a line of names with what was asked for, below it version "1", or version: 1 since its version 2.
func (l *lock) yarn(line string) {
	switch {
	case line == "" || line[0] == '#':
	case line[0] != ' ':
		if l.name = ""; strings.HasSuffix(line, ":") {
			if m := yarnHead.FindStringSubmatch(line); m != nil && !strings.Contains(line, "@workspace:") {
				l.name = m[1]
			}
		}
	case strings.HasPrefix(line, "  version"):
		l.add(l.name, strings.Trim(strings.TrimPrefix(strings.TrimPrefix(line, "  version"), ":"), ` "`))
		l.name = ""
	}
}

var pnpmKey = regexp.MustCompile(`^  '?/?((?:@[^/@']+/)?[^/@']+)[@/](\d[^'(:_]*)[^:]*'?:`)

// pnpm: keys of packages, as NAME@1.0.0, of old /NAME/1.0.0.
func (l *lock) pnpm(line string) {
	if line != "" && line[0] != ' ' {
		l.section = line
	}
	if m := pnpmKey.FindStringSubmatch(line); m != nil && (l.section == "packages:" || l.section == "snapshots:") {
		l.add(m[1], m[2])
	}
}

var bunEntry = regexp.MustCompile(`^\s+"[^"]+": \["((?:@[^/@"]+/)?[^@"]+)@(\d[^"]*)"`)

// bun: "NAME": ["NAME@1.0.0", …].
func (l *lock) bun(line string) {
	if m := bunEntry.FindStringSubmatch(line); m != nil {
		l.add(m[1], m[2])
	}
}

var gemEntry = regexp.MustCompile(`^    ([^\s(!]+) \(([^)\s]+)\)$`)

// gemfile: four blanks, NAME (VERSION), in the section GEM. A version may end with its platform.
func (l *lock) gemfile(line string) {
	if line != "" && line[0] != ' ' {
		l.section = line
	}
	if m := gemEntry.FindStringSubmatch(line); m != nil && l.section == "GEM" {
		version, _, _ := strings.Cut(m[2], "-")
		l.add(m[1], version)
	}
}

// gradle: group:artifact:1.0=configurations.
func (l *lock) gradle(line string) {
	what, _, _ := strings.Cut(line, "=")
	if parts := strings.Split(what, ":"); len(parts) == 3 && !strings.HasPrefix(line, "#") {
		l.add(parts[0]+":"+parts[1], parts[2])
	}
}

var mixEntry = regexp.MustCompile(`^\s*"[^"]+": \{:hex, :"?([\w.-]+)"?, "([^"]+)"`)

// mix: "name": {:hex, :name, "1.0", …}.
func (l *lock) mix(line string) {
	if m := mixEntry.FindStringSubmatch(line); m != nil {
		l.add(m[1], m[2])
	}
}

// pubspec: two blanks and a name, below it four and version: "1.0".
func (l *lock) pubspec(line string) {
	switch indented := len(line) - len(strings.TrimLeft(line, " ")); {
	case indented == 0:
		l.section = line
	case indented == 2 && strings.HasSuffix(line, ":"):
		l.name = strings.Trim(line, ` :"`)
	case indented == 4 && strings.HasPrefix(line, "    version:") && l.section == "packages:":
		l.add(l.name, strings.Trim(strings.TrimPrefix(line, "    version:"), ` "`))
	}
}

var goRequired = regexp.MustCompile(`^(?:require\s+|\s+)([^\s"]+\.[^\s"]+)\s+(v\d\S*)`)

// goMod: require PATH v1.0.0, or in a block of them.
func (l *lock) goMod(line string) {
	switch {
	case strings.HasSuffix(line, "("):
		l.section = line
	case line == ")":
		l.section = ""
	}
	if m := goRequired.FindStringSubmatch(line); m != nil && (strings.HasPrefix(line, "require") || strings.HasPrefix(l.section, "require")) {
		l.add(m[1], m[2])
	}
}

// readSwiftResolved reads what Swift's package manager resolved: packages are named by where they come from.
func readSwiftResolved(f File, c *Content) error {
	type pin struct {
		Location, RepositoryURL string
		State                   struct{ Version string }
	}
	var said struct {
		Pins   []pin
		Object struct{ Pins []pin }
	}
	return readJSONLock(f, c, &said, func(l *lock) {
		for _, p := range append(said.Pins, said.Object.Pins...) {
			_, name, _ := strings.Cut(first(p.Location, p.RepositoryURL), "://")
			if name = strings.Trim(strings.TrimSuffix(name, ".git"), "/"); strings.Contains(name, "/") {
				l.add(name, p.State.Version)
			}
		}
	}, "SwiftURL")
}

// readPipfileLock reads what is not for development alone.
func readPipfileLock(f File, c *Content) error {
	var said struct {
		Default map[string]struct{ Version string }
	}
	return readJSONLock(f, c, &said, func(l *lock) {
		for name, p := range said.Default {
			l.add(pythonNamed(name), strings.TrimPrefix(p.Version, "=="))
		}
	}, "PyPI")
}

func readComposerLock(f File, c *Content) error {
	var said struct{ Packages []composed }
	return readJSONLock(f, c, &said, func(l *lock) {
		for _, p := range said.Packages {
			l.add(strings.ToLower(p.Name), p.Version)
		}
	}, "Packagist")
}

func readNuGetLock(f File, c *Content) error {
	var said struct {
		Dependencies map[string]map[string]struct{ Type, Resolved string }
	}
	return readJSONLock(f, c, &said, func(l *lock) {
		for _, framework := range said.Dependencies {
			for name, p := range framework {
				if !strings.EqualFold(p.Type, "project") {
					l.add(name, p.Resolved)
				}
			}
		}
	}, "NuGet")
}

func readJSONLock(f File, c *Content, into any, list func(*lock), ecosystem string) error {
	text, err := f.text(mostList)
	if err != nil {
		return err
	}
	c.Wanted = true
	if err := unmarshal(text, into); err != nil {
		return err
	}
	l := &lock{content: c, ecosystem: ecosystem, seen: map[Package]bool{}}
	list(l)
	slices.SortFunc(c.Packages, func(a, b Package) int { return strings.Compare(a.Name+" "+a.Version, b.Name+" "+b.Version) })
	return l.err
}
