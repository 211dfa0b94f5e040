package api

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/report/scan"
)

// imageReports asks for every image, as the portal does by its id and the command line by its name.
func (s *served) imageReports(t *testing.T) {
	var l ImageList
	s.get(t, "/images", &l)
	unread := 0
	for _, row := range l.Items {
		var page ImagePage
		s.get(t, "/image?id="+row.Id, &page)
		var r scan.Report
		if err := json.Unmarshal([]byte(s.file(t, "/report/image?id="+row.Id, "application/json")), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Vulnerabilities) != len(page.Findings) || len(r.Gaps) != len(page.Gaps) || r.Image.Reference != row.Name ||
			(row.State == Done) != r.Image.Known {
			t.Errorf("%s: %d vulnerabilities and %d gaps of %s, known: %v; its page has %d and %d, and it is %s", row.Name,
				len(r.Vulnerabilities), len(r.Gaps), r.Image.Reference, r.Image.Known, len(page.Findings), len(page.Gaps), row.State)
		}
		if !r.Image.Known {
			unread++
			if r.Image.Why == "" || !strings.HasPrefix(r.Image.Completeness, "unread: ") {
				t.Errorf("%s is unknown and says %+v", row.Name, r.Image)
			}
		}
		for _, format := range scan.Formats() {
			text := s.file(t, "/report/image?format="+format+"&id="+row.Id, scan.MediaType(format))
			for _, v := range r.Vulnerabilities {
				if !strings.Contains(text, v.ID) {
					t.Errorf("%s as %s has no %s", row.Name, format, v.ID)
				}
			}
			if !r.Image.Known && !strings.Contains(text, "Unknown, not clean") {
				t.Errorf("%s as %s looks clean", row.Name, format)
			}
		}
	}
	if unread == 0 {
		t.Error("no image is unknown: this proves nothing")
	}
	named := s.file(t, "/report/image?id="+l.Items[0].Name, "application/json")
	if !strings.Contains(named, l.Items[0].Name) {
		t.Errorf("by its name: %s", named)
	}
}

// file is what a download brings.
func (s *served) file(t *testing.T, path, kind string) string {
	t.Helper()
	resp := s.send(t, "GET", path, nil, nil)
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind ||
		!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment;") {
		t.Fatalf("%s: %v, %s, %v, want %s: %.300s", path, err, resp.Status, resp.Header, kind, text)
	}
	return string(text)
}
