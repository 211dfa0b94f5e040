package vuln

import (
	"fmt"
	"slices"
	"strings"
)

// notImported says why a match does not count by the packages of the Go module that are in the program: none of those that are
// vulnerable is. It is "" where one is, and where nobody knows. GitHub's advisories are of modules and never say of which packages; any
// other record that names none is about all.
func notImported(module, linked string, entries []*entry) string {
	if linked == "" {
		return ""
	}
	var vulnerable []string
	for _, e := range entries {
		if len(e.Imports) == 0 && !strings.HasPrefix(e.ID, "GHSA-") {
			return ""
		}
		vulnerable = append(vulnerable, e.Imports...)
	}
	if len(vulnerable) == 0 {
		return ""
	}
	have := strings.Fields(linked)
	for _, each := range vulnerable {
		path, systems, only := strings.Cut(each, onlyOn)
		if only && !slices.Contains(strings.Split(systems, ","), "linux") {
			continue
		}
		at, inside := belowModule(path, module)
		if !inside || slices.Contains(have, at) {
			return ""
		}
	}
	slices.Sort(vulnerable)
	return fmt.Sprintf("not affected: package not imported: the program has no code of %s",
		clip(strings.ReplaceAll(strings.Join(slices.Compact(vulnerable), ", "), onlyOn, " on "), 200))
}

// onlyOn stands between the path of a package and the operating systems that alone are affected.
const onlyOn = "@"

// belowModule is a package's path from its module's on, as Package.Linked has it.
func belowModule(path, module string) (string, bool) {
	switch {
	case module == "stdlib":
		return path, true
	case path == module:
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}
