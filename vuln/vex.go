package vuln

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds on what one document of statements may hold.
const (
	maxStatements = 100_000
	maxProducts   = 200_000
	maxNote       = 2 << 10
)

// The statuses of VEX, in OpenVEX's words.
const (
	NotAffected        = "not_affected"
	Affected           = "affected"
	Fixed              = "fixed"
	UnderInvestigation = "under_investigation"
)

// Statement is what somebody says of one vulnerability in a product: a vendor, or the people who run it (OpenVEX, CycloneDX).
type Statement struct {
	// Vulnerability is its id.
	Vulnerability string `json:"vulnerability"`
	Status        string `json:"status"`
	// Justification is a word such as vulnerable_code_not_in_execute_path, Note what is said beside it.
	Justification string `json:"justification,omitempty"`
	Note          string `json:"note,omitempty"`
	// By is who says so, Document where.
	By       string    `json:"by,omitempty"`
	Document string    `json:"document,omitempty"`
	At       time.Time `json:"at,omitzero"`
	// Found is where the document was found, if that was beside the image: whoever may put one there may have written it.
	Found string `json:"found,omitempty"`
	// Products are what it speaks of.
	Products []Product `json:"products"`
}

// Product is a package, or an image, of which Parts are meant; none is all of it.
type Product struct {
	ID    string   `json:"id"`
	Parts []string `json:"parts,omitempty"`
}

// openVEX is an OpenVEX document as far as it is used.
type openVEX struct {
	ID         string      `json:"@id"`
	Author     string      `json:"author"`
	Timestamp  lenientTime `json:"timestamp"`
	Statements []struct {
		Vulnerability   vexName      `json:"vulnerability"`
		Products        []vexProduct `json:"products"`
		Status          string       `json:"status"`
		Justification   string       `json:"justification"`
		ImpactStatement string       `json:"impact_statement"`
		ActionStatement string       `json:"action_statement"`
		Timestamp       lenientTime  `json:"timestamp"`
		LastUpdated     lenientTime  `json:"last_updated"`
	} `json:"statements"`
}

// vexName is a vulnerability, written as its name or with its other names.
type vexName struct{ names []string }

func (n *vexName) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		n.names = []string{text}
		return nil
	}
	var full struct {
		ID      string   `json:"@id"`
		Name    string   `json:"name"`
		Aliases []string `json:"aliases"`
	}
	if err := json.Unmarshal(data, &full); err != nil {
		return err
	}
	n.names = append([]string{cmp.Or(full.Name, full.ID)}, full.Aliases...)
	return nil
}

// vexProduct is a product, written as its id or with its parts.
type vexProduct struct{ Product }

func (p *vexProduct) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &p.ID) == nil {
		return nil
	}
	var full struct {
		ID          string `json:"@id"`
		Identifiers struct {
			PURL string `json:"purl"`
		} `json:"identifiers"`
		Parts []vexProduct `json:"subcomponents"`
	}
	if err := json.Unmarshal(data, &full); err != nil {
		return err
	}
	p.ID = cmp.Or(full.Identifiers.PURL, full.ID)
	for _, part := range full.Parts {
		p.Parts = append(p.Parts, part.ID)
	}
	return nil
}

// openVEX files the statements of an OpenVEX document.
func (in *intake) openVEX(at string, data []byte) error {
	var d openVEX
	if err := json.Unmarshal(data, &d); err != nil {
		return in.count(at, leftOut(fmt.Errorf("want an OpenVEX document: %w", err)))
	}
	if len(d.Statements) > maxStatements {
		return in.count(at, leftOut(fmt.Errorf("want at most %d statements, got %d", maxStatements, len(d.Statements))))
	}
	for i, s := range d.Statements {
		out := Statement{Status: s.Status, Justification: s.Justification, Note: cmp.Or(s.ImpactStatement, s.ActionStatement),
			By: d.Author, Document: d.ID, At: cmp.Or(s.LastUpdated.Time, s.Timestamp.Time, d.Timestamp.Time)}
		for _, p := range s.Products {
			out.Products = append(out.Products, p.Product)
		}
		where := fmt.Sprintf("%s statements[%d]", at, i)
		switch {
		case s.Status == NotAffected && s.Justification == "" && s.ImpactStatement == "":
			if err := in.count(where, leftOut(fmt.Errorf("want a justification or an impact_statement of %s", NotAffected))); err != nil {
				return err
			}
		default:
			if err := in.count(where, in.statement(out, s.Vulnerability.names)); err != nil {
				return err
			}
		}
	}
	return nil
}

// cycloneVEX is a CycloneDX document as far as it says what affects its components.
type cycloneVEX struct {
	SerialNumber string `json:"serialNumber"`
	Metadata     struct {
		Timestamp lenientTime      `json:"timestamp"`
		Component cycloneComponent `json:"component"`
		Supplier  struct {
			Name string `json:"name"`
		} `json:"supplier"`
		Authors []struct {
			Name string `json:"name"`
		} `json:"authors"`
	} `json:"metadata"`
	Components      []cycloneComponent `json:"components"`
	Vulnerabilities []struct {
		ID         string `json:"id"`
		References []struct {
			ID string `json:"id"`
		} `json:"references"`
		Updated  lenientTime `json:"updated"`
		Analysis *struct {
			State         string `json:"state"`
			Justification string `json:"justification"`
			Detail        string `json:"detail"`
		} `json:"analysis"`
		Affects []struct {
			Ref string `json:"ref"`
		} `json:"affects"`
	} `json:"vulnerabilities"`
}

type cycloneComponent struct {
	Ref  string `json:"bom-ref"`
	PURL string `json:"purl"`
}

// cycloneStates are CycloneDX's words in those of OpenVEX.
var cycloneStates = map[string]string{"not_affected": NotAffected, "false_positive": NotAffected, "resolved": Fixed,
	"resolved_with_pedigree": Fixed, "exploitable": Affected, "in_triage": UnderInvestigation}

// cycloneVEX files what a CycloneDX document says in its analyses.
func (in *intake) cycloneVEX(at string, data []byte) error {
	var d cycloneVEX
	if err := json.Unmarshal(data, &d); err != nil {
		return in.count(at, leftOut(fmt.Errorf("want a CycloneDX document: %w", err)))
	}
	if len(d.Vulnerabilities) > maxStatements || len(d.Components) > maxProducts {
		return in.count(at, leftOut(fmt.Errorf("want at most %d vulnerabilities and %d components", maxStatements, maxProducts)))
	}
	purls := map[string]string{d.Metadata.Component.Ref: d.Metadata.Component.PURL}
	for _, c := range d.Components {
		purls[c.Ref] = c.PURL
	}
	by := d.Metadata.Supplier.Name
	if len(d.Metadata.Authors) > 0 {
		by = cmp.Or(by, d.Metadata.Authors[0].Name)
	}
	for i, v := range d.Vulnerabilities {
		where := fmt.Sprintf("%s vulnerabilities[%d]", at, i)
		if v.Analysis == nil {
			if err := in.count(where, leftOut(fmt.Errorf("want an analysis of %s", clip(v.ID, 40)))); err != nil {
				return err
			}
			continue
		}
		names := []string{v.ID}
		for _, r := range v.References {
			names = append(names, r.ID)
		}
		out := Statement{Status: cmp.Or(cycloneStates[v.Analysis.State], v.Analysis.State), Justification: v.Analysis.Justification,
			Note: v.Analysis.Detail, By: by, Document: d.SerialNumber, At: cmp.Or(v.Updated.Time, d.Metadata.Timestamp.Time)}
		for _, a := range v.Affects {
			_, ref, linked := strings.Cut(a.Ref, "#") // urn:cdx:SERIAL/VERSION#REF
			if !linked || !strings.HasPrefix(a.Ref, "urn:cdx:") {
				ref = a.Ref
			}
			out.Products = append(out.Products, Product{ID: cmp.Or(purls[ref], ref)})
		}
		if err := in.count(where, in.statement(out, names)); err != nil {
			return err
		}
	}
	return nil
}

// statement files one statement under each of its vulnerability's names.
func (in *intake) statement(s Statement, names []string) outcome {
	products := len(s.Products)
	for _, p := range s.Products {
		products += len(p.Parts)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return n == "" || len(n) > 256 || strings.ContainsAny(n, "\x00\n") })
	switch {
	case len(names) == 0 || len(names) > 1000:
		return leftOut(fmt.Errorf("want the name of a vulnerability"))
	case !slices.Contains([]string{NotAffected, Affected, Fixed, UnderInvestigation}, s.Status):
		return leftOut(fmt.Errorf("want a status of %s, %s, %s or %s, got %q", NotAffected, Affected, Fixed, UnderInvestigation, clip(s.Status,
			40)))
	case products == 0:
		return leftOut(fmt.Errorf("want the products that are meant"))
	case products > maxProducts:
		return leftOut(fmt.Errorf("want at most %d products, got %d", maxProducts, products))
	}
	if s.At.After(time.Now().Add(aheadOfUs)) {
		s.At = time.Time{} // or it would overrule all that is ever said
	}
	s.Vulnerability, s.Note, s.By, s.Document = names[0], clip(s.Note, maxNote), clip(s.By, 256), clip(s.Document, 512)
	s.Justification = clip(s.Justification, 256)
	data, err := json.Marshal(s)
	if err != nil {
		return leftOut(err)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := in.put("x"+name, data); err != nil {
			return failed(err)
		}
	}
	return declared(s.At)
}
