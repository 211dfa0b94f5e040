package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

func (s *served) text(t *testing.T, path string) (status int, body string) {
	t.Helper()
	resp, err := s.client.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// Rows of all clusters are counted, so what is stored is told to who sees all of them.
func TestWhatIsStoredIsForWhoSeesEverything(t *testing.T) {
	why := "the disk is almost full"
	s := serveNothing(t, Config{
		Storage: func(context.Context) (Storage, error) {
			return Storage{Place: "here", Tables: []StoredTable{{Table: "alerts", Rows: 7}}, Files: []StoredFiles{}}, nil
		},
		Room: func() string { return why }})
	s.signInAs(t, graph.Everything)
	if status, body := s.text(t, "/api/v1/storage"); status != http.StatusOK || !strings.Contains(body, `"rows":7`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := s.text(t, "/api/v1/status"); status != http.StatusOK || !strings.Contains(body, `"noRoom":"the disk is almost full"`) {
		t.Errorf("%d %s", status, body)
	}
	some := s.as(t, graph.Scope{Segments: map[string][]string{"prod": nil}})
	if status, body := some.text(t, "/api/v1/storage"); status != http.StatusForbidden || strings.Contains(body, "alerts") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := some.text(t, "/api/v1/status"); status != http.StatusOK || !strings.Contains(body, why) {
		t.Errorf("that there is no room is for everybody: %d %s", status, body)
	}
	why = ""
	if _, body := s.text(t, "/api/v1/status"); strings.Contains(body, "noRoom") {
		t.Error(body)
	}
}

func TestReadyIsAnsweredWithReasonsAndWithoutASession(t *testing.T) {
	reasons := []string{"the first picture is not computed yet"}
	s := serveNothing(t, Config{Unready: func() []string { return reasons }})
	s.client = http.DefaultClient
	if status, body := s.text(t, "/readyz"); status != http.StatusServiceUnavailable ||
		body != `{"status":"not ready","reasons":["the first picture is not computed yet"]}`+"\n" {
		t.Errorf("%d %s", status, body)
	}
	reasons = nil
	if status, body := s.text(t, "/readyz"); status != http.StatusOK || body != `{"status":"ready"}`+"\n" {
		t.Errorf("%d %s", status, body)
	}
}
