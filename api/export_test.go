package api

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/query"
	"github.com/breakwater-sec/breakwater/report"
)

// exports asks for the same rows as a person and as a program.
func (s *served) exports(t *testing.T) {
	const ask = "/query/export?text=MATCH%20(i:Image)%20RETURN%20i"
	var status Status
	s.get(t, "/status", &status)
	resp := s.send(t, "GET", ask, nil, nil)
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Fatal(resp.Header, err)
	}
	rows, beside, _ := strings.Cut(string(b), "\n# ")
	if len(status.Gaps) == 0 || strings.Count("\n# "+beside, "\n# not seen: ") < len(status.Gaps) {
		t.Errorf("%d gaps, and behind the rows stands %q", len(status.Gaps), beside)
	}
	resp = s.send(t, "GET", ask+"&parts=true", nil, nil)
	_, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(resp.Body, params["boundary"])
	first, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	alone, err := csv.NewReader(first).ReadAll()
	if err != nil || len(alone) != strings.Count(rows, "\n")+1 {
		t.Errorf("%v, %v; want the rows of %q", alone, err, rows)
	}
	second, err := parts.NextPart()
	if err != nil {
		t.Fatal(err)
	}
	var said report.Unseen
	if err := json.NewDecoder(second).Decode(&said); err != nil || len(said.Gaps) < len(status.Gaps) || said.Roots != len(alone)-1 {
		t.Errorf("%+v, %v", said, err)
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("a third part: %v", err)
	}
}

// TestWhatIsSaidBehindRowsMovesNoCursorAndIsNoRow: gaps quote what strangers wrote.
func TestWhatIsSaidBehindRowsMovesNoCursorAndIsNoRow(t *testing.T) {
	const evil = "\x1b[2J\u202eweb\n=1+1\u200b"
	const told = `\x1b[2J\u202eweb\n=1+1\u200b`
	var out strings.Builder
	gap := query.Gap{Cluster: evil, What: evil, Why: evil, Consequence: evil}
	if err := beside(&out, nil, report.Unseen{Partial: evil, Gaps: []query.Gap{gap}}); err != nil {
		t.Fatal(err)
	}
	want := "# not whole: " + told + "\n# not seen: " + told + ": " + told + ": " + told + "; " + told + "\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
