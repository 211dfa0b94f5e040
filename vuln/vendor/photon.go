package vendor

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// photonCVE is an entry of Photon's list: a CVE in a package of the release that the file is of.
type photonCVE struct {
	CVE      string `json:"cve_id"`
	Package  string `json:"pkg"`
	Affected string `json:"aff_ver"`
	Fixed    string `json:"res_ver"`
	Status   string `json:"status"`
}

var (
	photonFile = regexp.MustCompile(`photon-?_?(\d+\.\d+)`)
	photonTag  = regexp.MustCompile(`\.ph(\d+)$`)
	before     = regexp.MustCompile(`^all versions before (\S+) are vulnerable$`)
)

// Photon reads an entry of Photon's list of CVEs; is says whether it is one. The release is told by the version that fixes it, or else by
// the name of the file.
func Photon(name string, document []byte) (r *Record, is bool, err error) {
	var e photonCVE
	if json.Unmarshal(document, &e) != nil || e.CVE == "" || e.Package == "" || e.Affected == "" && e.Fixed == "" && e.Status == "" {
		return nil, false, nil
	}
	version, release := e.Fixed, ""
	switch m := before.FindStringSubmatch(e.Affected); {
	case strings.EqualFold(e.Status, "Not Affected"):
		version = "0"
	case m != nil:
		version = m[1]
	case version == "NA" && strings.HasPrefix(e.Affected, "all versions"):
		version = ""
	case version == "NA" || version == "":
		return nil, true, fmt.Errorf("%.40s in %.40q: want versions that are affected, or a status of Not Affected", e.CVE, e.Package)
	}
	if m := photonTag.FindStringSubmatch(version); m != nil {
		release = m[1] + ".0"
	} else if m := photonFile.FindStringSubmatch(name[strings.LastIndexAny(name, "/!")+1:]); m != nil {
		release = m[1]
	}
	switch {
	case !cvePattern.MatchString(e.CVE):
		return nil, true, fmt.Errorf("want the id of a CVE, got %.40q", e.CVE)
	case release == "":
		return nil, true, fmt.Errorf("%s in %.40q: want a release of Photon in the version that fixes it (.ph5) or in the name of the file "+
			"(cve_data_photon5.0.json)", e.CVE, e.Package)
	}
	r = &Record{ID: fmt.Sprintf("PHOTON-%s-%.100s-%s", release, e.Package, e.CVE)}
	return r, true, r.add("Photon OS:"+release, e.Package, version)
}
