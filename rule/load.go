package rule

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/breakwater-sec/breakwater/strictyaml"
)

// maxFiles bounds what a stranger's folder may hold.
const maxFiles = 4096

// File is one rule file on its way to become a rule.
type File = strictyaml.Document

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
	var body B
	f, err := strictyaml.Read(fsys, name, &body)
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
	r.Header().File = name
	if err := checkCases(r.Cases()); err != nil && foreign(r) == nil {
		return nil, f.Errorf(err, "tests")
	}
	return r, nil
}
