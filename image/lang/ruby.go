package lang

import (
	"path"
	"regexp"
	"strings"
)

// isGemSpecification: what RubyGems keeps of an installed gem. The gems' own folders have files of this name too.
func isGemSpecification(dir, base string) bool {
	return strings.HasSuffix(base, ".gemspec") && (path.Base(dir) == "specifications" || strings.HasSuffix(dir, "specifications/default"))
}

var (
	gemStub    = regexp.MustCompile(`(?m)^# stub: (\S+) (\S+) `)
	gemName    = regexp.MustCompile(`\.name\s*=\s*["']([^"']+)["']`)
	gemVersion = regexp.MustCompile(`\.version\s*=\s*(?:Gem::Version\.new\s*\(?\s*)?["']([^"']+)["']`)
)

// readGemSpecification reads the line that RubyGems writes for itself, or else the assignments of a program in Ruby.
func readGemSpecification(f File, c *Content) error {
	text, err := f.text(mostText)
	if err != nil {
		return err
	}
	p := Package{Ecosystem: "RubyGems"}
	if m := gemStub.FindSubmatch(text); m != nil {
		p.Name, p.Version = string(m[1]), string(m[2])
	} else {
		if m := gemName.FindSubmatch(text); m != nil {
			p.Name = string(m[1])
		}
		if m := gemVersion.FindSubmatch(text); m != nil {
			p.Version = string(m[1])
		}
	}
	root := strings.TrimSuffix(path.Dir(f.Name), "/default")
	root = strings.TrimSuffix(strings.TrimSuffix(root, "specifications"), "/")
	c.own(path.Join(root, "gems", strings.TrimSuffix(path.Base(f.Name), ".gemspec")) + "/")
	return c.add(p)
}
