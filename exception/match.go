package exception

import (
	"iter"
	"regexp"
	"slices"
	"strings"
)

// Image is what is asked of an image: where it is, and under which digests it is known.
type Image struct {
	// Names are references, each HOST/REPOSITORY:TAG; what lies on a machine has the one by which it was read.
	Names []string
	// Repositories are all that hold it, each HOST/REPOSITORY.
	Repositories []string
	Digests      []string
}

// Finding is what is asked of a vulnerability of a package.
type Finding struct {
	// IDs are all names of the vulnerability.
	IDs []string
	// Packages are the names of the package, and of the one that it was built from.
	Packages []string
	Version  string
	Fixed    bool
	// Files are those of the package. They are asked for only if it matters.
	Files func() []string
}

// tests are an exception's conditions, made ready.
type tests struct {
	ids, digests                    []string
	images, repositories, filePaths []pattern
	packages                        []packagePattern
	unfixed                         bool
}

// packagePattern is a package's name, and its version if one is named.
type packagePattern struct {
	name    pattern
	version string
}

// hold says whether all conditions do. Files come last: to know them an inventory is read.
func (t *tests) hold(i Image, f Finding) bool {
	return t.holdFor(f) && t.holdIn(i) && t.holdAt(f)
}

func (t *tests) holdFor(f Finding) bool {
	return !(t.unfixed && f.Fixed) &&
		(len(t.ids) == 0 || slices.ContainsFunc(f.IDs, func(id string) bool { return slices.Contains(t.ids, strings.ToUpper(id)) })) &&
		(len(t.packages) == 0 || slices.ContainsFunc(t.packages, func(p packagePattern) bool {
			return (p.version == "" || p.version == f.Version) && slices.ContainsFunc(f.Packages, p.name.matches)
		}))
}

// holdIn is of an image. One image may be in many repositories: what is accepted in one of them is not in the others.
func (t *tests) holdIn(i Image) bool {
	if len(t.digests) > 0 && !slices.ContainsFunc(i.Digests, func(d string) bool { return slices.Contains(t.digests, d) }) {
		return false
	}
	if len(t.repositories) > 0 && !all(i.Repositories, func(r string) bool { return anyOf(t.repositories, r) }) {
		return false
	}
	if len(t.images) == 0 {
		return true
	}
	named := map[string]bool{}
	for _, name := range i.Names {
		if anyOf(t.images, name) {
			named[repositoryOf(name)] = true
		}
	}
	if len(i.Repositories) == 0 {
		return len(named) > 0
	}
	return all(i.Repositories, func(r string) bool { return named[r] })
}

// holdAt is of files: a package may be in several places, and each must be accepted.
func (t *tests) holdAt(f Finding) bool {
	if len(t.filePaths) == 0 {
		return true
	}
	return f.Files != nil && all(f.Files(), func(file string) bool { return anyOf(t.filePaths, "/"+strings.TrimPrefix(file, "/")) })
}

// all says whether there are some, and each is so.
func all(texts []string, is func(string) bool) bool {
	return len(texts) > 0 && !slices.ContainsFunc(texts, func(s string) bool { return !is(s) })
}

func anyOf(patterns []pattern, text string) bool {
	return slices.ContainsFunc(patterns, func(p pattern) bool { return p.matches(text) })
}

// repositoryOf is a reference without tag and digest.
func repositoryOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	if at := strings.LastIndexByte(name, ':'); at > strings.LastIndexByte(name, '/') {
		name = name[:at]
	}
	return name
}

// pattern is a text in which * stands for anything but a slash, and ** for anything.
type pattern struct{ *regexp.Regexp }

func (p pattern) matches(text string) bool { return p.MatchString(text) }

// parsePattern is linear in what it is held against, whatever is written.
func parsePattern(text string) pattern {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for len(text) > 0 {
		switch {
		case strings.HasPrefix(text, "**"):
			b.WriteString(`.*`)
			text = strings.TrimLeft(text, "*")
		case text[0] == '*':
			b.WriteString(`[^/]*`)
			text = text[1:]
		default:
			at := strings.IndexByte(text, '*')
			if at < 0 {
				at = len(text)
			}
			b.WriteString(regexp.QuoteMeta(text[:at]))
			text = text[at:]
		}
	}
	b.WriteString(`\z`)
	return pattern{regexp.MustCompile(b.String())}
}

// about are the exceptions that may hold for a finding, in the order of the file.
func (s *Set) about(f Finding) iter.Seq[int] {
	var some []int
	for _, id := range f.IDs {
		some = append(some, s.named[strings.ToUpper(id)]...)
	}
	if len(some) == 0 {
		return slices.Values(s.others)
	}
	some = append(some, s.others...)
	slices.Sort(some)
	return slices.Values(slices.Compact(some))
}
