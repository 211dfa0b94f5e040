package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/breakwater-sec/breakwater/image/rpm"
)

// rpmNames are the files in which rpm keeps its list, of its three kinds of databases.
var rpmNames = map[string]bool{"Packages": true, "Packages.db": true, "rpmdb.sqlite": true}

// rpmFolders are where distributions have it.
var rpmFolders = []string{"var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"}

// rpmWAL is what SQLite has not yet written into its database.
const rpmWAL = "-wal"

func isRPM(name string) bool {
	return rpmNames[strings.TrimSuffix(path.Base(name), rpmWAL)]
}

// rpmPlaces are the files that are kept.
func rpmPlaces() (out []string) {
	for _, folder := range rpmFolders {
		for _, name := range []string{"Packages", "Packages.db", "rpmdb.sqlite"} {
			out = append(out, folder+"/"+name)
		}
	}
	return out
}

// listed is what is kept of a database of rpm.
type listed struct {
	Packages []rpm.Package `json:"packages"`
	Faults   []string      `json:"faults,omitempty"`
	Err      string        `json:"err,omitempty"`
}

// rpm makes a list of packages of a database while its layer goes by.
func (k *keeper) rpm(name string, size int64, r io.Reader) ([]byte, error) {
	var l listed
	if strings.HasSuffix(name, rpmWAL) {
		if size == 0 {
			return nil, nil
		}
		l.Err = "its last changes are in a file of their own, which is not read"
	} else if err := k.held.fill(r, size, k.budget.limits.Held); err != nil {
		l.Err = err.Error()
	} else {
		l.Packages, l.Faults, err = rpm.Read(&k.held, size)
		if err != nil {
			l.Err = err.Error()
		}
	}
	l.Err = oneLine(l.Err, 300)
	return json.Marshal(l)
}

// readRPM lists what the databases say that were kept.
func readRPM(ctx context.Context, t *tree, files []string) ([]Package, error) {
	var all listing
	for _, file := range files {
		content, ok := t.read(file)
		if !ok {
			return nil, errNothingThere
		}
		l, err := listedIn(content)
		if err != nil {
			return nil, err
		}
		if wal, there := t.read(file + rpmWAL); there && len(wal) > 0 {
			l.Err = "its last changes are in a file of their own, which is not read"
		}
		for i := range l.Packages {
			all.count(installed(rpmPackage(&l.Packages[i], file), nil))
		}
		for _, fault := range l.Faults {
			all.count(lost("", oneLine(fault, 200)))
		}
		if l.Err != "" {
			return all.packages, fmt.Errorf("%s", l.Err)
		}
		if ctx.Err() != nil {
			return all.packages, ctx.Err()
		}
	}
	return all.packages, all.error()
}

func listedIn(content []byte) (l listed, err error) {
	if err := json.Unmarshal(content, &l); err != nil {
		return l, fmt.Errorf("read what was kept of it: %w", err)
	}
	return l, nil
}

func rpmPackage(p *rpm.Package, database string) Package {
	out := Package{Database: database, Name: p.Name, Version: p.EVR(), Architecture: p.Arch}
	out.Source, out.SourceVersion = p.SourceEVR()
	return out
}

func rpmFiles(t *tree, file string, packages []*Package) {
	content, _ := t.read(file)
	l, err := listedIn(content)
	if err != nil {
		return
	}
	of := map[string]*rpm.Package{}
	for i := range l.Packages {
		of[rpmKey(l.Packages[i].Name, l.Packages[i].EVR(), l.Packages[i].Arch)] = &l.Packages[i]
	}
	for _, p := range packages {
		if from := of[rpmKey(p.Name, p.Version, p.Architecture)]; from != nil {
			p.Files = from.Paths()
		}
	}
}

func rpmKey(name, evr, arch string) string { return name + " " + evr + " " + arch }

// readRPMManifest reads the list that Azure Linux leaves where it leaves no database: lines of
// name, version-release, two times, vendor, epoch, size, architecture, epoch again, source.
func readRPMManifest(_ context.Context, t *tree, files []string) ([]Package, error) {
	var all listing
	for _, file := range files {
		content, ok := t.read(file)
		if !ok {
			return nil, errNothingThere
		}
		for line := range strings.Lines(string(content)) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				all.count(rpmManifestLine(line, file))
			}
		}
	}
	return all.packages, all.error()
}

func rpmManifestLine(line, file string) outcome {
	parts := strings.Split(line, "\t")
	if len(parts) < 10 {
		return lost(parts[0], fmt.Sprintf("want a line of 10 fields, have %d", len(parts)))
	}
	version, release, ok := strings.Cut(parts[1], "-")
	if !ok {
		return lost(parts[0], "want a version and a release, have "+parts[1])
	}
	p := rpm.Package{Name: parts[0], Version: version, Release: release, Arch: parts[7], Source: parts[9]}
	p.Epoch, _ = strconv.Atoi(parts[8]) // "(none)" is none
	return installed(rpmPackage(&p, file), nil)
}

// rpmRelease is the distribution in a package URL: rhel-9.4.
func rpmRelease(from OS) string {
	if from.ID == "" {
		return ""
	}
	return strings.TrimSuffix(from.ID+"-"+from.VersionID, "-")
}

// noFiles is of databases that do not say which files are a package's.
func noFiles(*tree, string, []*Package) {}

// rpmEcosystem is OSV's name of a distribution and its release.
func rpmEcosystem(from OS) string {
	major, _, _ := strings.Cut(from.VersionID, ".")
	switch from.ID {
	case "rhel":
		return released("Red Hat:enterprise_linux", major)
	case "rocky":
		return released("Rocky Linux", major)
	case "almalinux":
		return released("AlmaLinux", major)
	case "centos":
		return released("CentOS", major)
	case "ol":
		return released("Oracle Linux", major)
	case "amzn":
		return released("Amazon Linux", from.VersionID)
	case "fedora":
		return released("Fedora", from.VersionID)
	case "photon":
		return released("Photon OS", from.VersionID)
	case "azurelinux", "mariner":
		return released("Azure Linux", major)
	case "sles", "sled", "sles_sap", "sle_hpc":
		return "SUSE:Linux Enterprise Server " + strings.Replace(from.VersionID, ".", " SP", 1)
	case "opensuse-leap":
		return "openSUSE:Leap " + from.VersionID
	case "opensuse-tumbleweed":
		return "openSUSE:Tumbleweed"
	case "openeuler":
		return released("openEuler", from.VersionID)
	case "mageia":
		return released("Mageia", from.VersionID)
	}
	return ""
}
