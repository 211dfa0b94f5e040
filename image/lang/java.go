package lang

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/extractor/filesystem/language/java/groupid"
)

var javaEnds = map[string]bool{".jar": true, ".war": true, ".ear": true, ".par": true, ".sar": true, ".hpi": true, ".jpi": true, ".kar": true}

func isJavaArchive(_, base string) bool { return javaEnds[strings.ToLower(path.Ext(base))] }

// readJavaArchive lists the artifacts in an archive and in those that lie in it.
func readJavaArchive(f File, c *Content) error {
	a, err := openArchive(f)
	if err != nil {
		return err
	}
	seen := map[Package]bool{}
	return javaIn(a, f.Name, "", func(p Package) error {
		if seen[p] {
			return nil
		}
		seen[p] = true
		return c.add(p)
	})
}

// javaIn lists the artifacts of one archive: those that Maven wrote into it, which are
// several where others were shaded into it, else the one that manifest and name tell of.
func javaIn(a *archive, name, within string, add func(Package) error) error {
	var faults []error
	var by []Package
	var manifest *zip.File
	inner := 0
	for _, member := range a.File {
		base := path.Base(member.Name)
		switch {
		case strings.HasSuffix(member.Name, "/"):
		case base == "pom.properties" && strings.HasPrefix(member.Name, "META-INF/maven/"):
			p, err := javaProperties(a, member)
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", member.Name, err))
				continue
			}
			p.Within = within
			by = append(by, p)
		case strings.EqualFold(member.Name, "META-INF/MANIFEST.MF"):
			manifest = member
		case isJavaArchive("", base):
			inner++
			place := strings.TrimPrefix(within+"!"+member.Name, "!")
			b, err := a.nested(member)
			if err == nil {
				err = javaIn(b, base, place, add)
			}
			if err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", member.Name, err))
			}
		}
	}
	if len(by) == 0 || !tellsOf(name, by) {
		p, err := javaArtifact(a, manifest, path.Base(name))
		switch {
		case err != nil:
			faults = append(faults, err)
		case p.Name != "":
			p.Within = within
			by = append(by, p)
		case len(by) == 0 && inner == 0 && len(a.File) > 0 && hasClasses(a):
			faults = append(faults, errors.New("nothing in it says which artifact of Maven it is"))
		}
	}
	for _, p := range by {
		if err := add(p); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 3 {
		faults = append(faults[:3], fmt.Errorf("and %d more", len(faults)-3))
	}
	return errors.Join(faults...)
}

func hasClasses(a *archive) bool {
	for _, member := range a.File {
		if strings.HasSuffix(member.Name, ".class") {
			return true
		}
	}
	return false
}

// tellsOf says that one of the artifacts is the archive itself, going by its name.
func tellsOf(name string, by []Package) bool {
	base := path.Base(name)
	for _, p := range by {
		if _, artifact, _ := strings.Cut(p.Name, ":"); len(by) == 1 || strings.HasPrefix(base, artifact) {
			return true
		}
	}
	return false
}

// javaProperties reads pom.properties: NAME=VALUE lines.
func javaProperties(a *archive, member *zip.File) (Package, error) {
	fields, err := javaFields(a, member, "=")
	if err != nil {
		return Package{}, err
	}
	p := Package{Ecosystem: "Maven", Version: fields["version"]}
	if fields["groupid"] == "" || fields["artifactid"] == "" || p.Version == "" || strings.ContainsAny(p.Version, "${") {
		return p, fmt.Errorf("want groupId, artifactId and version, have %q %q %q", fields["groupid"], fields["artifactid"], p.Version)
	}
	p.Name = fields["groupid"] + ":" + fields["artifactid"]
	return p, nil
}

// javaFields are lines of a name and a value, names in lower case. A manifest's line goes on after a blank.
func javaFields(a *archive, member *zip.File, between string) (map[string]string, error) {
	r, err := a.open(member, mostText)
	if err != nil {
		return nil, err
	}
	fields, last := map[string]string{}, ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		if more, ok := strings.CutPrefix(line, " "); ok && between == ":" {
			if len(fields[last]) < longestName {
				fields[last] += more
			}
			continue
		}
		if line == "" && between == ":" && len(fields) > 0 {
			break // what follows is of single files
		}
		if name, value, ok := strings.Cut(line, between); ok && len(fields) < 1000 {
			last = strings.ToLower(strings.TrimSpace(name))
			fields[last] = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return fields, nil
}

var (
	versioned = regexp.MustCompile(`^(.+?)[-_](\d[\w.+-]*)$`)
	group     = regexp.MustCompile(`^[A-Za-z][\w-]*(\.[\w-]+)+$`)
)

// javaArtifact is the artifact that an archive's name and manifest tell of, without a name if they do not.
func javaArtifact(a *archive, manifest *zip.File, base string) (Package, error) {
	fields := map[string]string{}
	if manifest != nil {
		var err error
		if fields, err = javaFields(a, manifest, ":"); err != nil {
			return Package{}, fmt.Errorf("%s: %w", manifest.Name, err)
		}
	}
	artifact := strings.TrimSuffix(base, path.Ext(base))
	p := Package{Ecosystem: "Maven", Version: first(fields["implementation-version"], fields["bundle-version"], fields["specification-version"])}
	if m := versioned.FindStringSubmatch(artifact); m != nil {
		artifact, p.Version = m[1], m[2]
	}
	symbolic, _, _ := strings.Cut(fields["bundle-symbolicname"], ";")
	of := groupid.FromArtifactID(artifact)
	for _, told := range []string{fields["implementation-vendor-id"], symbolic, fields["automatic-module-name"]} {
		if of == "" && group.MatchString(told) {
			of = strings.TrimSuffix(told, "."+artifact)
		}
	}
	if of == "" || p.Version == "" || artifact == "" {
		return Package{}, nil
	}
	p.Name = of + ":" + artifact
	return p, nil
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
