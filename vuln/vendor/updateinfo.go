package vendor

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// XML reads a file of updates: updateinfo.xml of a repository, or OVAL. Every record is told, or why it is none; an error of tell ends
// the file. Updates that are not about security are passed over.
func XML(r io.Reader, tell func(at string, record *Record, why error) error) error {
	ration := &rationed{r: r}
	d := xml.NewDecoder(ration)
	var read func(d *xml.Decoder, start xml.StartElement) (*Record, error)
	within := ""
	for n := 0; ; {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && within != "":
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("want updates or OVAL definitions, the file is empty")
		case err != nil:
			return fmt.Errorf("want XML: %w", err)
		}
		end, ended := token.(xml.EndElement)
		if ended && end.Name.Local == "definitions" {
			return nil // what follows says in tests what comments of definitions said
		}
		start, begins := token.(xml.StartElement)
		if !begins {
			continue
		}
		switch name := start.Name.Local; {
		case within == "" && name == "updates":
			within, read = "update", readUpdate
		case within == "" && name == "oval_definitions":
			within, read = "definition", readDefinition
		case within == "":
			return fmt.Errorf("want <updates> or <oval_definitions>, got <%.40s>", name)
		case name == within:
			n++
			ration.used = 0
			record, err := read(d, start)
			if ration.past {
				return fmt.Errorf("%s %d: %w", within, n, err)
			}
			if record != nil || err != nil {
				if err := tell(fmt.Sprintf("%s %d", within, n), record, err); err != nil {
					return err
				}
			}
		}
		ration.used = 0
	}
}

// rationed lets a decoder read at most one record's worth of bytes between resets.
type rationed struct {
	r    io.Reader
	used int
	past bool
}

func (r *rationed) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.used += n; r.used > mostRecord {
		r.past = true
		return n, fmt.Errorf("want at most %d bytes in one record: %w", mostRecord, errBound)
	}
	return n, err
}

// update is one of updateinfo.xml.
type update struct {
	Type        string `xml:"type,attr"`
	ID          string `xml:"id"`
	Title       string `xml:"title"`
	Severity    string `xml:"severity"`
	Description string `xml:"description"`
	Issued      struct {
		Date string `xml:"date,attr"`
	} `xml:"issued"`
	Updated struct {
		Date string `xml:"date,attr"`
	} `xml:"updated"`
	References []struct {
		ID    string `xml:"id,attr"`
		Type  string `xml:"type,attr"`
		Title string `xml:"title,attr"`
		Href  string `xml:"href,attr"`
	} `xml:"references>reference"`
	Packages []struct {
		Name    string `xml:"name,attr"`
		Version string `xml:"version,attr"`
		Release string `xml:"release,attr"`
		Epoch   string `xml:"epoch,attr"`
	} `xml:"pkglist>collection>package"`
}

// publishers are the distributions that publish updates so, by how their ids begin, with the tag that names the release in a
// package's own.
var publishers = []struct {
	prefix, ecosystem string
	tag               *regexp.Regexp
}{
	{"ALAS", "Amazon Linux", regexp.MustCompile(`\.amzn(\d+)`)},
	{"ELSA-", "Oracle Linux", regexp.MustCompile(`\.el(\d+)`)},
	{"FEDORA-", "Fedora", regexp.MustCompile(`\.fc(\d+)`)},
}

func readUpdate(d *xml.Decoder, start xml.StartElement) (*Record, error) {
	var u update
	if err := d.DecodeElement(&u, &start); err != nil {
		return nil, fmt.Errorf("want an update: %w", err)
	}
	if u.Type != "security" {
		return nil, nil
	}
	r := &Record{ID: strings.TrimSpace(u.ID), Published: day(u.Issued.Date), Modified: day(u.Updated.Date), Summary: u.Title,
		Details: u.Description}
	if r.Modified == "" {
		r.Modified = r.Published
	}
	if u.Severity != "" && !strings.EqualFold(u.Severity, "none") {
		r.Database = map[string]any{"severity": u.Severity}
	}
	for _, ref := range u.References {
		r.Upstream = append(r.Upstream, cveWithin.FindAllString(ref.ID+" "+ref.Title, -1)...)
		if ref.Type == "self" {
			r.References = append(r.References, Reference{"ADVISORY", ref.Href})
		}
	}
	if len(r.Upstream) == 0 { // Oracle's and Fedora's name some in the text alone
		r.Upstream = cveWithin.FindAllString(u.Title+" "+u.Description, -1)
	}
	for _, p := range publishers {
		if !strings.HasPrefix(r.ID, p.prefix) {
			continue
		}
		for _, pkg := range u.Packages {
			tag := p.tag.FindStringSubmatch(pkg.Release)
			if tag == nil {
				return nil, fmt.Errorf("%s: want a release of %s in the package's (%s), got %.40q", r.ID, p.ecosystem, p.tag, pkg.Release)
			}
			version := epoched(pkg.Epoch, pkg.Version, pkg.Release)
			if err := r.addFrom(p.ecosystem+":"+tag[1]+channel(version), pkg.Name, beginning(r.ID, pkg.Epoch, pkg.Version), version); err != nil {
				return nil, err
			}
		}
		if len(r.Affected) == 0 {
			return nil, fmt.Errorf("%s: want the packages that are updated", r.ID)
		}
		r.compact()
		return r, nil
	}
	return nil, fmt.Errorf("want an update of Amazon Linux, Oracle Linux or Fedora, got %.40q", r.ID)
}

// extra is the topic of Amazon Linux 2's extras that an update is of, by its id: the number of its stream, such as 8.2 of ALAS2PHP8.2-2023-001.
var extra = regexp.MustCompile(`^ALAS2?[A-Z][A-Z0-9_.-]*?(\d+(?:\.\d+)*)-\d{4}-\d+$`)

// beginning is the first version that an update speaks of. Packages of the extras have the names of those that the core has, or another
// topic, in other versions: an update of PHP 8.2 says nothing of PHP 5.4.
func beginning(id, epoch, version string) string {
	m := extra.FindStringSubmatch(id)
	if m == nil || version != m[1] && !strings.HasPrefix(version, m[1]+".") {
		return "0"
	}
	return epoched(epoch, m[1], "")
}

// channel is what stands behind a release for builds that have versions of their own: a patch of a running program, a build that was
// certified. Their epochs are higher than those of what everybody has, who is not to be told of them.
func channel(version string) string {
	for _, word := range []string{"ksplice", "fips"} {
		if strings.Contains(version, word) {
			return ":" + word
		}
	}
	return ""
}

// day is a date as OSV has it, "" if it is none.
func day(text string) string {
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime, time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, strings.TrimSpace(text)); err == nil {
			return at.UTC().Format(time.RFC3339)
		}
	}
	return ""
}
