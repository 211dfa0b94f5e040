package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds on what a stranger's folder may hold.
const (
	maxFile  = 256 << 10
	maxFiles = 4096
	maxDepth = 16
)

// File is one rule file on its way to become a rule.
type File struct {
	Path string
	root *yaml.Node
}

// Errorf is an error at a key of the file, named from the outside in:
// Errorf(err, "tests", "1", "given").
func (f *File) Errorf(err error, key ...string) error {
	return fmt.Errorf("%s:%d: %w", f.Path, f.line(key), err)
}

// line is where the value of a key begins, or of the innermost key there is.
func (f *File) line(key []string) int {
	n, line := f.root, f.root.Line
	for _, k := range key {
		next := child(n, k)
		if next == nil {
			break
		}
		n, line = next, next.Line
	}
	return line
}

func child(n *yaml.Node, key string) *yaml.Node {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i]
		}
	}
	return nil
}

// Load reads every .yaml file of a folder but those to skip as one rule each;
// compile turns the decoded body into a rule. Every file is looked at, and all
// that is wrong comes back joined. Rules are sorted by id.
func Load[B any](fsys fs.FS, dir string, skip []string, compile func(*File, *B) (Rule, error)) ([]Rule, error) {
	names, err := files(fsys, dir, skip)
	if err != nil {
		return nil, err
	}
	var rules []Rule
	var wrong []error
	from := map[string]string{}
	for _, name := range names {
		r, err := load(fsys, name, compile)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		if id := r.Header().ID; from[id] != "" {
			wrong = append(wrong, fmt.Errorf("%s: id %q is that of %s already", name, id, from[id]))
		} else {
			from[id] = name
			rules = append(rules, r)
		}
	}
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.Header().ID, b.Header().ID) })
	return rules, errors.Join(wrong...)
}

// files lists the rule files of a folder; one that is not there holds no rules.
func files(fsys fs.FS, dir string, skip []string) ([]string, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list rules in %s: %w", dir, err)
	}
	if len(entries) > maxFiles {
		return nil, fmt.Errorf("list rules in %s: %d files are more than the %d allowed", dir, len(entries), maxFiles)
	}
	var out []string
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if !e.IsDir() && (ext == ".yaml" || ext == ".yml") && !slices.Contains(skip, e.Name()) {
			out = append(out, path.Join(dir, e.Name()))
		}
	}
	return out, nil
}

func load[B any](fsys fs.FS, name string, compile func(*File, *B) (Rule, error)) (Rule, error) {
	text, err := read(fsys, name)
	if err != nil {
		return nil, err
	}
	var body B
	f, err := decode(name, text, &body)
	if err != nil {
		return nil, err
	}
	r, err := compile(f, &body)
	if err != nil {
		return nil, err
	}
	if key, err := r.Header().check(); err != nil {
		return nil, f.Errorf(err, key)
	}
	if err := checkCases(r.Cases()); err != nil {
		return nil, f.Errorf(err, "tests")
	}
	return r, nil
}

func read(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read rule: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read rule %s: %w", name, err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: longer than the %d bytes allowed", name, maxFile)
	}
	return text, nil
}

// decode is strict: one document, a mapping, no key that the body does not have,
// and no aliases, which could make a small file large.
func decode(name string, text []byte, body any) (*File, error) {
	var doc yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		return nil, Placed(name, err)
	}
	if err := d.Decode(new(yaml.Node)); err != io.EOF {
		return nil, fmt.Errorf("%s: want one rule per file, found more than one document", name)
	}
	f := &File{Path: name, root: doc.Content[0]}
	if f.root.Kind != yaml.MappingNode {
		return nil, f.Errorf(errors.New("want keys such as id, title and severity"))
	}
	if err := plain(f.root, 0); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(body); err != nil {
		return nil, Placed(name, err)
	}
	return f, nil
}

func plain(n *yaml.Node, depth int) error {
	if n.Kind == yaml.AliasNode {
		return fmt.Errorf("%d: want no aliases", n.Line)
	}
	if depth > maxDepth {
		return fmt.Errorf("%d: nested deeper than %d", n.Line, maxDepth)
	}
	for _, c := range n.Content {
		if err := plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var (
	yamlLine  = regexp.MustCompile(`line (\d+): (.*)`)
	yamlField = regexp.MustCompile(`field (\S+) not found in type .*`)
)

// Placed puts the decoder's "line 4: field x not found in type y" as file:4: unknown key "x".
func Placed(name string, err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s:%s: %s", name, m[1], yamlField.ReplaceAllString(m[2], `unknown key "$1"`))
}
