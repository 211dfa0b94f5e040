package image

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/os/apk"
	apkmeta "github.com/google/osv-scalibr/extractor/filesystem/os/apk/metadata"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	dpkgmeta "github.com/google/osv-scalibr/extractor/filesystem/os/dpkg/metadata"
	"github.com/google/osv-scalibr/extractor/filesystem/os/osrelease"

	"github.com/google/osv-scalibr/log"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
)

// databases are the files that list installed packages.
func databases(t *tree) (out []string) {
	for _, n := range t.names() {
		switch {
		case strings.HasSuffix(n, "apk/db/installed"), n == "var/lib/dpkg/status":
			out = append(out, n)
		case strings.HasPrefix(n, "var/lib/dpkg/status.d/") && !strings.HasSuffix(n, ".md5sums"):
			out = append(out, n)
		}
	}
	return out
}

// readPackages lists the packages of every database in the tree. An error names
// the database.
func readPackages(ctx context.Context, t *tree) (out []Package, failed []error) {
	seen := map[string]bool{} // lib/apk may be a link to usr/lib/apk
	for _, db := range databases(t) {
		if seen[t.resolve(db)] {
			continue
		}
		seen[t.resolve(db)] = true
		found, err := extract(ctx, t, db)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", db, err))
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.PURL, b.PURL), strings.Compare(a.Database, b.Database))
	})
	return slices.CompactFunc(out, func(a, b Package) bool { return a.PURL == b.PURL }), failed
}

func extract(ctx context.Context, t *tree, db string) ([]Package, error) {
	quiet()
	content, ok := t.read(db)
	if !ok {
		return nil, fmt.Errorf("it is a link to nothing")
	}
	newExtractor := dpkg.New
	if strings.HasSuffix(db, "apk/db/installed") {
		newExtractor = apk.New
	}
	e, err := newExtractor(&cpb.PluginConfig{})
	if err != nil {
		return nil, err
	}
	info, err := t.Stat(db)
	if err != nil {
		return nil, err
	}
	inv, err := e.Extract(ctx, &filesystem.ScanInput{FS: t, Path: db, Info: info, Reader: bytes.NewReader(content)})
	var out []Package
	for _, p := range inv.Packages {
		pkg := Package{Name: p.Name, Version: p.Version, Ecosystem: p.Ecosystem().String(), Database: db}
		if u := p.PURL(); u != nil {
			pkg.PURL = u.String()
		}
		switch m := p.Metadata.(type) {
		case *dpkgmeta.Metadata:
			pkg.Source, pkg.SourceVersion, pkg.Architecture = m.SourceName, m.SourceVersion, m.Architecture
		case *apkmeta.Metadata:
			pkg.Source, pkg.Architecture = m.OriginName, m.Architecture
		}
		out = append(out, pkg)
	}
	return out, err
}

// addFiles tells each package which files are its own.
func addFiles(t *tree, packages []Package) {
	var fromAPK map[string][]string
	for i := range packages {
		p := &packages[i]
		if strings.HasSuffix(p.Database, "apk/db/installed") {
			if fromAPK == nil {
				b, _ := t.read(p.Database)
				fromAPK = apkFiles(b)
			}
			p.Files = fromAPK[p.Name]
			continue
		}
		for _, name := range []string{p.Name, p.Name + ":" + p.Architecture} {
			if b, ok := t.read("var/lib/dpkg/info/" + name + ".list"); ok {
				p.Files = dpkgFiles(b)
			}
		}
	}
}

// dpkgFiles reads a .list: folders too are in it, and are left out where
// something in the list lies below them.
func dpkgFiles(b []byte) (out []string) {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	slices.Sort(lines)
	for i, l := range lines {
		if l == "" || l == "/." || i+1 < len(lines) && strings.HasPrefix(lines[i+1], l+"/") {
			continue
		}
		out = append(out, l)
	}
	return out
}

// apkFiles reads the F: (folder) and R: (file in it) lines of an apk database.
func apkFiles(b []byte) map[string][]string {
	out := map[string][]string{}
	var name, dir string
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), ":")
		switch {
		case !ok:
			name, dir = "", ""
		case key == "P":
			name = value
		case key == "F":
			dir = value
		case key == "R":
			out[name] = append(out[name], "/"+path.Join(dir, value))
		}
	}
	return out
}

// quiet keeps the extractors from writing to the process's own log: what they
// could not read comes back as an error or as a missing value.
var quiet = sync.OnceFunc(func() { log.SetLogger(silence{}) })

type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Error(...any)          {}
func (silence) Warnf(string, ...any)  {}
func (silence) Warn(...any)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Info(...any)           {}
func (silence) Debugf(string, ...any) {}
func (silence) Debug(...any)          {}

// readOS reads the distribution's name.
func readOS(t *tree) (OS, bool) {
	m, err := osrelease.GetOSRelease(t)
	if err != nil {
		return OS{}, false
	}
	return OS{ID: m["ID"], VersionID: m["VERSION_ID"], Codename: m["VERSION_CODENAME"], PrettyName: m["PRETTY_NAME"]}, m["ID"] != ""
}
