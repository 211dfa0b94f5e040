package image

import (
	"cmp"
	"strings"
)

// readOS reads the distribution's name, as os-release(5) tells to, or else as Red Hat's
// distributions wrote it before.
func readOS(t *tree) (OS, bool) {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release"} {
		if b, ok := t.read(name); ok {
			if o := osOf(string(b)); o.ID != "" {
				return o, true
			}
		}
	}
	b, _ := t.read("etc/system-release-cpe")
	o := osOfCPE(string(b))
	return o, o.ID != ""
}

// vendors are the ids that os-release has for distributions by their vendor in a CPE.
var vendors = map[string]string{"redhat": "rhel", "centos": "centos", "oracle": "ol", "amazon": "amzn", "fedoraproject": "fedora"}

// osOfCPE reads the name of a platform: cpe:/o:centos:linux:6:GA.
func osOfCPE(text string) OS {
	for _, prefix := range []string{"cpe:/o:", "cpe:2.3:o:"} {
		rest, ok := strings.CutPrefix(strings.TrimSpace(text), prefix)
		if parts := strings.Split(rest, ":"); ok && len(parts) > 2 {
			return OS{ID: vendors[parts[0]], VersionID: parts[2]}
		}
	}
	return OS{}
}

// osOf reads the lines of an os-release: a shell's assignments, the last of a
// name in force.
func osOf(text string) (o OS) {
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		value = shellWord(value)
		switch name {
		case "ID":
			o.ID = strings.ToLower(value)
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

// shellWord is what a shell makes of the right side of an assignment: quotes of
// either kind, backslashes, a comment behind it.
func shellWord(s string) string {
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quote != '\'' && i+1 < len(s):
			if i++; quote == '"' && !strings.ContainsRune("$`\"\\", rune(s[i])) {
				out.WriteByte('\\') // within double quotes it escapes these only
			}
			out.WriteByte(s[i])
		case c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote == 0 && (c == ' ' || c == '\t' || c == ';'):
			return out.String()
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// release is the number of the distribution's release: advisories know releases by
// number, and one that is in the making names only its code name.
func (o OS) release() string {
	return cmp.Or(o.VersionID, codenames[o.ID][strings.ToLower(o.Codename)])
}

var codenames = map[string]map[string]string{
	"debian": {"etch": "4", "lenny": "5", "squeeze": "6", "wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10",
		"bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14", "duke": "15"},
	"ubuntu": {"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04",
		"oracular": "24.10", "plucky": "25.04", "questing": "25.10"},
}
