package rule

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Parts are the folders that a folder of rules has, one for each engine.
var Parts = []string{"attack", "paths", "detect", "queries"}

// Find says where a folder of rules begins and which part of it was named:
// packs is all of packs, packs/attack one part, packs/detect/audit a part of one.
func Find(folder string) (root, part string, err error) {
	at, err := filepath.Abs(folder)
	if err != nil {
		return "", "", err
	}
	if info, err := os.Stat(at); err != nil {
		return "", "", err
	} else if !info.IsDir() {
		return "", "", fmt.Errorf("%s: want a folder of rules", folder)
	}
	above := filepath.Dir(at)
	switch {
	case slices.ContainsFunc(Parts, func(p string) bool { return isFolder(filepath.Join(at, p)) }):
		return at, ".", nil
	case slices.Contains(Parts, filepath.Base(at)):
		return above, filepath.Base(at), nil
	case filepath.Base(above) == "detect":
		return filepath.Dir(above), "detect/" + filepath.Base(at), nil
	}
	return "", "", fmt.Errorf("%s holds no rules: want one of the folders %s in it, or one of these", folder, strings.Join(Parts, ", "))
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// Over is a folder laid over another: what both have is the upper one's.
func Over(upper, lower fs.FS) fs.FS { return over{upper, lower} }

type over struct{ upper, lower fs.FS }

func (o over) Open(name string) (fs.File, error) {
	f, err := o.upper.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return o.lower.Open(name)
	}
	return f, err
}

// ReadDir implements fs.ReadDirFS.
func (o over) ReadDir(name string) ([]fs.DirEntry, error) {
	above, err := fs.ReadDir(o.upper, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	below, err2 := fs.ReadDir(o.lower, name)
	if err2 != nil && !errors.Is(err2, fs.ErrNotExist) || err != nil && err2 != nil {
		return nil, err2
	}
	both := map[string]fs.DirEntry{}
	for _, e := range slices.Concat(below, above) {
		both[e.Name()] = e
	}
	return slices.SortedFunc(maps.Values(both), func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }), nil
}

// In are the rules that lie in a part of a folder.
func In(rules []Rule, folder fs.FS, part string) (out []Rule) {
	for _, r := range rules {
		file := r.Header().File
		if _, err := fs.Stat(folder, file); err == nil && (part == "." || strings.HasPrefix(file, part+"/")) {
			out = append(out, r)
		}
	}
	return out
}
