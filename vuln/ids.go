package vuln

import (
	"regexp"
	"slices"
	"strings"
)

var cvePattern = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

// cveIn finds a CVE id at the end of an advisory's id: "UBUNTU-CVE-2022-3602".
var cveIn = regexp.MustCompile(`(?:^|-)(CVE-\d{4}-\d{4,})$`)

// asCVE is the CVE that an id is or wraps, or "".
func asCVE(id string) string {
	if m := cveIn.FindStringSubmatch(strings.ToUpper(id)); m != nil {
		return m[1]
	}
	return ""
}

// vulnerabilities are the ids of what the record is about. A tracker's record is
// about one CVE; a notice ("USN-5710-1") may be about several, each a
// vulnerability of its own. Without any CVE it is the record's own id.
func (r *record) vulnerabilities() []string {
	if id := asCVE(r.ID); id != "" {
		return []string{id}
	}
	for _, ids := range [][]string{r.Aliases, r.Upstream, r.noticeRelated()} {
		if found := cves(ids); len(found) > 0 {
			return found
		}
	}
	return []string{r.ID}
}

// noticeRelated is the related list where it means "this notice is about": in
// distributions' notices. Elsewhere related is merely similar.
func (r *record) noticeRelated() []string {
	if r.notice() {
		return r.Related
	}
	return nil
}

// notice says that a distribution announces an update with the record: it names
// vulnerabilities and fixed versions, and seldom describes them.
func (r *record) notice() bool {
	for familyName := range publishers {
		if publishedBy(r.ID, familyName) {
			return !r.tracker()
		}
	}
	return false
}

func cves(ids []string) []string {
	var out []string
	for _, id := range ids {
		if cve := asCVE(id); cve != "" {
			out = append(out, cve)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tracker says that the record follows one CVE through a distribution's
// releases, rather than announcing an update.
func (r *record) tracker() bool { return asCVE(r.ID) != "" && !cvePattern.MatchString(r.ID) }

// alsoKnownAs are the other ids of a vulnerability in a group of records. A
// notice is one of its ids only where it decided, and what a notice about several
// is also called says nothing of each.
func alsoKnownAs(id string, records []*record, deciding int) []string {
	var out []string
	for i, r := range records {
		if r.notice() && i >= deciding {
			continue
		}
		out = append(out, r.ID)
		if len(r.vulnerabilities()) == 1 {
			out = append(out, r.Aliases...)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(other string) bool { return other == id })
}
