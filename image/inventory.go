// Package image opens a container image (in a registry, an OCI layout, a Docker
// archive or an unpacked root filesystem), streams its layers once, and lists
// the packages inside with the files that belong to them. It never unpacks an
// image to disk: of a layer it keeps only the package databases.
//
// It reads the databases of apk, dpkg, rpm and opkg, and what image/lang reads of packages of
// languages; a file that a package of the distribution lists is that package's, whatever else is in it. What it
// cannot read (another package format, a foreign layer, a hostile archive) is a gap of the
// inventory, and so is code that none of the packages brought: never an empty list that
// looks clean. It knows no advisory and no cluster.
package image

import (
	"fmt"
	"time"

	"github.com/breakwater-sec/breakwater/collect"
)

// InventoryVersion changes when what an Inventory holds does; stored ones of
// another version are read anew.
const InventoryVersion = 6

// Inventory is what is inside an image.
type Inventory struct {
	Version int `json:"version"`
	// Digest is what the reference stands for in its registry: of the index if
	// the image is built for several platforms. Empty for a root filesystem.
	Digest string `json:"digest,omitempty"`
	// Manifest and Config are digests of what was read: nodes may name either.
	Manifest string `json:"manifest,omitempty"`
	Config   string `json:"config,omitempty"`
	// Builds are the manifests of every platform that the index names.
	Builds []Build `json:"builds,omitempty"`
	// Reference is what was asked for.
	Reference string `json:"reference"`
	Platform  string `json:"platform,omitempty"` // "linux/amd64"
	OS        OS     `json:"os"`
	// Base is what who built it says of the image that it was built on; nil if nothing.
	Base     *Base     `json:"base,omitempty"`
	Layers   []Layer   `json:"layers"`
	Packages []Package `json:"packages"`
	// Understood is false where no package database was found that we can read:
	// nothing can be said of what is inside.
	Understood bool `json:"understood"`
	// Unread is code that is there and that nobody looked into.
	Unread []Unread `json:"unread,omitempty"`
	// Secrets are what people should not have left in it.
	Secrets   []Secret      `json:"secrets,omitempty"`
	ScannedAt time.Time     `json:"scannedAt"`
	Gaps      []collect.Gap `json:"gaps,omitempty"`
}

// Build is what an index names for one platform.
type Build struct {
	Digest   string `json:"digest"`
	Platform string `json:"platform"`
}

// Size is how many bytes its layers are as stored.
func (inv *Inventory) Size() (n int64) {
	for _, l := range inv.Layers {
		n += l.Size
	}
	return n
}

// OS is the image's os-release.
type OS struct {
	ID         string `json:"id,omitempty"`
	VersionID  string `json:"versionID,omitempty"`
	Codename   string `json:"codename,omitempty"`
	PrettyName string `json:"prettyName,omitempty"`
}

// Layer is one layer, lowest first.
type Layer struct {
	Digest  string `json:"digest"` // of the compressed blob
	DiffID  string `json:"diffID,omitempty"`
	Command string `json:"command,omitempty"` // what built it, from the image's history
	Size    int64  `json:"size,omitempty"`
	// Packages is how many packages the layer brought or changed.
	Packages int `json:"packages"`
}

// Package is an installed package.
type Package struct {
	PURL string `json:"purl"`
	Name string `json:"name"`
	// Ecosystem is OSV's, such as Debian:12; empty if the distribution is unknown.
	Ecosystem     string `json:"ecosystem,omitempty"`
	Version       string `json:"version"`
	Source        string `json:"source,omitempty"`
	SourceVersion string `json:"sourceVersion,omitempty"`
	Architecture  string `json:"architecture,omitempty"`
	// Layer is the digest of the layer that brought this version.
	Layer string `json:"layer,omitempty"`
	// Database is the file that says so.
	Database string `json:"database"`
	// Files are the package's own; of a language's package they are the places where it is,
	// within an archive behind an exclamation mark.
	Files []string `json:"files,omitempty"`
	// OwnedBy is the package URL of the distribution's package that has the file: its advisories speak
	// of this one too.
	OwnedBy string `json:"ownedBy,omitempty"`
	// Wanted says that only a list of what was to be installed (a lock file) tells of it.
	Wanted bool `json:"wanted,omitempty"`
	// Linked are the packages of a Go module that have code in a program of the image, as lang.Package has them; "" where nobody
	// knows.
	Linked string `json:"linked,omitempty"`
}

// within says whether what is told of an image is as much as an honest one has.
func (inv *Inventory) within(l Limits) error {
	var listed int64
	for i := range inv.Packages {
		listed += int64(len(inv.Packages[i].Linked))
		for _, f := range inv.Packages[i].Files {
			listed += int64(len(f)) + 16
		}
	}
	for _, s := range inv.Secrets {
		listed += int64(len(s.File)) + 64
	}
	if listed > l.Listed {
		return fmt.Errorf("want names of packages' files of at most %d MiB in all: %w", l.Listed>>20, errBound)
	}
	return nil
}

func (inv *Inventory) gap(what, why, consequence string) {
	inv.Gaps = append(inv.Gaps, collect.Gap{Source: "image", What: what, Why: why, Consequence: consequence,
		Kinds: []string{"Package", "HAS_PACKAGE", "HAS_VULNERABILITY"}, Since: inv.ScannedAt})
}
