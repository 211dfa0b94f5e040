package vuln

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	amazonUpdate = `<updates><update type="security"><id>ALAS2023-2024-1</id><title>x</title><issued date="2024-02-17 20:41"/>
		<severity>Important</severity>
		<references><reference id="CVE-2024-0001" type="cve"/></references><pkglist><collection>
		<package name="curl-minimal" version="8.5.0" release="1.amzn2023.0.2" epoch="0" arch="x86_64"/></collection></pkglist></update></updates>`
	oracleUpdate = `<oval_definitions><definitions><definition class="patch"><metadata><title>ELSA-2024-1: x</title>
		<reference source="CVE" ref_id="CVE-2024-0001"/></metadata><criteria><criterion comment="Oracle Linux 8 is installed"/>
		<criterion comment="openssl is earlier than 2:1.1.1k-6.ksplice1.el8_5"/><criterion comment="openssl is earlier than 1:1.1.1k-6.el8_5"/>
		</criteria>
		</definition></definitions></oval_definitions>`
	photonList = `[{"cve_id":"CVE-2024-0001","pkg":"curl","aff_ver":"all versions before 8.5.0-1.ph5 are vulnerable","res_ver":"8.5.0-1.ph5"},
		{"cve_id":"CVE-2024-0002","pkg":"curl","aff_ver":"NA","res_ver":"NA","status":"Not Affected"}]`
	redHatUpdate = `{"id":"RHSA-2024:1","upstream":["CVE-2024-0001","CVE-2024-0002"],"summary":"Important: curl",
		"affected":[{"package":{"ecosystem":
		"Red Hat:enterprise_linux:9::baseos","name":"curl"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},
		{"fixed":"7.76.1-26.el9"}]}]}]}`
)

// redHatVEX says of curl in release 9 what Red Hat does.
func redHatVEX(cve, status string) string {
	return `{"document":{"aggregate_severity":{"text":"Low"},"category":"csaf_vex","csaf_version":"2.0",
		"publisher":{"namespace":"https://www.redhat.com"}},
		"product_tree":{"branches":[{"product":{"product_id":"rhel9","product_identification_helper":{"cpe":"cpe:/o:redhat:enterprise_linux:9"}}},
		{"product":{"product_id":"curl","product_identification_helper":{"purl":"pkg:rpm/redhat/curl?arch=src"}}}],
		"relationships":[{"full_product_name":{"product_id":"rhel9:curl"},"product_reference":"curl","relates_to_product_reference":"rhel9"}]},
		"vulnerabilities":[{"cve":"` + cve + `","product_status":{"` + status + `":["rhel9:curl"]},
		"remediations":[{"category":"no_fix_planned","details":"Will not fix","product_ids":["rhel9:curl"]}]}]}`
}

// saidOfPackage is what is found of a package, a line for each.
func saidOfPackage(db *DB, ecosystem, name, version string) string {
	var out []string
	for _, m := range db.Match(Package{Ecosystem: ecosystem, Name: name, Version: version}) {
		out = append(out, strings.TrimSpace(fmt.Sprint(m.ID, " ", m.Advisories, " ", m.Severity, " <", m.FixedVersion, " ", m.Vendor)))
	}
	return strings.Join(out, "\n")
}

func TestWhatDistributionsPublishInFormsOfTheirOwnIsMatched(t *testing.T) {
	all := fstest.MapFS{"updateinfo.xml": {Data: []byte(amazonUpdate)}, "oval.xml": {Data: []byte(oracleUpdate)},
		"cve_data_photon5.0.json": {Data: []byte(photonList)}, "rhsa.json": {Data: []byte(redHatUpdate)},
		"cve-2024-0002.json": {Data: []byte(redHatVEX("CVE-2024-0002", "known_not_affected"))},
		"cve-2024-0003.json": {Data: []byte(redHatVEX("CVE-2024-0003", "known_affected"))}}
	db, err := Read(t.Context(), all)
	if err != nil || len(db.Status().Gaps) > 0 {
		t.Fatalf("%v, %+v", err, db.Status().Gaps)
	}
	if s := db.Status().Sources[0]; !s.Balanced() || s.Records != 7 {
		t.Errorf("%+v", s)
	}
	const none = ""
	for _, test := range []struct{ ecosystem, name, version, want string }{
		{"Amazon Linux:2023", "curl-minimal", "8.4.0-1.amzn2023.0.1", "CVE-2024-0001 [ALAS2023-2024-1] High <8.5.0-1.amzn2023.0.2"},
		{"Amazon Linux:2023.6.20241010", "curl-minimal", "8.4.0-1.amzn2023.0.1", "CVE-2024-0001 [ALAS2023-2024-1] High <8.5.0-1.amzn2023.0.2"},
		{"Amazon Linux:2023", "curl-minimal", "8.5.0-1.amzn2023.0.2", none},
		{"Amazon Linux:2", "curl-minimal", "8.4.0-1.amzn2.0.1", none},
		{"Oracle Linux:8", "openssl", "1:1.1.1k-5.el8_5", "CVE-2024-0001 [ELSA-2024-1] High <1:1.1.1k-6.el8_5"},
		{"Oracle Linux:8", "openssl", "1:1.1.1k-6.el8_5", none},
		{"Oracle Linux:8", "openssl", "2:1.1.1k-5.ksplice1.el8_5", "CVE-2024-0001 [ELSA-2024-1] High <2:1.1.1k-6.ksplice1.el8_5"},
		{"Photon OS:5.0", "curl", "8.1.2-1.ph5", "CVE-2024-0001 [PHOTON-5.0-curl-CVE-2024-0001] High <8.5.0-1.ph5"},
		{"Photon OS:4.0", "curl", "8.1.2-1.ph4", none},
		{"Red Hat:enterprise_linux:9", "curl", "7.76.1-23.el9", "CVE-2024-0001 [RHSA-2024:1] High <7.76.1-26.el9\n" +
			"CVE-2024-0003 [REDHAT-CVE-2024-0003] Low < will not fix"},
		{"Red Hat:enterprise_linux:8", "curl", "7.61.1-23.el8", none},
	} {
		if got := saidOfPackage(db, test.ecosystem, test.name, test.version); got != test.want {
			t.Errorf("%s %s %s: got %q, want %q", test.ecosystem, test.name, test.version, got, test.want)
		}
	}
}

func TestAzureLinuxHasOneName(t *testing.T) {
	db := stated(t, "Azure Linux:2", 1, "2026-03-01")
	if got := saidOfPackage(db, "CBL-Mariner:2.0", "p0", "1-1.cm2"); !strings.HasPrefix(got, "X-0 ") {
		t.Errorf("got %q", got)
	}
}

// TestPackedFilesOfUpdatesAreImported: as they are published, alone or in an archive.
func TestPackedFilesOfUpdatesAreImported(t *testing.T) {
	pack := func(zip bool, text string) []byte {
		var b bytes.Buffer
		if zip {
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(text))
			_ = z.Close()
		} else {
			z, err := zstd.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = z.Write([]byte(text))
			_ = z.Close()
		}
		return b.Bytes()
	}
	bzipped, err := os.ReadFile("testdata/oval.xml.bz2") // bzip2 of oracleUpdate's kind: Go writes none
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"a-updateinfo.xml.gz":  {pack(true, amazonUpdate), "1 records, 0 skipped"},
		"a-updateinfo.xml.zst": {pack(false, amazonUpdate), "1 records, 0 skipped"},
		"oval.xml.bz2":         {bzipped, "1 records, 0 skipped"},
		"vex.tar.zst": {pack(false, tarOf(t, "2024/cve-2024-0003.json", redHatVEX("CVE-2024-0003", "known_affected"))),
			"1 records, 0 skipped"},
		"broken.xml.bz2": {[]byte("no"), "bzip2 data invalid"},
		"broken.xml.zst": {[]byte("no"), "unexpected EOF"},
		"broken.tar.zst": {[]byte("no"), "want a packed tar archive"},
		"csaf.json":      {[]byte(`{"document":{"csaf_version":"2.0","category":"csaf_base"}}`), "want CSAF of the category csaf_vex"},
		"other.json":     {[]byte(`{"document":{}}`), "want an OSV record, or CSAF: got an object with document"},
		"updates.xml":    {[]byte(`<html></html>`), "want <updates> or <oval_definitions>, got <html>"},
	} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, test.data, 0o600); err != nil {
			t.Fatal(err)
		}
		status, err := Import(t.Context(), t.TempDir(), []Source{{Name: "x", Path: file}}, nil)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%d records, %d skipped", status.Records, status.Sources[0].SkippedCount)
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// tarOf is an archive of one file.
func tarOf(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
