package corpus

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/breakwater-sec/breakwater/vuln"
	"sigs.k8s.io/yaml"
)

// advisories are what lies beside the corpus, as one database on disk: OSV
// archives as they are, Debian's notices and Alpine's secdb turned into OSV.
func advisories(t *testing.T) *vuln.DB {
	t.Helper()
	root := filepath.Join(os.Getenv("BREAKWATER_CORPUS"), "..", "advisories")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no advisories beside the corpus")
	}
	var sources []vuln.Source
	for _, name := range []string{"osv", "pypa", "ghsa", "kev", "debian-changelog"} {
		sources = append(sources, vuln.Source{Name: name, Path: filepath.Join(root, name+".tar.gz")})
	}
	sources = append(sources, vuln.Source{Name: "debian", FS: debianNotices(t, unpack(t, filepath.Join(root, "debian-dsa.tar.gz")))},
		vuln.Source{Name: "alpine", FS: alpineFixes(t, unpack(t, filepath.Join(root, "alpine-secdb.tar.gz")))})
	dir := t.TempDir()
	status, err := vuln.Import(t.Context(), dir, sources, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("advisories: %d records, %d bytes, %d gaps", status.Records, status.Bytes, len(status.Gaps))
	for _, gap := range status.Gaps {
		t.Logf("gap: %s: %s", gap.What, gap.Why)
	}
	db, err := vuln.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// told is what the advisories at hand name, read without the product.
type told struct {
	ids    map[string]map[string]bool // vulnerabilities by ecosystem
	python map[string]bool            // packages
	pairs  map[string]bool            // ecosystem, package and vulnerability
}

// names says that some advisory connects the package, or its source, with the vulnerability.
func (o told) names(ecosystem string, p vuln.Package, ids ...string) bool {
	for _, id := range ids {
		for _, name := range []string{p.Name, p.Source} {
			if o.pairs[named(ecosystem, pythonName(name), id)] {
				return true
			}
		}
	}
	return false
}

// toldBy reads the same records that advisories imports.
func toldBy(t *testing.T) told {
	t.Helper()
	root := filepath.Join(os.Getenv("BREAKWATER_CORPUS"), "..", "advisories")
	out := told{map[string]map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, name := range []string{"osv", "pypa", "ghsa", "debian-changelog"} {
		out.read(t, unpack(t, filepath.Join(root, name+".tar.gz")))
	}
	out.read(t, debianNotices(t, unpack(t, filepath.Join(root, "debian-dsa.tar.gz"))))
	out.read(t, alpineFixes(t, unpack(t, filepath.Join(root, "alpine-secdb.tar.gz"))))
	return out
}

func (o told) read(t *testing.T, files fstest.MapFS) {
	t.Helper()
	for name, file := range files {
		var r struct {
			ID                string
			Aliases, Upstream []string
			Affected          []struct {
				Package struct{ Ecosystem, Name string }
			}
		}
		if ext := filepath.Ext(name); ext != ".json" && ext != ".yaml" || yaml.Unmarshal(file.Data, &r) != nil {
			continue
		}
		for _, a := range r.Affected {
			if o.ids[a.Package.Ecosystem] == nil {
				o.ids[a.Package.Ecosystem] = map[string]bool{}
			}
			for _, id := range append(append(r.Aliases, r.Upstream...), r.ID) {
				o.ids[a.Package.Ecosystem][id] = true
				o.pairs[named(a.Package.Ecosystem, pythonName(a.Package.Name), id)] = true
			}
			if a.Package.Ecosystem == "PyPI" {
				o.python[pythonName(a.Package.Name)] = true
			}
		}
	}
}

// unpack reads a small archive into memory.
func unpack(t *testing.T, name string) fstest.MapFS {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for archive := tar.NewReader(z); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			out[strings.TrimPrefix(header.Name, "./")] = &fstest.MapFile{Data: data}
		}
	}
}

// osvRecord writes a record on one CVE set, fixed in one version of one package.
func osvRecord(t *testing.T, id string, upstream []string, ecosystem, pkg, fixed string) []byte {
	t.Helper()
	events := []map[string]string{{"introduced": "0"}}
	if fixed != "" {
		events = append(events, map[string]string{"fixed": fixed})
	}
	data, err := json.Marshal(map[string]any{"id": id, "upstream": upstream, "affected": []any{map[string]any{
		"package": map[string]string{
			"ecosystem": ecosystem,
			"name":      pkg,
		}, "ranges": []any{map[string]any{"type": "ECOSYSTEM", "events": events}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var (
	noticeHead = regexp.MustCompile(`^\[.*?\] (D[SL]A-\S+)`)
	noticeFix  = regexp.MustCompile(`^\t\[(\w+)\] - (\S+) (\S+)`)
	suites     = map[string]string{
		"squeeze":  "6",
		"wheezy":   "7",
		"jessie":   "8",
		"stretch":  "9",
		"buster":   "10",
		"bullseye": "11",
		"bookworm": "12",
	}
)

// debianNotices reads the DSA and DLA lists.
func debianNotices(t *testing.T, files fstest.MapFS) fstest.MapFS {
	out := fstest.MapFS{}
	for name, file := range files {
		if !strings.HasSuffix(name, "/list") {
			continue
		}
		var id string
		var cves []string
		for lines := bufio.NewScanner(strings.NewReader(string(file.Data))); lines.Scan(); {
			line := lines.Text()
			if m := noticeHead.FindStringSubmatch(line); m != nil {
				id, cves = m[1], nil
			} else if text, ok := strings.CutPrefix(line, "\t{"); ok {
				cves = strings.Fields(strings.TrimSuffix(text, "}"))
			} else if m := noticeFix.FindStringSubmatch(line); m != nil && suites[m[1]] != "" && strings.ContainsAny(m[3], "0123456789") &&
				len(cves) > 0 {
				key := fmt.Sprintf("%s-%s-%s", id, m[1], m[2])
				out[key+".json"] = &fstest.MapFile{Data: osvRecord(t, key, cves, "Debian:"+suites[m[1]], m[2], m[3])}
			}
		}
	}
	return out
}

// alpineFixes reads secdb: fixed version to CVE ids, by release and package.
func alpineFixes(t *testing.T, files fstest.MapFS) fstest.MapFS {
	out := fstest.MapFS{}
	for name, file := range files {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		var db struct {
			Distroversion string
			Packages      []struct {
				Pkg struct {
					Name     string
					Secfixes map[string][]string
				}
			}
		}
		if err := yaml.Unmarshal(file.Data, &db); err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		for _, p := range db.Packages {
			for fixed, ids := range p.Pkg.Secfixes {
				for _, id := range ids {
					cve, _, _ := strings.Cut(id, " ")
					key := fmt.Sprintf("%s %s %s %s", db.Distroversion, p.Pkg.Name, fixed, cve)
					out[strings.ReplaceAll(key, "/", "_")+".json"] = &fstest.MapFile{
						Data: osvRecord(t, key, []string{cve}, "Alpine:"+db.Distroversion, p.Pkg.Name, fixed),
					}
				}
			}
		}
	}
	return out
}
