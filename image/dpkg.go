package image

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/textproto"
	"slices"
	"strings"
)

// distroless is where images without a package manager keep a file per package.
const distroless = "var/lib/dpkg/status.d/"

func dpkgLists(name string) bool {
	return name == "var/lib/dpkg/status" || strings.HasPrefix(name, distroless) && !strings.HasSuffix(name, ".md5sums")
}

// dpkgEcosystem is empty for a distribution that publishes no advisories.
func dpkgEcosystem(from OS) string {
	switch from.ID {
	case "":
		return released("Linux", from.VersionID)
	case "debian":
		return released("Debian", from.VersionID)
	case "ubuntu":
		return released("Ubuntu", from.VersionID)
	case "echo":
		return released("Echo", from.VersionID)
	default:
		return ""
	}
}

// readDPKG reads the paragraphs of a database: fields as in the header of a mail,
// an empty line after each package.
func readDPKG(ctx context.Context, t *tree, db string) (out []Package, err error) {
	content, ok := t.read(db)
	if !ok {
		return nil, errNothingThere
	}
	paragraphs := textproto.NewReader(bufio.NewReader(bytes.NewReader(content)))
	unknown := 0
	for err == nil && ctx.Err() == nil {
		var fields textproto.MIMEHeader
		fields, err = paragraphs.ReadMIMEHeader()
		if err != nil && !errors.Is(err, io.EOF) || len(fields) == 0 {
			continue
		}
		p, state := dpkgPackage(fields)
		switch {
		case state == "" && !strings.HasPrefix(db, distroless):
			unknown++
		case state == "not-installed" || state == "config-files":
		case p.Name == "" || p.Version == "":
			unknown++
		default:
			out = append(out, p)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return out, errors.Join(err, ctx.Err(), incomplete(unknown))
}

// dpkgPackage reads one paragraph. Of the status ("install ok installed") the last
// word says what is the case; only not-installed and config-files mean that no
// file of the package is there.
func dpkgPackage(fields textproto.MIMEHeader) (p Package, state string) {
	p = Package{Name: fields.Get("Package"), Version: fields.Get("Version"), Architecture: fields.Get("Architecture")}
	p.Source, p.SourceVersion, _ = strings.Cut(fields.Get("Source"), " (") // openssl (3.0.11-1)
	p.SourceVersion = strings.TrimSuffix(p.SourceVersion, ")")
	if words := strings.Fields(fields.Get("Status")); len(words) > 0 {
		state = words[len(words)-1]
	}
	return p, state
}

// dpkgFiles reads the list of files beside the database, one per package.
func dpkgFiles(t *tree, _ string, packages []*Package) {
	for _, p := range packages {
		for _, name := range []string{p.Name, p.Name + ":" + p.Architecture} {
			if b, ok := t.read("var/lib/dpkg/info/" + name + ".list"); ok {
				p.Files = withoutFolders(string(b))
			}
		}
	}
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
