package harborshop

import (
	"fmt"
	"path"
	"strings"
)

// pkg is an installed package. source is the name that advisories use, with its
// own version in parentheses where that differs.
type pkg struct {
	name, version, source string
	files                 []string
}

// packages reads a list of them: name, version, source and files, one to a line.
func packages(text string) (out []pkg) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) >= 3 {
			out = append(out, pkg{words[0], words[1], strings.Replace(words[2], "(", " (", 1), words[3:]})
		}
	}
	return out
}

// install is what a package manager leaves behind: the packages' files, and the
// whole database with what was there before.
func (b bundle) install(before, added []pkg, architecture string) []file {
	var out []file
	for _, p := range added {
		for _, name := range p.files {
			out = append(out, file{strings.TrimPrefix(name, "/"), p.name + " " + p.version + "\n"})
		}
	}
	all := append(before[:len(before):len(before)], added...)
	if strings.HasPrefix(b.Release, "alpine") {
		return append(out, file{"lib/apk/db/installed", apkDatabase(all, architecture)})
	}
	maintainer := "Debian QA Group <packages@qa.debian.org>"
	if strings.HasPrefix(b.Release, "ubuntu") {
		maintainer = "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>"
	}
	if b.Distroless {
		for _, p := range added {
			out = append(out, file{"var/lib/dpkg/status.d/" + p.name, p.paragraph(architecture, maintainer, "")})
		}
		return out
	}
	var status strings.Builder
	for _, p := range all {
		status.WriteString(p.paragraph(architecture, maintainer, "Status: install ok installed\n") + "\n")
	}
	for _, p := range added {
		out = append(out, file{"var/lib/dpkg/info/" + p.name + ".list", p.list()})
	}
	return append(out, file{"var/lib/dpkg/status", status.String()})
}

// paragraph is the package's record as dpkg writes it.
func (p pkg) paragraph(architecture, maintainer, status string) string {
	source := ""
	if p.source != p.name {
		source = "Source: " + p.source + "\n"
	}
	if p.name == "base-files" || p.name == "tzdata" {
		architecture = "all"
	}
	return fmt.Sprintf("Package: %s\n%sPriority: optional\nSection: misc\nInstalled-Size: %d\nMaintainer: %s\n"+
		"Architecture: %s\n%sVersion: %s\nDescription: %s\n a package of the sample estate\n",
		p.name, status, 100*len(p.files), maintainer, architecture, source, p.version, p.name)
}

// list is the package's .list: every folder above its files, too.
func (p pkg) list() string {
	lines, seen := []string{"/."}, map[string]bool{}
	for _, name := range p.files {
		for _, dir := range parents(strings.TrimPrefix(name, "/")) {
			if !seen[dir] {
				seen[dir] = true
				lines = append(lines, "/"+dir)
			}
		}
		lines = append(lines, name)
	}
	return strings.Join(lines, "\n") + "\n"
}

func apkDatabase(all []pkg, architecture string) string {
	if architecture == "amd64" {
		architecture = "x86_64"
	}
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "P:%s\nV:%s\nA:%s\nS:1024\nI:4096\nT:%s\nU:https://alpinelinux.org\nL:MIT\no:%s\n"+
			"m:Alpine <alpine-devel@lists.alpinelinux.org>\nt:1691000000\n",
			p.name, p.version, architecture, p.name, p.source)
		for _, name := range p.files {
			fmt.Fprintf(&b, "F:%s\nR:%s\na:0:0:755\n", strings.TrimPrefix(path.Dir(name), "/"), path.Base(name))
		}
		b.WriteString("\n")
	}
	return b.String()
}
