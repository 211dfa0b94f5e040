package lang

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// isNodeModule: a package is node_modules/NAME or node_modules/@SCOPE/NAME, and the folders of a package have
// other files of this name. Debian has its packages in a folder of its own.
func isNodeModule(dir, base string) bool {
	if base != "package.json" {
		return false
	}
	above, name := path.Split(dir)
	if above = strings.TrimSuffix(above, "/"); strings.HasPrefix(path.Base(above), "@") {
		above = path.Dir(above)
	}
	return name != "" && (path.Base(above) == "node_modules" || above == "usr/share/nodejs") && !strings.HasPrefix(name, ".")
}

func readNodeModule(f File, c *Content) error {
	text, err := f.text(mostText)
	if err != nil {
		return err
	}
	var said struct{ Name, Version string }
	if err := unmarshal(text, &said); err != nil {
		return err
	}
	dir := path.Dir(f.Name)
	c.own(dir + "/")
	if said.Name == "" && said.Version == "" && !strings.Contains(string(text), `"dependencies"`) {
		return nil // it says which kind of modules a folder has, and is no package
	}
	if said.Name == "" {
		said.Name = path.Base(dir)
	}
	return c.add(Package{Ecosystem: "npm", Name: said.Name, Version: said.Version})
}

func isNPMLock(dir, base string) bool {
	return (base == "package-lock.json" || base == "npm-shrinkwrap.json") && !insideOthers(dir)
}

// locked is a package of a lock file: of version 1 under its name, since then under its folder.
type locked struct {
	Name, Version, Resolved string
	Dev, Link               bool
	Dependencies            map[string]locked
}

// readNPMLock reads what npm would install. Packages for development alone are left out, as
// npm leaves them out of what is deployed.
func readNPMLock(f File, c *Content) error {
	text, err := f.text(mostList)
	if err != nil {
		return err
	}
	var said struct {
		Packages, Dependencies map[string]locked
	}
	if err := unmarshal(text, &said); err != nil {
		return err
	}
	c.Wanted = true
	found := map[Package]bool{}
	for folder, p := range said.Packages {
		_, name, installed := cutLast(folder, "node_modules/")
		if !installed || p.Dev || p.Link {
			continue
		}
		if p.Name != "" {
			name = p.Name // under another name than its own
		}
		found[Package{Ecosystem: "npm", Name: name, Version: p.Version}] = true
	}
	if said.Packages == nil {
		lockedBelow(said.Dependencies, 0, found)
	}
	if said.Packages == nil && said.Dependencies == nil {
		return errors.New("want packages or dependencies, have neither")
	}
	all := make([]Package, 0, len(found))
	for p := range found {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Package) int { return strings.Compare(a.Name+" "+a.Version, b.Name+" "+b.Version) })
	for _, p := range all {
		err = errors.Join(err, c.add(p))
	}
	return err
}

func lockedBelow(all map[string]locked, depth int, found map[Package]bool) {
	if depth > 100 {
		return
	}
	for name, p := range all {
		version := p.Version
		if alias, ok := strings.CutPrefix(version, "npm:"); ok {
			if n := strings.LastIndex(alias, "@"); n > 0 {
				name, version = alias[:n], alias[n+1:]
			}
		}
		if !p.Dev {
			found[Package{Ecosystem: "npm", Name: name, Version: version}] = true
		}
		lockedBelow(p.Dependencies, depth+1, found)
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
