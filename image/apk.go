package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor/filesystem/os/apk/apkutil"
)

// apkLists: Alpine's package manager and those derived from it keep one database.
func apkLists(name string) bool { return strings.HasSuffix(name, "apk/db/installed") }

// apkEcosystem: advisories are published for a release of the distribution, or
// for the whole of it where it has no releases.
func apkEcosystem(from OS) string {
	switch from.ID {
	case "wolfi":
		return "Wolfi"
	case "chainguard":
		return "Chainguard"
	case "minimos":
		return "MinimOS"
	case "clnstrt", "cleanstart":
		return "CleanStart"
	case "alpaquita":
		return released("Alpaquita", from.VersionID)
	case "bellsoft-hardened-containers":
		return released("BellSoft Hardened Containers", from.VersionID)
	}
	if from.VersionID == "" {
		return "Alpine"
	}
	parts := strings.SplitN(from.VersionID, ".", 3)
	return released("Alpine", "v"+strings.Join(parts[:min(2, len(parts))], "."))
}

func released(distribution, release string) string {
	return strings.TrimSuffix(distribution+":"+release, ":")
}

// apkRecords calls each with every package's lines, in their order.
func apkRecords(t *tree, db string, each func([]apkutil.KeyValue) error) error {
	content, ok := t.read(db)
	if !ok {
		return errNothingThere
	}
	records := apkutil.NewScanner(bytes.NewReader(content))
	for records.Scan() {
		if err := each(records.FullRecord()); err != nil {
			return err
		}
	}
	return records.Err()
}

// readAPK reads the lines P (name), V (version), A (architecture), o (origin).
func readAPK(ctx context.Context, t *tree, db string) (out []Package, err error) {
	unnamed := 0
	err = apkRecords(t, db, func(lines []apkutil.KeyValue) error {
		var p Package
		for _, l := range lines {
			switch l.Key {
			case "P":
				p.Name = l.Value
			case "V":
				p.Version = l.Value
			case "A":
				p.Architecture = l.Value
			case "o":
				p.Source = l.Value
			}
		}
		if p.Name == "" || p.Version == "" {
			unnamed++
		} else {
			out = append(out, p)
		}
		return ctx.Err()
	})
	return out, errors.Join(err, incomplete(unnamed))
}

// apkFiles reads the lines F (folder) and R (file in it).
func apkFiles(t *tree, db string, packages []*Package) {
	own := map[string][]string{}
	_ = apkRecords(t, db, func(lines []apkutil.KeyValue) error { // what could not be read is said by readAPK
		var name, dir string
		for _, l := range lines {
			switch l.Key {
			case "P":
				name = l.Value
			case "F":
				dir = l.Value
			case "R":
				own[name] = append(own[name], "/"+path.Join(dir, l.Value))
			}
		}
		return nil
	})
	for _, p := range packages {
		p.Files = own[p.Name]
	}
}

// incomplete says that a database names packages of which nobody can say more.
func incomplete(packages int) error {
	if packages == 0 {
		return nil
	}
	return fmt.Errorf("%d of its packages have no name, version or status", packages)
}

var errNothingThere = errors.New("it is a link to nothing")
