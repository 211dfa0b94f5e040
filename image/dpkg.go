package image

import (
	"context"
	"path"
	"slices"
	"strings"
)

// distroless is where images without a package manager keep a file per package, and
// md5sums the end of the name of one beside it that lists the package's files.
const (
	distroless = "var/lib/dpkg/status.d/"
	md5sums    = ".md5sums"
)

// dpkgEcosystem is empty for a distribution that publishes no advisories.
func dpkgEcosystem(from OS) string {
	switch from.ID {
	case "":
		return released("Linux", from.VersionID)
	case "debian":
		return released("Debian", from.release())
	case "ubuntu":
		return released("Ubuntu", from.release())
	case "echo":
		return released("Echo", from.VersionID)
	default:
		return ""
	}
}

// dpkgStates are what dpkg(1) says a package may be, and whether files of it may be
// on disk then: all but two of them.
var dpkgStates = map[string]bool{"not-installed": false, "config-files": false, "half-installed": true, "unpacked": true,
	"half-configured": true, "triggers-awaited": true, "triggers-pending": true, "installed": true}

// readDPKG reads a database: a paragraph for each package, all in one file or each in
// its own.
func readDPKG(ctx context.Context, t *tree, files []string) ([]Package, error) {
	var all listing
	for _, file := range files {
		own := strings.HasPrefix(file, distroless)
		entries := 0
		content, ok := t.read(file)
		if !ok {
			all.count(lost(path.Base(file), errNothingThere.Error()))
			continue
		}
		for p := range paragraphs(string(content)) {
			entries++
			all.count(dpkgEntry(&p, file, own))
			if ctx.Err() != nil {
				return all.packages, ctx.Err()
			}
		}
		if own && entries == 0 {
			all.count(lost(path.Base(file), "its file is empty"))
		}
	}
	return all.packages, all.error()
}

func dpkgEntry(p *paragraph, file string, distroless bool) outcome {
	if !dpkgThere(p, distroless) {
		return notInstalled()
	}
	return installed(dpkgPackage(p.fields, file), p.faults)
}

// dpkgThere says whether files of the package may be there. Of the status ("install
// ok installed") the last word says so. What has no status, or one that dpkg does
// not know, may be there too.
func dpkgThere(p *paragraph, distroless bool) bool {
	status, stated := p.fields["status"]
	if !stated && distroless {
		return true
	}
	words := strings.Fields(status)
	if len(words) == 3 {
		if there, known := dpkgStates[words[2]]; known {
			return there
		}
	}
	if stated {
		p.fault("a status that dpkg does not know: %s", status)
	} else {
		p.fault("it has no status")
	}
	return true
}

func dpkgPackage(fields map[string]string, file string) Package {
	p := Package{Database: file, Name: fields["package"], Version: fields["version"], Architecture: fields["architecture"]}
	p.Source, p.SourceVersion, _ = strings.Cut(fields["source"], " (") // openssl (3.0.11-1)
	p.SourceVersion = strings.TrimSuffix(p.SourceVersion, ")")
	return p
}

// dpkgFiles reads the list of files beside the database, one per package.
func dpkgFiles(t *tree, file string, packages []*Package) {
	for _, p := range packages {
		if strings.HasPrefix(file, distroless) {
			if b, ok := t.read(file + md5sums); ok {
				p.Files = summed(string(b))
			}
			continue
		}
		for _, name := range []string{p.Name, p.Name + ":" + p.Architecture} {
			if b, ok := t.read("var/lib/dpkg/info/" + name + ".list"); ok {
				p.Files = withoutFolders(string(b))
			}
		}
	}
}

// summed reads lines of md5sum: a sum, two blanks, a name below the root.
func summed(text string) (out []string) {
	for line := range strings.Lines(text) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			out = append(out, "/"+strings.TrimPrefix(strings.TrimPrefix(name, "."), "/"))
		}
	}
	return out
}

// withoutFolders leaves out what has something of the list below it.
func withoutFolders(list string) (out []string) {
	lines := strings.Split(strings.TrimSpace(list), "\n")
	slices.Sort(lines)
	for i, l := range lines {
		if l == "" || l == "/." || i+1 < len(lines) && strings.HasPrefix(lines[i+1], l+"/") {
			continue
		}
		out = append(out, l)
	}
	return out
}

// opkgFiles reads the list of files beside the database, one per package: a name, and since
// some release a tab and more.
func opkgFiles(t *tree, file string, packages []*Package) {
	for _, p := range packages {
		if b, ok := t.read(path.Dir(file) + "/info/" + p.Name + ".list"); ok {
			for line := range strings.Lines(string(b)) {
				if name, _, _ := strings.Cut(strings.TrimSpace(line), "\t"); name != "" {
					p.Files = append(p.Files, name)
				}
			}
		}
	}
}

// noEcosystem is of distributions for which nobody publishes advisories in a form that is read.
func noEcosystem(OS) string { return "" }
