package image

import "strings"

// readOS reads the distribution's name, as os-release(5) tells to.
func readOS(t *tree) (OS, bool) {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if b, ok := t.read(name); ok {
			o := osOf(string(b))
			return o, o.ID != ""
		}
	}
	return OS{}, false
}

// osOf reads the lines of an os-release: a shell's assignments, the last of a
// name in force.
func osOf(text string) (o OS) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value = unquoted(value)
		switch name {
		case "ID":
			o.ID = value
		case "VERSION_ID":
			o.VersionID = value
		case "VERSION_CODENAME":
			o.Codename = value
		case "PRETTY_NAME":
			o.PrettyName = value
		}
	}
	return o
}

func unquoted(s string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(s) >= 2 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return s[1 : len(s)-1]
		}
	}
	return s
}
