package corpus

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/image"
	"github.com/breakwater-sec/breakwater/vuln"
	"sigs.k8s.io/yaml"
)

// bucket is a node of Trivy's test database: buckets in buckets, then pairs.
type bucket struct {
	Bucket string   `json:"bucket"`
	Key    string   `json:"key"`
	Pairs  []bucket `json:"pairs"`
	Value  struct {
		FixedVersion       string   `json:"FixedVersion"`
		PatchedVersions    []string `json:"PatchedVersions"`
		VulnerableVersions []string `json:"VulnerableVersions"`
		State              string   `json:"State"`
	} `json:"value"`
}

// trivyEcosystems maps Trivy's bucket names to OSV's ecosystems.
var trivyEcosystems = []struct{ pattern, ecosystem string }{
	{`^alpine (\S+)$`, "Alpine:v$1"}, {`^debian (\S+)$`, "Debian:$1"}, {`^ubuntu (\S+)$`, "Ubuntu:$1"},
	{`^alma (\S+)$`, "AlmaLinux:$1"}, {`^rocky (\S+)$`, "Rocky Linux:$1"}, {`^Oracle Linux (\S+)$`, "Oracle Linux:$1"},
	{`^amazon linux (\S+)$`, "Amazon Linux:$1"}, {`^CBL-Mariner (\S+)$`, "CBL-Mariner:$1"}, {`^Photon OS (\S+)$`, "Photon OS:$1"},
	{`^SUSE (Linux Enterprise .+)$`, "SUSE:$1"}, {`^openSUSE (.+)$`, "openSUSE:$1"},
	{`^npm::`, "npm"}, {`^pip::`, "PyPI"}, {`^maven::`, "Maven"}, {`^go::`, "Go"}, {`^cargo::`, "crates.io"}, {`^composer::`, "Packagist"},
	{
		`^rubygems::`,
		"RubyGems",
	}, {`^nuget::`, "NuGet"}, {`^pub::`, "Pub"}, {`^erlang::`, "Hex"}, {`^swift::`, "SwiftURL"}, {`^conan::`, "ConanCenter"},
	{`^k8s::`, "Kubernetes"},
}

func trivyEcosystem(name string) string {
	for _, rule := range trivyEcosystems {
		re := regexp.MustCompile(rule.pattern)
		if re.MatchString(name) {
			return re.ReplaceAllString(re.FindString(name), rule.ecosystem)
		}
	}
	return ""
}

// trivyDatabase turns the fixture database into OSV records.
func trivyDatabase(t *testing.T, dir string) *vuln.DB {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "fixtures", "db", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	records := fstest.MapFS{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var top []bucket
		if err := yaml.Unmarshal(data, &top); err != nil {
			continue // the general tables have other shapes
		}
		for _, source := range top {
			ecosystem := trivyEcosystem(source.Bucket)
			if ecosystem == "" {
				continue
			}
			for _, pkg := range source.Pairs {
				for _, advisory := range pkg.Pairs {
					addOSV(t, records, ecosystem, pkg.Bucket, advisory)
				}
			}
		}
	}
	db, err := vuln.Read(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	if s := db.Status(); len(s.Gaps) > 0 {
		t.Logf("gaps: %v", s.Gaps)
	}
	return db
}

func addOSV(t *testing.T, into fstest.MapFS, ecosystem, pkg string, advisory bucket) {
	var ranges []map[string]any
	if len(advisory.Value.VulnerableVersions)+len(advisory.Value.PatchedVersions) == 0 {
		events := []map[string]string{{"introduced": "0"}}
		if advisory.Value.FixedVersion != "" {
			events = append(events, map[string]string{"fixed": advisory.Value.FixedVersion})
		}
		ranges = append(ranges, map[string]any{"type": "ECOSYSTEM", "events": events})
	}
	for _, text := range vulnerable(advisory) {
		ranges = append(ranges, map[string]any{"type": "ECOSYSTEM", "events": constraint(text, advisory.Value.PatchedVersions)})
	}
	id := strings.TrimSpace(advisory.Key)
	n := len(into)
	record := map[string]any{"id": fmt.Sprintf("T%d-%s", n, id), "aliases": []string{id},
		"affected": []any{map[string]any{"package": map[string]string{"ecosystem": ecosystem, "name": pkg}, "ranges": ranges}}}
	data, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	into[fmt.Sprintf("%d.json", n)] = &fstest.MapFile{Data: data}
}

// vulnerable are the constraints on affected versions. RustSec states patched
// versions instead: affected is what is below the lowest.
func vulnerable(advisory bucket) []string {
	if len(advisory.Value.VulnerableVersions) > 0 {
		return advisory.Value.VulnerableVersions
	}
	if len(advisory.Value.PatchedVersions) == 0 {
		return nil
	}
	lowest := ""
	for _, text := range advisory.Value.PatchedVersions {
		if v, ok := strings.CutPrefix(strings.Split(text, ",")[0], ">= "); ok {
			if order, err := vuln.Compare("crates.io", v, lowest); lowest == "" || err == nil && order < 0 {
				lowest = v
			}
		}
	}
	return []string{"< " + lowest}
}

// constraint turns ">= 1, < 2", "<= 3" or "[1,2)" into events; where a patched
// version is given, "<=" ends there.
func constraint(text string, patched []string) []map[string]string {
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "(") {
		from, to, _ := strings.Cut(strings.Trim(text, "[]()"), ",")
		text = ">= " + from + ", < " + to
	}
	introduced, end := map[string]string{"introduced": "0"}, map[string]string(nil)
	for part := range strings.SplitSeq(text, ",") {
		op, v, _ := strings.Cut(strings.TrimSpace(part), " ")
		switch op {
		case ">=":
			introduced = map[string]string{"introduced": v}
		case "<":
			end = map[string]string{"fixed": v}
		case "<=":
			end = map[string]string{"last_affected": v}
			if len(patched) > 0 {
				end = map[string]string{"fixed": patched[len(patched)-1]}
			}
		}
	}
	if end == nil {
		return []map[string]string{introduced}
	}
	return []map[string]string{introduced, end}
}

// trivySources are the source packages of the binaries that the cases name: a
// scan reads them from the package database, the answer key leaves them out.
var trivySources = map[string]string{
	"libcrypto1.1": "openssl", "libssl1.1": "openssl", "libssl1.0.0": "openssl", "musl-utils": "musl", "e2fslibs": "e2fsprogs",
	"libcomerr2": "e2fsprogs", "libcom-err2": "e2fsprogs", "libext2fs2": "e2fsprogs", "libss2": "e2fsprogs", "libidn2-0": "libidn2",
	"openssl-libs": "openssl",
}

var distroOf = regexp.MustCompile(`distro=(?:[a-z.-]+-)?([\d.]+)`)

// trivyPackage is the package of an expected row, as a scan would report it.
func trivyPackage(row map[string]string) vuln.Package {
	p := vuln.Package{Name: row["package"], Version: row["installed"], Source: trivySources[row["package"]]}
	languages := map[string]string{
		"bun":             "npm",
		"npm":             "npm",
		"yarn":            "npm",
		"pnpm":            "npm",
		"node-pkg":        "npm",
		"cargo":           "crates.io",
		"gomod":           "Go",
		"gobinary":        "Go",
		"gradle":          "Maven",
		"jar":             "Maven",
		"pom":             "Maven",
		"kubernetes":      "Kubernetes",
		"mix":             "Hex",
		"hex":             "Hex",
		"pip":             "PyPI",
		"pipenv":          "PyPI",
		"poetry":          "PyPI",
		"uv":              "PyPI",
		"python-pkg":      "PyPI",
		"pub":             "Pub",
		"swift":           "SwiftURL",
		"composer":        "Packagist",
		"composer-vendor": "Packagist",
		"nuget":           "NuGet",
		"dotnet-core":     "NuGet",
		"bundler":         "RubyGems",
		"gemspec":         "RubyGems",
		"conan":           "ConanCenter",
		"sbt":             "Maven",
	}
	p.Ecosystem = languages[row["type"]]
	if row["cls"] != "os-pkgs" {
		return p
	}
	distributions := map[string]string{
		"alma":          "AlmaLinux",
		"alpine":        "Alpine",
		"debian":        "Debian",
		"ubuntu":        "Ubuntu",
		"rocky":         "Rocky Linux",
		"cbl-mariner":   "CBL-Mariner",
		"photon":        "Photon OS",
		"oracle":        "Oracle Linux",
		"amazon":        "Amazon Linux",
		"redhat":        "Red Hat",
		"suse":          "SUSE",
		"opensuse.leap": "openSUSE",
		"opensuse-leap": "openSUSE",
	}
	if m := distroOf.FindStringSubmatch(row["purl"]); m != nil {
		p.Ecosystem = distributions[row["type"]] + ":" + m[1]
	}
	return p
}

// contents is what a scan finds.
type contents []vuln.Package

func (c contents) has(want vuln.Package) bool {
	return slices.ContainsFunc(c, func(p vuln.Package) bool {
		return p.Ecosystem == want.Ecosystem && strings.EqualFold(p.Name, want.Name) && p.Version == want.Version
	})
}

// trivyInputs scans what the corpus has of the cases' inputs: folders of sources.
func trivyInputs(t *testing.T, dir string) map[string]contents {
	t.Helper()
	out := map[string]contents{}
	for _, row := range table(t, inside(dir, "cases.csv")) {
		if row["artifact_type"] != "repository" || row["input_available"] != "True" {
			continue
		}
		_, name, _ := strings.Cut(row["artifact"], "testdata/")
		local, _, err := image.ParseLocal("rootfs:" + filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		inv, err := image.ScanLocal(t.Context(), local, image.Options{})
		if err != nil {
			t.Fatalf("%s: %v", row["case_id"], err)
		}
		found := contents{}
		for _, p := range inv.Packages {
			found = append(found, vuln.Package{Ecosystem: p.Ecosystem, Name: p.Name, Version: p.Version})
		}
		out[row["case_id"]] = found
	}
	return out
}

func TestCorpusTrivyIntegration(t *testing.T) {
	dir := folder(t, "trivy-integration")
	db := trivyDatabase(t, dir)
	key := table(t, inside(dir, "expected_vulns.csv"))
	s := scoring(t, "trivy-integration", len(key))
	fixed := 0
	inputs := trivyInputs(t, dir)
	for _, row := range key {
		name := named(row["case_id"], row["vulnerability"])
		if s.excepted(name) {
			continue
		}
		p := trivyPackage(row)
		if input := inputs[row["case_id"]]; input != nil && !input.has(p) {
			s.row(fmt.Sprintf("%s: a scan finds no %s %s %s, but %v", name, p.Ecosystem, p.Name, p.Version, input), false, true)
			continue
		}
		matches, gaps := db.Examine(p)
		i := slices.IndexFunc(matches, func(m vuln.Match) bool {
			return m.ID == row["vulnerability"] || slices.Contains(m.Aliases, row["vulnerability"])
		})
		s.row(fmt.Sprintf("%s in %+v: %v", name, p, gaps), i >= 0, true)
		if i < 0 {
			continue
		}
		if want := row["fixed"]; matches[i].FixedVersion != "" && strings.Contains(want, matches[i].FixedVersion) ||
			want == "" && matches[i].FixedVersion == "" {
			fixed++
		} else {
			t.Logf("%s: fixed in %q, want %q", name, matches[i].FixedVersion, want)
		}
	}
	s.share("fixed version", fixed, s.hit)
	s.end()
}
