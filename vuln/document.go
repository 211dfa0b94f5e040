package vuln

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// json reads a file of one document, an array of them, or one after another.
func (in *intake) json(name string, r io.Reader) error {
	buffered := bufio.NewReaderSize(r, 64<<10)
	ration := &rationed{r: buffered, limit: in.limits.Document}
	decoder := json.NewDecoder(ration)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // they were read already
	}
	first, err := firstByte(buffered)
	if errors.Is(err, io.EOF) {
		return errors.New("want an OSV record, the file is empty")
	}
	if err != nil {
		return err
	}
	if first == '[' {
		if _, err := decoder.Token(); err != nil {
			return err
		}
	}
	for n := 0; ; n++ {
		if first == '[' && !decoder.More() { // the end of the array, and what follows it
			if _, err := decoder.Token(); err != nil {
				return fmt.Errorf("document %d: want the end of the array: %w", n+1, err)
			}
			first = 0
		}
		var document json.RawMessage
		ration.used = 0
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("document %d: want JSON: %w", n+1, err)
		}
		if err := in.document(name, fmt.Sprintf("%s#%d", name, n+1), document); err != nil {
			return err
		}
	}
}

func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, r.UnreadByte()
		}
	}
}

// document files one JSON object: an OSV record, OSV's query answer, CISA's list, a document of VEX, or what a distribution publishes in
// a form of its own.
// An error ends the source.
func (in *intake) document(name, at string, data []byte) error {
	var head struct {
		ID              string            `json:"id"`
		Vulns           []json.RawMessage `json:"vulns"`
		CatalogVersion  string            `json:"catalogVersion"`
		Vulnerabilities []kevEntry        `json:"vulnerabilities"`
		Context         json.RawMessage   `json:"@context"`
		BOMFormat       string            `json:"bomFormat"`
		Document        json.RawMessage   `json:"document"`
		Photon          string            `json:"cve_id"`
	}
	if err := json.Unmarshal(data, &head); err != nil && head.ID == "" {
		return in.count(at, leftOut(fmt.Errorf("want an OSV record or CISA's list: %w", err)))
	}
	switch {
	case len(head.Document) > 0 && head.ID == "" || head.Photon != "":
		return in.vendors(name, at, data)
	case bytes.Contains(head.Context, []byte("openvex")):
		return in.openVEX(at, data)
	case head.BOMFormat == "CycloneDX":
		return in.cycloneVEX(at, data)
	case head.CatalogVersion != "" || len(head.Vulnerabilities) > 0 && head.Vulnerabilities[0].CVE != "":
		for i, each := range head.Vulnerabilities {
			if err := in.count(fmt.Sprintf("vulnerabilities[%d]", i), in.kev(each)); err != nil {
				return err
			}
		}
		return nil
	case len(head.Vulns) > 0:
		for i, each := range head.Vulns {
			if err := in.count(fmt.Sprintf("%s#vulns[%d]", name, i), in.record(each)); err != nil {
				return err
			}
		}
		return nil
	default:
		return in.count(at, in.record(data))
	}
}

// aheadOfUs is how far the clock of who publishes may be before ours.
const aheadOfUs = 48 * time.Hour

// record files one OSV record.
func (in *intake) record(data []byte) outcome {
	var r osvRecord
	if err := json.Unmarshal(data, &r); err != nil {
		return leftOut(fmt.Errorf("want an OSV record: %w", err))
	}
	if r.ID == "" {
		return leftOut(fmt.Errorf(`want an OSV record with an "id", got an object with %s`, keysOf(data)))
	}
	if err := r.validate(); err != nil {
		return leftOut(err)
	}
	if r.Modified.After(time.Now().Add(aheadOfUs)) {
		r.Modified = lenientTime{} // nobody knows when: else it would overrule all that is ever said of it, and look fresh for good
	}
	r.revision = revisionOf(data, in.status.Read)
	said, err := addRecord(&r, in.put)
	if err != nil {
		return failed(err)
	}
	return filed(&r, said)
}

// keysOf names what an object has instead of what was wanted.
func keysOf(data []byte) string {
	var object map[string]json.RawMessage
	if json.Unmarshal(data, &object) != nil || len(object) == 0 {
		return "nothing in it"
	}
	keys := slices.Sorted(maps.Keys(object))
	return clip(strings.Join(keys[:min(len(keys), 6)], ", "), 120)
}

// note counts a filed record.
func (s *SourceStatus) note(r *osvRecord, said statements) {
	s.Newest = later(s.Newest, r.Modified.Time)
	if !r.Withdrawn.IsZero() {
		s.Withdrawn++
		return
	}
	s.Records++
	for _, a := range r.Affected {
		where := parseEcosystem(a.Package.Ecosystem)
		if a.Package.Name != "" && comparable(where.Family) {
			s.Ecosystems = count(s.Ecosystems, where.String())
			if s.Latest == nil {
				s.Latest = map[string]time.Time{}
			}
			s.Latest[where.String()] = later(s.Latest[where.String()], r.Modified.Time)
		}
	}
	s.Statements += said.used
	s.Incomparable = sum(s.Incomparable, said.incomparable)
	s.Unusable = sum(s.Unusable, said.unusable)
}

// kevEntry is one vulnerability of CISA's catalogue.
type kevEntry struct {
	CVE        string      `json:"cveID"`
	Name       string      `json:"vulnerabilityName"`
	Added      lenientTime `json:"dateAdded"`
	Due        lenientTime `json:"dueDate"`
	Ransomware string      `json:"knownRansomwareCampaignUse"`
}

// kev files one entry of CISA's catalogue.
func (in *intake) kev(e kevEntry) outcome {
	if !cvePattern.MatchString(e.CVE) {
		return leftOut(fmt.Errorf("want a CVE id in cveID, got %q", clip(e.CVE, 40)))
	}
	value, err := json.Marshal(KEV{Listed: true, Name: clip(e.Name, 256), Added: e.Added.Time, Due: e.Due.Time,
		Ransomware: strings.EqualFold(e.Ransomware, "known")})
	if err != nil {
		return leftOut(err)
	}
	if err := in.put("k"+e.CVE, value); err != nil {
		return failed(err)
	}
	return catalogued(e.Added.Time)
}

// epss reads FIRST's file: "#" comments, a header "cve,epss,percentile", rows.
func (in *intake) epss(name string, r io.Reader) error {
	scanner := bufio.NewScanner(r)
	line, header := 0, false
	for scanner.Scan() {
		line++
		text := strings.TrimSpace(scanner.Text())
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
			continue
		case !header:
			if header = strings.HasPrefix(strings.ToLower(text), "cve,epss"); !header {
				return fmt.Errorf(`line %d: want EPSS scores under the header "cve,epss,percentile"`, line)
			}
			continue
		}
		if err := in.count(fmt.Sprintf("%s:%d", name, line), in.score(text)); err != nil {
			return err
		}
	}
	return scanner.Err()
}

// score files one row of scores.
func (in *intake) score(text string) outcome {
	cve, score, err := parseEPSS(text)
	if err != nil {
		return leftOut(err)
	}
	value, err := json.Marshal(score)
	if err != nil {
		return leftOut(err)
	}
	if err := in.put("e"+cve, value); err != nil {
		return failed(err)
	}
	return estimated()
}

func parseEPSS(text string) (string, EPSS, error) {
	fields := strings.Split(text, ",")
	if len(fields) < 2 || !cvePattern.MatchString(fields[0]) {
		return "", EPSS{}, fmt.Errorf("want CVE,score,percentile, got %q", clip(text, 60))
	}
	var out EPSS
	for i, into := range []*float64{&out.Score, &out.Percentile} {
		if i+1 >= len(fields) {
			break
		}
		value, err := strconv.ParseFloat(fields[i+1], 64)
		if err != nil || !(value >= 0 && value <= 1) {
			return "", EPSS{}, fmt.Errorf("want a probability from 0 to 1, got %q", clip(fields[i+1], 20))
		}
		*into = value
	}
	return fields[0], out, nil
}

// rationed lets a decoder read at most one document's worth of bytes between resets.
type rationed struct {
	r           io.Reader
	used, limit int64
}

func (r *rationed) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.used += int64(n); r.used > r.limit {
		return n, fmt.Errorf("want at most %d bytes in one record", r.limit)
	}
	return n, err
}
