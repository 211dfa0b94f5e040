package lang

import (
	"path"
	"slices"
	"strings"
)

func isDotNETDependencies(_, base string) bool { return strings.HasSuffix(base, ".deps.json") }

// library is what a target takes of one package: its files, by what they are for.
type library struct {
	Runtime, Native, RuntimeTargets, Resources map[string]struct{}
}

// readDotNETDependencies reads what a program of .NET was published with. The files that it
// names lie beside it, or below in the folders that are named.
func readDotNETDependencies(f File, c *Content) error {
	text, err := f.text(mostList)
	if err != nil {
		return err
	}
	var said struct {
		Targets   map[string]map[string]library
		Libraries map[string]struct{ Type string }
	}
	if err := unmarshal(text, &said); err != nil {
		return err
	}
	dir := path.Dir(f.Name)
	for _, target := range said.Targets {
		for _, l := range target {
			for _, files := range []map[string]struct{}{l.Runtime, l.Native, l.RuntimeTargets, l.Resources} {
				for name := range files {
					c.own(path.Join(dir, name))
					c.own(path.Join(dir, path.Base(name)))
				}
			}
		}
	}
	slices.Sort(c.Owns)
	c.Owns = slices.Compact(c.Owns)
	var names []string
	for name, l := range said.Libraries {
		if l.Type == "package" || l.Type == "runtimepack" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, each := range names {
		name, version, _ := strings.Cut(each, "/")
		name = strings.TrimPrefix(name, "runtimepack.")
		if err := c.add(Package{Ecosystem: "NuGet", Name: name, Version: version}); err != nil {
			return err
		}
	}
	return nil
}
