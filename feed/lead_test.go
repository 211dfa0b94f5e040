package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/breakwater-sec/breakwater/vuln"
)

// repository is a site with a list of mirrors, an index and updates, and with a file that names the newest of an archive.
type repository struct {
	files map[string]string
	asked []string
}

func (s *repository) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.URL.Path)
	text, there := s.files[r.URL.Path]
	if !there {
		http.NotFound(w, r)
		return
	}
	sum := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(text)))
	w.Header().Set("ETag", sum)
	if r.Header.Get("If-None-Match") == sum {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write([]byte(strings.ReplaceAll(text, "HOST", r.Host)))
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func amazonUpdate(id string) string {
	return `<updates><update type="security"><id>` + id + `</id><severity>Low</severity><issued date="2024-02-17 20:41"/><references>
		<reference id="CVE-2024-0001" type="cve"/></references><pkglist><collection><package name="curl" version="8.5.0" release="1.amzn2023"
		epoch="0"/>
		</collection></pkglist></update></updates>`
}

func indexOf(href, sum string) string {
	return `<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary"><location href="repodata/primary.xml.gz"/></data>
		<data type="updateinfo"><checksum type="sha256">` + sum + `</checksum><location href="` + href + `"/></data></repomd>`
}

// following is an updater that goes where feeds lead.
func following(t *testing.T, s *repository) (Updater, string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	return Updater{Dir: filepath.Join(dir, "advisories"), Folder: filepath.Join(dir, "feeds"), Attempts: 2,
		wait: func(context.Context, time.Duration) bool { return true }}, server.URL
}

func TestAFeedIsFoundByTheFilesThatLeadToIt(t *testing.T) {
	updates := gzipped(t, amazonUpdate("ALAS2023-2024-1"))
	s := &repository{files: map[string]string{"/core/mirror.list": "# mirrors\n\nhttp://HOST/guid/x86_64/\nhttp://other.example/\n",
		"/guid/x86_64/repodata/repomd.xml":           indexOf("repodata/1a-updateinfo.xml.gz", fmt.Sprintf("%X", sha256.Sum256([]byte(updates)))),
		"/guid/x86_64/repodata/1a-updateinfo.xml.gz": updates}}
	u, at := following(t, s)
	feeds := []Feed{{Name: "amazon/2023", URL: at + "/core/mirror.list", Via: []string{mirrorsLead, repodataLead},
		Path: "amazon/2023/updateinfo.xml.gz"}}
	for i, fresh := range []bool{true, false} {
		out, err := u.Update(t.Context(), feeds)
		if err != nil || out[0].Problem != "" || out[0].Records != 1 || out[0].Fresh != fresh {
			t.Errorf("time %d: %+v, %v", i+1, out, err)
		}
	}
	if got := strings.Join(s.asked[:3], " "); got != "/core/mirror.list /guid/x86_64/repodata/repomd.xml "+
		"/guid/x86_64/repodata/1a-updateinfo.xml.gz" {
		t.Errorf("asked for %s", got)
	}
	db, err := vuln.Open(u.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := db.Match(vuln.Package{Ecosystem: "Amazon Linux:2023", Name: "curl", Version: "8.4.0-1.amzn2023"}); len(got) != 1 ||
		got[0].ID != "CVE-2024-0001" {
		t.Errorf("%+v", got)
	}
	s.files["/guid/x86_64/repodata/1a-updateinfo.xml.gz"] = gzipped(t, amazonUpdate("ALAS2023-2024-2"))
	out, err := u.Update(t.Context(), feeds)
	if err != nil || out[0].Fresh || !strings.Contains(out[0].Problem, "its SHA-256 is another") {
		t.Errorf("updates that are not those of the index: %+v, %v", out, err)
	}
	s.files["/guid/x86_64/repodata/1a-updateinfo.xml.gz"] = updates // what is in force stays, and it is asked for as a whole
	if out, err = u.Update(t.Context(), feeds); err != nil || out[0].Problem != "" || out[0].Records != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestTheNewestOfAnArchiveIsFetched(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &repository{files: map[string]string{"/vex/archive_latest.txt": "updates_2024-02-01.xml.zst\n",
		"/vex/updates_2024-02-01.xml.zst": string(z.EncodeAll([]byte(amazonUpdate("ALAS2023-2024-1")), nil))}}
	u, at := following(t, s)
	out, err := u.Update(t.Context(), []Feed{{Name: "x", URL: at + "/vex/archive_latest.txt", Via: []string{latestLead},
		Path: "x/updates.xml.zst"}})
	if err != nil || out[0].Problem != "" || !out[0].Fresh || out[0].Records != 1 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestWhatLeadsElsewhereIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		kind, text, want string
	}{
		"no mirror":                {mirrorsLead, "# none\n", "want a place of a repository in it"},
		"a mirror that is no URL":  {mirrorsLead, "../x", "want the place of a repository as https://HOST/PATH"},
		"one without a lock":       {mirrorsLead, "http://other.example/", "want the place of a repository as https://HOST/PATH"},
		"one with a password":      {mirrorsLead, "https://a:b@other.example/", "want the place of a repository"},
		"no index":                 {repodataLead, "no", "want an index of a repository"},
		"an index without updates": {repodataLead, "<repomd/>", "want updateinfo in the index"},
		"updates of another site":  {repodataLead, indexOf("https://other.example/x", ""), "want updates in the repository itself"},
		"updates above it":         {repodataLead, indexOf("repodata/../../../x", ""), "want updates in the repository itself"},
		"updates from the root":    {repodataLead, indexOf("/x", ""), "want updates in the repository itself"},
		"a path for a name":        {latestLead, "x/y.tar.zst", "want the name of a file beside it"},
		"a name above":             {latestLead, "..", "want the name of a file beside it"},
		"no name":                  {latestLead, "\n", "want the name of a file beside it"},
	} {
		from, _ := url.Parse("https://site.example/a/repodata/repomd.xml")
		got, err := leadsTo(test.kind, from, []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %q, %v; want %s", name, got, err, test.want)
		}
	}
	s := &repository{files: map[string]string{"/large": strings.Repeat("a", maxLead+1)}}
	u, at := following(t, s)
	for feedURL, want := range map[string]string{"/large": "at most 1048576 bytes", "/none": "the site answers 404 Not Found"} {
		out, err := u.Update(t.Context(), []Feed{{Name: "x", URL: at + feedURL, Via: []string{latestLead}, Path: "x/y.xml"}})
		if err != nil || !strings.Contains(out[0].Problem, want) {
			t.Errorf("%s: %+v, %v", feedURL, out, err)
		}
	}
}

func leadsTo(kind string, from *url.URL, text []byte) (to string, err error) {
	switch kind {
	case mirrorsLead:
		return firstMirror(from, text)
	case repodataLead:
		to, _, err = updateinfo(from, text)
		return to, err
	}
	return latest(from, text)
}

// FuzzLead: whatever a site says, it leads to a place of HTTP, and what is named beside a file is beside it.
func FuzzLead(f *testing.F) {
	f.Add(mirrorsLead, "https://cdn.example/core/\n")
	f.Add(repodataLead, indexOf("repodata/updateinfo.xml.gz", "00"))
	f.Add(latestLead, "csaf_vex_2024-01-01.tar.zst")
	f.Fuzz(func(t *testing.T, kind, text string) {
		from, _ := url.Parse("https://site.example/a/repodata/repomd.xml")
		to, err := leadsTo(kind, from, []byte(text))
		if err != nil {
			return
		}
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
			t.Fatalf("%s of %q: %s, %v", kind, text, to, err)
		}
		if kind != mirrorsLead && (u.Host != "site.example" || !strings.HasPrefix(u.Path, "/a/")) {
			t.Fatalf("%s of %q leads to %s", kind, text, to)
		}
	})
}
