package vuln

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/package-url/packageurl-go"
)

// said is the latest statement on the match's vulnerability in its package, nil if nobody speaks of it. Of statements of one time
// the one that was imported last counts.
func (db *DB) said(m *Match) (*Statement, error) {
	var best *Statement
	if db.status.Statements == 0 {
		return nil, nil
	}
	for _, id := range append([]string{m.ID}, m.Aliases...) {
		for _, s := range db.sources {
			found, err := values[Statement](s, "x"+id)
			if err != nil {
				return nil, err
			}
			for i := range found {
				if found[i].speaksOf(m.Package) && (best == nil || !found[i].At.Before(best.At)) {
					best = &found[i]
				}
			}
		}
	}
	return best, nil
}

// speaksOf says that the package, or what it is in, is one of the statement's products.
func (s *Statement) speaksOf(p Package) bool {
	for _, product := range s.Products {
		if len(product.Parts) == 0 {
			if namesPackage(product.ID, p) || within(product.ID, p.Within) {
				return true
			}
			continue
		}
		if !within(product.ID, p.Within) && !namesPackage(product.ID, p) {
			continue
		}
		for _, part := range product.Parts {
			if namesPackage(part, p) {
				return true
			}
		}
	}
	return false
}

// namesPackage says that a package URL is the package's: what it leaves open (a version, the architecture) is any.
func namesPackage(id string, p Package) bool {
	if !strings.HasPrefix(id, "pkg:") || len(id) > 4096 {
		return false
	}
	want, err := packageurl.FromString(id)
	if err != nil {
		return false
	}
	have, err := packageurl.FromString(p.PURL)
	if err != nil || want.Type != have.Type || want.Namespace != have.Namespace || want.Name != have.Name ||
		want.Version != "" && want.Version != have.Version {
		return false
	}
	qualifiers := have.Qualifiers.Map()
	for _, q := range want.Qualifiers {
		if value, there := qualifiers[q.Key]; there && value != q.Value && (q.Key == "arch" || q.Key == "distro" || q.Key == "epoch") {
			return false
		}
	}
	return true
}

// within says that a product is one of the images a package is in, by digest or by name: pkg:oci/app@sha256:…, a digest, or a
// reference. A name without a tag or digest is all of them; one without a repository is anybody's, and so none.
func within(id string, images []string) bool {
	if len(id) > 4096 {
		return false
	}
	repository, digest, tag := "", id, ""
	if strings.HasPrefix(id, "pkg:") {
		p, err := packageurl.FromString(id)
		if err != nil || p.Type != "oci" && p.Type != "docker" {
			return false
		}
		digest, tag = p.Version, p.Qualifiers.Map()["tag"]
		if repository, err = url.PathUnescape(p.Qualifiers.Map()["repository_url"]); err != nil {
			return false
		}
	}
	for _, image := range images {
		name, at := cutDigest(image)
		switch {
		case digest != "" && (digest == image || digest == at || digest == name):
			return true
		case digest == "" && repository != "" && (name == repository+":"+tag || tag == "" && withoutTag(name) == repository):
			return true
		}
	}
	return false
}

// cutDigest takes NAME@DIGEST apart; a digest alone has no name.
func cutDigest(image string) (name, digest string) {
	if strings.HasPrefix(image, "sha256:") || strings.HasPrefix(image, "sha512:") {
		return "", image
	}
	name, digest, _ = strings.Cut(image, "@")
	return name, digest
}

func withoutTag(name string) string {
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		return name[:i]
	}
	return name
}

// dismiss adds what is said of a match in its package, and whether it counts.
func (db *DB) dismiss(m *Match, linked string, entries []*entry) (err error) {
	m.Said, err = db.said(m)
	m.Dismissed = dismissal(m.Said, m.Package.Name, linked, entries)
	if err == nil && len(db.beside) > 0 {
		err = db.hear(m)
	}
	return err
}

// dismissal says why a match does not count, "" where it does. In a Go program the packages of a module decide that have code in it, unless
// somebody says that it is affected.
func dismissal(said *Statement, module, linked string, entries []*entry) string {
	switch {
	case said != nil && said.Status == NotAffected:
		return strings.TrimSuffix(fmt.Sprintf("%s says that it is not affected: %s", cmp.Or(said.By, said.Document, "a VEX document"),
			cmp.Or(said.Justification, said.Note)), ": ")
	case said != nil && said.Status == Fixed:
		return fmt.Sprintf("%s says that it is fixed", cmp.Or(said.By, said.Document, "a VEX document"))
	case said != nil && said.Status == Affected:
		return ""
	}
	return notImported(module, linked, entries)
}
