package vendor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"
)

// csaf is a document of the Common Security Advisory Framework as far as it is used.
type csaf struct {
	Document struct {
		Version   string `json:"csaf_version"`
		Category  string `json:"category"`
		Publisher struct {
			Namespace string `json:"namespace"`
		} `json:"publisher"`
		Severity struct {
			Text string `json:"text"`
		} `json:"aggregate_severity"`
		Tracking struct {
			Current string `json:"current_release_date"`
			Initial string `json:"initial_release_date"`
			Status  string `json:"status"`
		} `json:"tracking"`
	} `json:"document"`
	Tree struct {
		Branches      []branch `json:"branches"`
		Relationships []struct {
			Product struct {
				ID string `json:"product_id"`
			} `json:"full_product_name"`
			Part string `json:"product_reference"`
			Of   string `json:"relates_to_product_reference"`
		} `json:"relationships"`
	} `json:"product_tree"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type branch struct {
	Branches []branch `json:"branches"`
	Product  *struct {
		ID     string `json:"product_id"`
		Helper struct {
			CPE  string `json:"cpe"`
			PURL string `json:"purl"`
		} `json:"product_identification_helper"`
	} `json:"product"`
}

type vulnerability struct {
	CVE   string `json:"cve"`
	Title string `json:"title"`
	CWE   struct {
		ID string `json:"id"`
	} `json:"cwe"`
	Notes []struct {
		Category string `json:"category"`
		Text     string `json:"text"`
	} `json:"notes"`
	Status struct {
		Fixed       []string `json:"fixed"`
		Affected    []string `json:"known_affected"`
		NotAffected []string `json:"known_not_affected"`
	} `json:"product_status"`
	Remediations []struct {
		Category string   `json:"category"`
		Details  string   `json:"details"`
		Products []string `json:"product_ids"`
	} `json:"remediations"`
	Scores []struct {
		V3 struct {
			Vector string `json:"vectorString"`
		} `json:"cvss_v3"`
		V4 struct {
			Vector string `json:"vectorString"`
		} `json:"cvss_v4"`
	} `json:"scores"`
}

const (
	redHat = "https://www.redhat.com"
	// mostVulnerabilities is how many a document may tell of: Red Hat's have one each.
	mostVulnerabilities = 100
)

// CSAF reads a document of the VEX that Red Hat publishes, a record for each vulnerability; is says whether it is of CSAF at all.
// What it is for are statements that no update makes: that a package is not affected, or will not be fixed.
func CSAF(document []byte) (out []*Record, is bool, err error) {
	var c csaf
	if err := json.Unmarshal(document, &c); err != nil || c.Document.Version == "" {
		return nil, c.Document.Version != "", err
	}
	switch {
	case c.Document.Category != "csaf_vex":
		return nil, true, fmt.Errorf("want CSAF of the category csaf_vex, got %.40q", c.Document.Category)
	case strings.TrimSuffix(c.Document.Publisher.Namespace, "/") != redHat:
		return nil, true, fmt.Errorf("want CSAF of %s, got of %.80q", redHat, c.Document.Publisher.Namespace)
	case len(c.Vulnerabilities) == 0:
		return nil, true, errors.New("want a vulnerability in it")
	case len(c.Vulnerabilities) > mostVulnerabilities:
		return nil, true, fmt.Errorf("want at most %d vulnerabilities, got %d: %w", mostVulnerabilities, len(c.Vulnerabilities), errBound)
	}
	in := c.components()
	for _, v := range c.Vulnerabilities {
		r, err := c.record(v, in)
		if err != nil {
			return nil, true, err
		}
		out = append(out, r)
	}
	return out, true, nil
}

// component is a package of a release of Red Hat Enterprise Linux, with its version where a product names one.
type component struct{ release, name, version string }

// components are the products of a document that are packages of the main releases, by their ids. Streams of extended updates and modules
// have versions of their own; other products are no distribution's.
func (c *csaf) components() map[string]component {
	cpes, purls := map[string]string{}, map[string]string{}
	var walk func([]branch)
	walk = func(all []branch) {
		for _, b := range all {
			if b.Product != nil {
				cpes[b.Product.ID], purls[b.Product.ID] = b.Product.Helper.CPE, b.Product.Helper.PURL
			}
			walk(b.Branches)
		}
	}
	walk(c.Tree.Branches)
	out := map[string]component{}
	for _, r := range c.Tree.Relationships {
		m := mainRelease.FindStringSubmatch(cpes[r.Of])
		if m == nil {
			continue
		}
		if name, version, ok := packageOf(r.Part, purls[r.Part]); ok {
			out[r.Product.ID] = component{m[1], name, version}
		}
	}
	return out
}

var (
	mainRelease = regexp.MustCompile(`^cpe:/[ao]:redhat:enterprise_linux:(\d+)(?:::\w+)?$`)
	plainName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*$`)
)

// packageOf is the rpm package that a product is, by its package URL; one without is a name.
func packageOf(id, url string) (name, version string, ok bool) {
	if url == "" {
		return id, "", plainName.MatchString(id) && len(id) <= longestText
	}
	if len(url) > 1024 {
		return "", "", false
	}
	p, err := packageurl.FromString(url)
	if err != nil || p.Type != packageurl.TypeRPM || p.Namespace != "redhat" {
		return "", "", false
	}
	q := p.Qualifiers.Map()
	if q["rpmmod"] != "" || strings.Contains(id, "::") || strings.Contains(id, "/") {
		return "", "", false
	}
	if p.Version == "" {
		return p.Name, "", true
	}
	return p.Name, epoched(q["epoch"], p.Version, ""), true
}

// saidOf is what a document says of one package of one release.
type saidOf struct {
	fixed            map[string]bool
	affected, spared bool
	wontFix          string
}

func (c *csaf) record(v vulnerability, in map[string]component) (*Record, error) {
	if !cvePattern.MatchString(v.CVE) {
		return nil, fmt.Errorf("want the id of a CVE, got %.40q", v.CVE)
	}
	r := &Record{ID: "REDHAT-" + v.CVE, Published: day(c.Document.Tracking.Initial), Modified: day(c.Document.Tracking.Current),
		Summary:    v.Title,
		References: []Reference{{"ADVISORY", "https://access.redhat.com/security/cve/" + v.CVE}}, Database: map[string]any{}}
	if c.Document.Severity.Text != "" {
		r.Database["severity"] = c.Document.Severity.Text
	}
	if v.CWE.ID != "" {
		r.Database["cwe_ids"] = []string{v.CWE.ID}
	}
	for _, n := range v.Notes {
		if n.Category == "description" && r.Details == "" {
			r.Details = n.Text
		}
	}
	for _, s := range v.Scores {
		for kind, vector := range map[string]string{"CVSS_V3": s.V3.Vector, "CVSS_V4": s.V4.Vector} {
			if score := (Score{kind, vector}); vector != "" && !slices.Contains(r.Severity, score) && len(r.Severity) < 10 {
				r.Severity = append(r.Severity, score)
			}
		}
	}
	slices.SortFunc(r.Severity, func(a, b Score) int { return strings.Compare(a.Type+a.Score, b.Type+b.Score) })
	said := map[component]*saidOf{}
	of := func(id string) (*saidOf, string) {
		c, known := in[id]
		if !known {
			return nil, ""
		}
		key := component{c.release, c.name, ""}
		if said[key] == nil {
			said[key] = &saidOf{fixed: map[string]bool{}}
		}
		return said[key], c.version
	}
	for _, id := range v.Status.Fixed {
		if s, version := of(id); s != nil && version != "" {
			s.fixed[version] = true
		}
	}
	for _, id := range v.Status.Affected {
		if s, _ := of(id); s != nil {
			s.affected = true
		}
	}
	for _, id := range v.Status.NotAffected {
		if s, _ := of(id); s != nil {
			s.spared = true
		}
	}
	for _, remedy := range v.Remediations {
		word := vendorWords[strings.ToLower(remedy.Details)]
		for _, id := range remedy.Products {
			if s, _ := of(id); s != nil && word != "" {
				s.wontFix = word
			}
		}
	}
	return r, r.take(said)
}

// vendorWords are Red Hat's for what it does instead of fixing, in those of the database.
var vendorWords = map[string]string{"will not fix": "will not fix", "fix deferred": "deferred",
	"out of support scope": "out of support scope"}

// take writes what is said of packages: where an update fixes one, from the first of them on; where none does, that all versions are
// affected, with Red Hat's word; where neither is said, that none ever was.
func (r *Record) take(said map[component]*saidOf) error {
	for _, key := range slices.SortedFunc(maps.Keys(said), func(a, b component) int {
		return strings.Compare(a.release+" "+a.name,
			b.release+" "+b.name)
	}) {
		s, ecosystem := said[key], "Red Hat:enterprise_linux:"+key.release
		versions := slices.Sorted(maps.Keys(s.fixed))
		switch {
		case len(versions) > 0:
			if err := r.add(ecosystem, key.name, versions[0]); err != nil {
				return err
			}
			events := &r.Affected[len(r.Affected)-1].Ranges[0].Events
			for _, more := range versions[1:min(len(versions), mostFixes)] {
				*events = append(*events, map[string]string{"fixed": more})
			}
		case s.affected:
			if err := r.add(ecosystem, key.name, ""); err != nil {
				return err
			}
			if s.wontFix != "" {
				r.Affected[len(r.Affected)-1].Ecosystem = map[string]string{"urgency": s.wontFix}
			}
		case s.spared:
			if err := r.add(ecosystem, key.name, "0"); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostFixes is how many versions that fix one package are told: one for each minor release has a few.
const mostFixes = 100
