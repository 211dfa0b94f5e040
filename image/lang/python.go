package lang

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
)

// isPythonMetadata: a wheel leaves NAME-VERSION.dist-info/METADATA, an egg EGG-INFO/PKG-INFO or
// NAME.egg-info/PKG-INFO, distutils and Debian a file NAME-VERSION.egg-info.
func isPythonMetadata(dir, base string) bool {
	switch base {
	case "METADATA":
		return strings.HasSuffix(dir, ".dist-info")
	case "PKG-INFO":
		return strings.HasSuffix(dir, ".egg-info") || strings.HasSuffix(dir, "EGG-INFO")
	}
	return strings.HasSuffix(base, ".egg-info")
}

func readPythonMetadata(f File, c *Content) error {
	p, err := pythonMetadata(f.Stream)
	if err != nil {
		return err
	}
	if dir := path.Dir(f.Name); strings.HasSuffix(dir, "EGG-INFO") {
		c.own(path.Dir(dir) + "/") // all of NAME.egg is the package
	}
	return c.add(p)
}

var pythonSeparators = regexp.MustCompile(`[-_.]+`)

// pythonNamed is a name as the index has it.
func pythonNamed(name string) string {
	return strings.ToLower(pythonSeparators.ReplaceAllString(name, "-"))
}

// pythonMetadata reads the fields before the first empty line: a description of any length follows.
func pythonMetadata(r io.Reader) (Package, error) {
	p := Package{Ecosystem: "PyPI"}
	lines := bufio.NewReader(io.LimitReader(r, mostText))
	for p.Name == "" || p.Version == "" {
		line, err := lines.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return p, err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			break
		}
		switch name, value, _ := strings.Cut(line, ":"); strings.ToLower(name) {
		case "name":
			p.Name = pythonNamed(strings.TrimSpace(value))
		case "version":
			p.Version = strings.TrimSpace(value)
		}
	}
	return p, nil
}

func isPythonRecord(dir, base string) bool {
	return base == "RECORD" && strings.HasSuffix(dir, ".dist-info")
}

// readPythonRecord takes of a wheel's files those that could be programs or libraries: a name
// without an end, or with one of a library. The rest is data and Python's own.
func readPythonRecord(f File, c *Content) error {
	root := path.Dir(path.Dir(f.Name))
	lines := bufio.NewScanner(io.LimitReader(f.Stream, mostList))
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), ",")
		name = strings.Trim(name, `"`)
		base := path.Base(name)
		if strings.Contains(base, ".so") || !strings.Contains(base, ".") || strings.HasPrefix(name, "../") || strings.Contains(name, "/bin/") {
			c.own(path.Join(root, name))
		}
	}
	return lines.Err()
}

// isPythonArchive: a wheel, or an egg in one file, that Python runs as it is.
func isPythonArchive(_, base string) bool {
	return strings.HasSuffix(base, ".whl") || strings.HasSuffix(base, ".egg")
}

func readPythonArchive(f File, c *Content) error {
	a, err := openArchive(f)
	if err != nil {
		return err
	}
	for _, member := range a.File {
		dir, base := path.Split(member.Name)
		if dir = strings.TrimSuffix(dir, "/"); strings.Contains(dir, "/") || !isPythonMetadata(dir, base) {
			continue
		}
		r, err := a.open(member, mostText)
		if err != nil {
			return err
		}
		p, err := pythonMetadata(r)
		if err != nil {
			return fmt.Errorf("%s: %w", member.Name, err)
		}
		p.Within = member.Name
		return c.add(p)
	}
	return errors.New("want METADATA or PKG-INFO in it, have none")
}

func isConda(dir, base string) bool {
	return strings.HasSuffix(base, ".json") && path.Base(dir) == "conda-meta"
}

// readConda reads what conda keeps of one package: its name, version and files.
func readConda(f File, c *Content) error {
	text, err := f.text(mostList)
	if err != nil {
		return err
	}
	var said struct {
		Name, Version string
		Files         []string
	}
	if err := unmarshal(text, &said); err != nil {
		return err
	}
	root := path.Dir(path.Dir(f.Name))
	for _, name := range said.Files {
		if base := path.Base(name); strings.Contains(base, ".so") || !strings.Contains(base, ".") || strings.HasPrefix(name, "bin/") {
			c.own(path.Join(root, name))
		}
	}
	return c.add(Package{Ecosystem: "conda", Name: said.Name, Version: said.Version})
}
