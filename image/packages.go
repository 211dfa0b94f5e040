package image

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// format is one way to list installed packages. A new one is a line in formats,
// and its files in places.
type format struct {
	// databases are the places where a database of this format is.
	databases []string
	// read returns the packages of the files of one database; what it could read
	// is returned also when the rest is an error.
	read func(ctx context.Context, t *tree, files []string) ([]Package, error)
	// files tells packages of one file of a database which files are their own.
	files func(t *tree, file string, packages []*Package)
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
	{[]string{"lib/apk/db/installed", "usr/lib/apk/db/installed", "var/lib/apk/db/installed"}, readAPK, apkFiles,
		packageurl.TypeApk, apkEcosystem, "alpine", func(o OS) string { return o.VersionID }},
	{[]string{"var/lib/dpkg/status", "var/lib/dpkg/status.d"}, readDPKG, dpkgFiles,
		packageurl.TypeDebian, dpkgEcosystem, "linux", func(o OS) string { return cmp.Or(o.Codename, o.VersionID) }},
	{rpmPlaces(), readRPM, rpmFiles, packageurl.TypeRPM, rpmEcosystem, "linux", rpmRelease},
	{[]string{"var/lib/rpmmanifest/container-manifest-2"}, readRPMManifest, noFiles, packageurl.TypeRPM, rpmEcosystem, "linux", rpmRelease},
	{[]string{"usr/lib/opkg/status", "var/lib/opkg/status", "opt/lib/opkg/status"}, readDPKG, opkgFiles, "opkg", noEcosystem, "linux",
		func(o OS) string { return o.VersionID }},
}

// database is a place where packages are listed.
type database struct {
	*format
	place string
	files []string
}

// databases are those that are there; one that is reached by two names, as lib/apk
// may be a link to usr/lib/apk, is one.
func databases(t *tree) (out []database) {
	seen := map[string]bool{}
	for i := range formats {
		for _, place := range formats[i].databases {
			db := database{format: &formats[i], place: place}
			at := t.resolve(place)
			switch {
			case at != "" && seen[at]:
				continue
			case t.there(place):
				db.files = []string{place}
			default:
				for _, name := range t.list(place) {
					if file := place + "/" + name; t.there(file) && !strings.HasSuffix(name, md5sums) {
						db.files = append(db.files, file)
					}
				}
			}
			if seen[at] = true; len(db.files) > 0 {
				out = append(out, db)
			}
		}
	}
	return out
}

// unreadDatabase is a database that could not be read whole.
type unreadDatabase struct {
	place string
	why   error
}

// readPackages lists the packages of every database in the tree.
func readPackages(ctx context.Context, t *tree) (out []Package, failed []unreadDatabase) {
	from, _ := readOS(t)
	for _, db := range databases(t) {
		found, err := db.read(ctx, t, db.files)
		if err != nil {
			failed = append(failed, unreadDatabase{db.place, err})
		}
		for i := range found {
			found[i].Ecosystem = db.ecosystem(from)
			found[i].PURL = db.packageURL(found[i], from)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.PURL, b.PURL), strings.Compare(a.Database, b.Database))
	})
	return slices.CompactFunc(out, func(a, b Package) bool { return a.PURL == b.PURL }), failed
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
	name, version := p.Name, p.Version
	switch f.purl {
	case packageurl.TypeApk:
		name = strings.ToLower(name)
		say("origin", p.Source)
	case packageurl.TypeRPM:
		if epoch, rest, ok := strings.Cut(version, ":"); ok {
			version = rest
			say("epoch", epoch)
		}
	default:
		say("source", p.Source)
		say("sourceversion", p.SourceVersion)
	}
	return packageurl.NewPackageURL(f.purl, cmp.Or(from.ID, f.distribution), name, version, qualifiers, "").String()
}

// addFiles tells each package which files are its own.
func addFiles(t *tree, packages []Package) {
	of := map[string][]*Package{}
	for i := range packages {
		of[packages[i].Database] = append(of[packages[i].Database], &packages[i])
	}
	for _, db := range databases(t) {
		for _, file := range db.files {
			db.format.files(t, file, of[file])
		}
	}
}
