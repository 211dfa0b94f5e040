package image

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// format is one way to list installed packages. A new one is a line in formats,
// and the files it needs in wanted.
type format struct {
	// lists says that a file is a database of this format.
	lists func(name string) bool
	// read returns the packages that a database lists; what it could read
	// is returned also when the rest is an error.
	read func(ctx context.Context, t *tree, database string) ([]Package, error)
	// files tells packages of one database which files are their own.
	files func(t *tree, database string, packages []*Package)
	// purl is the package URL's type.
	purl string
	// ecosystem is the name under which OSV's advisories know the distribution.
	ecosystem func(OS) string
	// distribution is where packages come from if the image does not say so, and
	// release what is the distribution's version in a package URL.
	distribution string
	release      func(OS) string
}

var formats = []format{
	{apkLists, readAPK, apkFiles, packageurl.TypeApk, apkEcosystem, "alpine", func(o OS) string { return o.VersionID }},
	{dpkgLists, readDPKG, dpkgFiles, packageurl.TypeDebian, dpkgEcosystem, "linux",
		func(o OS) string { return cmp.Or(o.Codename, o.VersionID) }},
}

// formatOf is how a database is read, nil for a file that is none.
func formatOf(name string) *format {
	for i := range formats {
		if formats[i].lists(name) {
			return &formats[i]
		}
	}
	return nil
}

// databases are the files that list installed packages.
func databases(t *tree) (out []string) {
	for _, n := range t.names() {
		if formatOf(n) != nil {
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
		found, err := readDatabase(ctx, t, db)
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

// readDatabase reads one database and names its packages as others do.
func readDatabase(ctx context.Context, t *tree, db string) ([]Package, error) {
	f := formatOf(db)
	out, err := f.read(ctx, t, db)
	from, _ := readOS(t)
	for i := range out {
		p := &out[i]
		p.Database, p.Ecosystem = db, f.ecosystem(from)
		p.PURL = f.packageURL(*p, from)
	}
	return out, err
}

// packageURL is the package's name for the whole world; it is its id here too.
func (f *format) packageURL(p Package, from OS) string {
	qualifiers := packageurl.Qualifiers{}
	say := func(key, value string) {
		if value != "" {
			qualifiers = append(qualifiers, packageurl.Qualifier{Key: key, Value: value})
		}
	}
	say("arch", p.Architecture)
	say("distro", f.release(from))
	name := p.Name
	if f.purl == packageurl.TypeApk {
		name = strings.ToLower(name)
		say("origin", p.Source)
	} else {
		say("source", p.Source)
		say("sourceversion", p.SourceVersion)
	}
	return packageurl.NewPackageURL(f.purl, cmp.Or(from.ID, f.distribution), name, p.Version, qualifiers, "").String()
}

// addFiles tells each package which files are its own.
func addFiles(t *tree, packages []Package) {
	of := map[string][]*Package{}
	for i := range packages {
		of[packages[i].Database] = append(of[packages[i].Database], &packages[i])
	}
	for db, listed := range of {
		formatOf(db).files(t, db, listed)
	}
}
