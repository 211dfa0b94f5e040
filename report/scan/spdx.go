package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// What of SPDX 2.3 is written, under the names of its JSON form.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []*spdxPackage     `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID               string           `json:"SPDXID"`
		Name             string           `json:"name"`
		Version          string           `json:"versionInfo,omitempty"`
		Purpose          string           `json:"primaryPackagePurpose,omitempty"`
		Download         string           `json:"downloadLocation"`
		FilesAnalyzed    bool             `json:"filesAnalyzed"`
		Checksums        []spdxChecksum   `json:"checksums,omitempty"`
		SourceInfo       string           `json:"sourceInfo,omitempty"`
		LicenseConcluded string           `json:"licenseConcluded"`
		LicenseDeclared  string           `json:"licenseDeclared"`
		Copyright        string           `json:"copyrightText"`
		References       []spdxReference  `json:"externalRefs,omitempty"`
		Annotations      []spdxAnnotation `json:"annotations,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxReference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxAnnotation struct {
		Annotator string `json:"annotator"`
		Date      string `json:"annotationDate"`
		Type      string `json:"annotationType"`
		Comment   string `json:"comment"`
	}
	spdxRelationship struct {
		From    string `json:"spdxElementId"`
		Type    string `json:"relationshipType"`
		To      string `json:"relatedSpdxElement"`
		Comment string `json:"comment,omitempty"`
	}
)

// noAssertion is the format's word for what is not known.
const noAssertion = "NOASSERTION"

// writeSPDX writes one document for all images. SPDX has no field for vulnerabilities: they are references of the
// packages that have them, and an annotation says the rest.
func writeSPDX(w io.Writer, all []Report, o Options) error {
	d := spdxDocument{Version: "SPDX-2.3", License: "CC0-1.0", ID: ref("DOCUMENT"), Relationships: []spdxRelationship{},
		Creation: spdxCreation{Created: o.At.UTC().Format(time.RFC3339), Creators: []string{"Tool: " + tool(o.Version)}}}
	var names []string
	for i, r := range all {
		names = append(names, r.Image.Reference)
		d.add(fmt.Sprintf("image-%d", i+1), r)
	}
	d.Name = strings.Join(names, ", ")
	d.Namespace = "https://github.com/breakwater-sec/breakwater/spdx/" + d.fingerprint()
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(d)
}

// ref is how the format writes an identifier.
func ref(id string) string { return "SPDXRef-" + id }

func tool(version string) string {
	if version == "" {
		return "breakwater"
	}
	return "breakwater-" + version
}

// fingerprint makes the namespace the document's own, as the format wants: two of one image at two times differ.
func (d *spdxDocument) fingerprint() string {
	sum := sha256.New()
	fmt.Fprintln(sum, d.Name, d.Creation.Created)
	for _, p := range d.Packages {
		fmt.Fprintln(sum, p.Name, p.Version)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func (d *spdxDocument) add(id string, r Report) {
	img := d.pkg(id, r.Image.Reference, r.Image.Digest)
	img.Purpose = "CONTAINER"
	if algorithm, value, ok := strings.Cut(r.Image.Digest, ":"); ok {
		img.Checksums = []spdxChecksum{{strings.ToUpper(algorithm), value}}
	}
	d.relate("DOCUMENT", "DESCRIBES", ref(id), "")
	d.annotate(img, "completeness: "+r.Image.Completeness)
	unseen := r.Unseen()
	for _, text := range unseen {
		d.annotate(img, "gap: "+text)
	}
	if len(unseen) > 0 { // the format's own word for "and what else, is not known"
		d.relate(id, "CONTAINS", noAssertion, "Not everything in the image was read or could be judged.")
	}
	known := map[string]*spdxPackage{}
	for _, p := range r.Packages {
		if known[p.PURL] != nil {
			continue
		}
		inside := fmt.Sprintf("%s-package-%d", id, len(known)+1)
		out := d.pkg(inside, p.Name, p.Version)
		out.References = []spdxReference{{"PACKAGE-MANAGER", "purl", p.PURL}}
		if p.Source != "" {
			out.SourceInfo = "built from source package " + p.Source
		}
		known[p.PURL] = out
		d.relate(id, "CONTAINS", ref(inside), "")
	}
	for _, v := range r.Vulnerabilities {
		at := known[v.PURL]
		if at == nil {
			at = img
		}
		for _, advisory := range append([]string{v.ID}, v.Advisories...) {
			at.describedAt("https://osv.dev/vulnerability/" + advisory)
		}
		d.annotate(at, "vulnerability: "+v.affected()+".")
	}
}

// pkg adds a package of which nothing is said beside its name and version.
func (d *spdxDocument) pkg(id, name, version string) *spdxPackage {
	p := &spdxPackage{ID: ref(id), Name: name, Version: version, Download: noAssertion, LicenseConcluded: noAssertion,
		LicenseDeclared: noAssertion, Copyright: noAssertion}
	d.Packages = append(d.Packages, p)
	return p
}

func (d *spdxDocument) relate(from, how, to, comment string) {
	d.Relationships = append(d.Relationships, spdxRelationship{ref(from), how, to, comment})
}

func (d *spdxDocument) annotate(p *spdxPackage, text string) {
	p.Annotations = append(p.Annotations, spdxAnnotation{"Tool: breakwater", d.Creation.Created, "OTHER", text})
}

// describedAt adds where a vulnerability is described, once.
func (p *spdxPackage) describedAt(url string) {
	r := spdxReference{"SECURITY", "advisory", url}
	if !slices.Contains(p.References, r) {
		p.References = append(p.References, r)
	}
}
