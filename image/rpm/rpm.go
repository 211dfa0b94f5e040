// Package rpm reads the databases of rpm (Packages of Berkeley DB, Packages.db of ndb,
// rpmdb.sqlite of SQLite) as far as it takes to list what is installed. It reads them in
// place, without a library of those databases: each of the three is a file that holds one
// header per package, and nothing else of it is asked for.
//
// It knows no image and no distribution.
package rpm

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Package is an installed package.
type Package struct {
	Name    string `json:"name"`
	Epoch   int    `json:"epoch,omitempty"`
	Version string `json:"version"`
	Release string `json:"release"`
	Arch    string `json:"arch,omitempty"`
	// Source is the source package's file: openssl-3.0.7-6.el9.src.rpm.
	Source string `json:"source,omitempty"`
	// Module is the stream of a modular package: nodejs:18:….
	Module string `json:"module,omitempty"`
	// Folders and Files are its files: each is a name in a folder, by its place in Folders.
	Folders []string `json:"folders,omitempty"`
	Files   []File   `json:"files,omitempty"`
}

// File is one file of a package.
type File struct {
	Folder int    `json:"d,omitempty"`
	Name   string `json:"n"`
}

// EVR is epoch, version and release in the form that advisories compare.
func (p *Package) EVR() string {
	if p.Epoch != 0 {
		return fmt.Sprintf("%d:%s-%s", p.Epoch, p.Version, p.Release)
	}
	return p.Version + "-" + p.Release
}

// SourceEVR is the name and the version of the source package, which has the package's epoch.
func (p *Package) SourceEVR() (name, evr string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(p.Source, ".rpm"), ".src"), "-")
	if len(parts) < 3 {
		return "", ""
	}
	n := len(parts) - 2
	from := Package{Epoch: p.Epoch, Version: parts[n], Release: strings.TrimSuffix(parts[n+1], ".nosrc")}
	return strings.Join(parts[:n], "-"), from.EVR()
}

// Paths are the names of its files.
func (p *Package) Paths() []string {
	out := make([]string, 0, len(p.Files))
	for _, f := range p.Files {
		if f.Folder < len(p.Folders) {
			out = append(out, path.Join(p.Folders[f.Folder], f.Name))
		}
	}
	return out
}

// Bounds of one database. Honest ones have thousands of packages, the largest headers some megabytes.
const (
	mostPackages = 100_000
	mostHeader   = 32 << 20
	// mostTwice is how often a database's bytes are read in all: parts that many point to
	// are what only an attacker writes.
	mostTwice = 2
)

var (
	errForm  = errors.New("want a database of rpm: Berkeley DB's hash, ndb or SQLite")
	errBound = errors.New("past its bounds")
)

// Read lists the packages of a database, and says of each that cannot be read why. The error is of the database as a whole:
// what was found until then is returned with it.
func Read(r io.ReaderAt, size int64) (found []Package, faults []string, err error) {
	head := make([]byte, 32)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errForm, err)
	}
	m := &metered{r: r, size: size, left: mostTwice*size + 1<<20}
	take := func(header []byte) error {
		if len(found)+len(faults) >= mostPackages {
			return fmt.Errorf("want at most %d packages: %w", mostPackages, errBound)
		}
		p, err := parse(header)
		if err != nil {
			faults = append(faults, err.Error())
			return nil
		}
		if p.Name != "gpg-pubkey" { // a key, no package
			found = append(found, p)
		}
		return nil
	}
	switch {
	case strings.HasPrefix(string(head), sqliteMagic):
		err = readSQLite(m, take)
	case strings.HasPrefix(string(head), ndbMagic):
		err = readNDB(m, take)
	case bdbOrder(head) != nil:
		err = readBDB(m, bdbOrder(head), take)
	default:
		err = errForm
	}
	return found, faults, err
}

// metered reads a database's bytes as often as an honest one takes.
type metered struct {
	r          io.ReaderAt
	size, left int64
}

// at is some bytes of the database; they are the caller's.
func (m *metered) at(offset, n int64) ([]byte, error) {
	switch {
	case offset < 0 || n < 0 || n > m.size-offset:
		return nil, fmt.Errorf("want %d bytes at %d, the database has %d", n, offset, m.size)
	case n > m.left:
		return nil, fmt.Errorf("want a database of which each part is used once: %w", errBound)
	}
	m.left -= n
	out := make([]byte, n)
	if _, err := m.r.ReadAt(out, offset); err != nil {
		return nil, err
	}
	return out, nil
}
