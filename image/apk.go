package image

import (
	"context"
	"fmt"
	"iter"
	"path"
	"strings"
)

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
	switch {
	case from.ID != "" && from.ID != "alpine":
		return "" // it took packages from Alpine, and its releases are others
	case from.VersionID == "":
		return "Alpine"
	case strings.Contains(from.VersionID, "_"):
		return "Alpine:edge" // 3.22.0_alpha20250108 is of no release: advisories of 3.22 speak of other packages
	}
	parts := strings.SplitN(from.VersionID, ".", 3)
	return released("Alpine", "v"+strings.Join(parts[:min(2, len(parts))], "."))
}

func released(distribution, release string) string {
	return strings.TrimSuffix(distribution+":"+release, ":")
}

// apkRecord is a package of the database: the lines P (name), V (version),
// A (architecture), o (origin), F (folder) and R (file in it).
type apkRecord struct {
	Package
	faults []string
}

// apkRecords reads one package after the other, an empty line between them. A line
// that cannot be read is a fault of its own package; lines may be of any length.
func apkRecords(text string, withFiles bool) iter.Seq[apkRecord] {
	return func(yield func(apkRecord) bool) {
		now, seen, dir := apkRecord{}, false, ""
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			if strings.TrimSpace(line) == "" {
				if seen && !yield(now) {
					return
				}
				now, seen, dir = apkRecord{}, false, ""
				continue
			}
			seen = true
			if len(line) < 2 || line[1] != ':' {
				now.fault("a line that is no field: " + line)
				continue
			}
			value := line[2:]
			switch line[0] {
			case 'P':
				now.set(&now.Name, "name", value)
			case 'V':
				now.set(&now.Version, "version", value)
			case 'A':
				now.set(&now.Architecture, "architecture", value)
			case 'o':
				now.set(&now.Source, "origin", value)
			case 'F':
				dir = value
			case 'R':
				if withFiles {
					now.Files = append(now.Files, "/"+path.Join(dir, value))
				}
			}
		}
		if seen {
			yield(now)
		}
	}
}

func (r *apkRecord) set(field *string, what, value string) {
	switch {
	case *field != "":
		r.fault("a second " + what + ": " + value)
	case len(value) > longestValue:
		r.fault(fmt.Sprintf("a %s of %d bytes", what, len(value)))
	default:
		*field = strings.TrimSpace(value)
	}
}

func (r *apkRecord) fault(what string) {
	if len(r.faults) < 3 {
		r.faults = append(r.faults, oneLine(what, 120))
	}
}

// readAPK reads the database of Alpine's package manager and those derived from it.
func readAPK(ctx context.Context, t *tree, files []string) ([]Package, error) {
	var all listing
	for _, file := range files {
		content, ok := t.read(file)
		if !ok {
			return nil, errNothingThere
		}
		for r := range apkRecords(string(content), false) {
			r.Database = file
			all.count(installed(r.Package, r.faults))
			if ctx.Err() != nil {
				return all.packages, ctx.Err()
			}
		}
	}
	return all.packages, all.error()
}

func apkFiles(t *tree, db string, packages []*Package) {
	content, _ := t.read(db)
	own := map[string][]string{}
	for r := range apkRecords(string(content), true) {
		own[r.Name] = append(own[r.Name], r.Files...)
	}
	for _, p := range packages {
		p.Files = own[p.Name]
	}
}
