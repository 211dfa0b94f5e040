package vendor

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
)

// definition is one of Oracle's OVAL: an update, and which packages it is of.
type definition struct {
	Class    string `xml:"class,attr"`
	Metadata struct {
		Title      string `xml:"title"`
		References []struct {
			Source string `xml:"source,attr"`
			ID     string `xml:"ref_id,attr"`
			URL    string `xml:"ref_url,attr"`
		} `xml:"reference"`
		Description string `xml:"description"`
		Advisory    struct {
			Severity string `xml:"severity"`
			Issued   struct {
				Date string `xml:"date,attr"`
			} `xml:"issued"`
			Updated struct {
				Date string `xml:"date,attr"`
			} `xml:"updated"`
			CVEs []struct {
				ID    string `xml:",chardata"`
				CVSS3 string `xml:"cvss3,attr"`
			} `xml:"cve"`
		} `xml:"advisory"`
	} `xml:"metadata"`
	Criteria criteria `xml:"criteria"`
}

// criteria are what must hold, or what may, which the comments say in words.
type criteria struct {
	Criteria  []criteria `xml:"criteria"`
	Criterion []struct {
		Comment string `xml:"comment,attr"`
	} `xml:"criterion"`
}

var (
	installed   = regexp.MustCompile(`^Oracle Linux (\d+) is installed$`)
	earlierThan = regexp.MustCompile(`^(\S+) is earlier than (\S+)$`)
)

func readDefinition(d *xml.Decoder, start xml.StartElement) (*Record, error) {
	var o definition
	if err := d.DecodeElement(&o, &start); err != nil {
		return nil, fmt.Errorf("want a definition of OVAL: %w", err)
	}
	if o.Class != "patch" {
		return nil, nil
	}
	m := o.Metadata
	id, title, _ := strings.Cut(strings.Join(strings.Fields(m.Title), " "), ":")
	if !strings.HasPrefix(id, "ELSA-") {
		return nil, fmt.Errorf("want an update of Oracle Linux, got %.40q", id)
	}
	r := &Record{ID: id, Published: day(m.Advisory.Issued.Date), Modified: day(m.Advisory.Updated.Date), Summary: strings.TrimSpace(title),
		Details: strings.TrimSpace(m.Description)}
	if r.Modified == "" {
		r.Modified = r.Published
	}
	if m.Advisory.Severity != "" {
		r.Database = map[string]any{"severity": m.Advisory.Severity}
	}
	for _, ref := range m.References {
		switch {
		case strings.EqualFold(ref.Source, "cve") && cvePattern.MatchString(ref.ID):
			r.Upstream = append(r.Upstream, ref.ID)
		case strings.EqualFold(ref.Source, "elsa"):
			r.References = append(r.References, Reference{"ADVISORY", ref.URL})
		}
	}
	if len(m.Advisory.CVEs) == 1 { // of several, a record has no place for the score of each
		if _, vector, ok := strings.Cut(m.Advisory.CVEs[0].CVSS3, "/"); ok {
			r.Severity = []Score{{"CVSS_V3", vector}}
		}
	}
	if err := r.meant(o.Criteria, ""); err != nil {
		return nil, err
	}
	if len(r.Affected) == 0 {
		return nil, fmt.Errorf("%s: want packages that are earlier than a version", r.ID)
	}
	r.compact()
	return r, nil
}

// meant takes the packages of criteria, which hold in the release that was named on the way to them.
func (r *Record) meant(c criteria, release string) error {
	for _, one := range c.Criterion {
		if m := installed.FindStringSubmatch(one.Comment); m != nil {
			release = m[1]
		}
	}
	for _, one := range c.Criterion {
		m := earlierThan.FindStringSubmatch(one.Comment)
		if m == nil {
			continue
		}
		if release == "" {
			return fmt.Errorf("%s: want the release in which %.60q holds", r.ID, one.Comment)
		}
		version := strings.TrimPrefix(m[2], "0:")
		if err := r.add("Oracle Linux:"+release+channel(version), m[1], version); err != nil {
			return err
		}
	}
	for _, each := range c.Criteria {
		if err := r.meant(each, release); err != nil {
			return err
		}
	}
	return nil
}
