package scan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"

	"github.com/breakwater-sec/breakwater/severity"
)

// The report of a container scan as GitLab reads it (`artifacts: reports: container_scanning`), version 15 of its schema.
type (
	gitlabReport struct {
		Version         string                `json:"version"`
		Scan            gitlabScan            `json:"scan"`
		Vulnerabilities []gitlabVulnerability `json:"vulnerabilities"`
		Remediations    []struct{}            `json:"remediations"`
	}
	gitlabScan struct {
		Analyzer  gitlabTool      `json:"analyzer"`
		Scanner   gitlabTool      `json:"scanner"`
		Type      string          `json:"type"`
		Status    string          `json:"status"`
		StartTime string          `json:"start_time"`
		EndTime   string          `json:"end_time"`
		Messages  []gitlabMessage `json:"messages"`
	}
	gitlabTool struct {
		ID      string       `json:"id"`
		Name    string       `json:"name"`
		URL     string       `json:"url"`
		Version string       `json:"version"`
		Vendor  gitlabVendor `json:"vendor"`
	}
	gitlabVendor struct {
		Name string `json:"name"`
	}
	gitlabMessage struct {
		Level string `json:"level"`
		Value string `json:"value"`
	}
	gitlabVulnerability struct {
		ID          string                  `json:"id"`
		Name        string                  `json:"name"`
		Description string                  `json:"description,omitempty"`
		Severity    string                  `json:"severity"`
		Solution    string                  `json:"solution,omitempty"`
		Identifiers []gitlabIdentifier      `json:"identifiers"`
		Links       []gitlabLink            `json:"links,omitempty"`
		Location    gitlabLocation          `json:"location"`
		Details     map[string]gitlabDetail `json:"details,omitempty"`
	}
	gitlabIdentifier struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
		URL   string `json:"url,omitempty"`
	}
	gitlabLink struct {
		URL string `json:"url"`
	}
	gitlabDetail struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	gitlabLocation struct {
		Dependency      gitlabDependency `json:"dependency"`
		OperatingSystem string           `json:"operating_system"`
		Image           string           `json:"image"`
	}
	gitlabDependency struct {
		Package struct {
			Name string `json:"name"`
		} `json:"package"`
		Version string `json:"version"`
	}
)

// gitlabVersion is the version of the schema that the report keeps.
const gitlabVersion = "15.2.1"

func writeGitLab(w io.Writer, all []Report, o Options) error {
	self := gitlabTool{"breakwater", "Breakwater", "https://github.com/breakwater-sec/breakwater", cmp.Or(o.Version, "unknown"),
		gitlabVendor{"Breakwater"}}
	out := gitlabReport{Version: gitlabVersion, Vulnerabilities: []gitlabVulnerability{}, Remediations: []struct{}{},
		Scan: gitlabScan{Analyzer: self, Scanner: self, Type: "container_scanning", Status: "success",
			StartTime: moment(o.At), EndTime: moment(o.At), Messages: []gitlabMessage{}}}
	for _, r := range all {
		for _, v := range r.Vulnerabilities {
			out.Vulnerabilities = append(out.Vulnerabilities, gitlabOf(r, v))
		}
		for _, text := range r.Unseen() {
			level := "warn"
			if !r.Image.Known { // GitLab's word for a scan whose silence means nothing
				level, out.Scan.Status = "fatal", "failure"
			}
			out.Scan.Messages = append(out.Scan.Messages, gitlabMessage{level, r.Image.Reference + ": " + text})
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func gitlabOf(r Report, v Vulnerability) gitlabVulnerability {
	out := gitlabVulnerability{ID: sameID(r.Image.Reference, v.ID, v.PURL), Name: first(cmp.Or(v.Title, v.ID), 255),
		Description: v.affected() + ".", Severity: gitlabSeverity(v.Severity), Solution: v.upgrade(),
		Location: gitlabLocation{OperatingSystem: cmp.Or(r.Image.Distribution, "unknown"), Image: r.Image.Reference},
		Details:  map[string]gitlabDetail{}}
	out.Location.Dependency.Package.Name, out.Location.Dependency.Version = v.Package, v.Version
	for _, id := range append([]string{v.ID}, v.Aliases...) {
		out.Identifiers = append(out.Identifiers, identifier(id))
	}
	for _, url := range v.References {
		if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
			out.Links = append(out.Links, gitlabLink{url})
		}
	}
	out.detail("severity", "Severity", v.SeveritySource)
	out.detail("impact", "Impact", v.Impact)
	if v.KEV != nil && *v.KEV {
		out.detail("exploited", "Known exploited", "listed by CISA")
	}
	out.detail("exception", "Exception", v.Exception.String())
	return out
}

func (v *gitlabVulnerability) detail(key, name, value string) {
	if value != "" {
		v.Details[key] = gitlabDetail{"text", name, value}
	}
}

// identifier names a vulnerability in the list that it is of, by which GitLab joins what several scanners say.
func identifier(id string) gitlabIdentifier {
	list, _, _ := strings.Cut(strings.ToLower(id), "-")
	out := gitlabIdentifier{Type: cmp.Or(list, "osv"), Name: id, Value: id, URL: "https://osv.dev/vulnerability/" + id}
	if list == "cve" {
		out.URL = "https://www.cve.org/CVERecord?id=" + id
	}
	return out
}

func gitlabSeverity(word string) string {
	switch s, _ := severity.Parse(word); s {
	case severity.None:
		return "Info"
	default:
		return string(s)
	}
}

// sameID is the same for the same finding in every run, in the form of a UUID.
func sameID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	h := hex.EncodeToString(sum[:16])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// first is the beginning of a text, at most so many bytes.
func first(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
