package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/exception"
	"github.com/breakwater-sec/breakwater/graph"
	"github.com/breakwater-sec/breakwater/report/scan"
)

// written are exceptions of the sample: one of a file's place, one that names the source package, one that ended, two that fit
// nothing: an image is in another repository than is accepted.
const written = `exceptions:
  - {vulnerability: CVE-2022-3602, path: /usr/bin/openssl, reason: only a tool, author: alice, expires: 9999-12-31}
  - {vulnerability: CVE-2022-3786, package: openssl, reason: our own certificates, author: alice, expires: 9999-12-31}
  - {package: bash, repository: ` + harborshop.Host + `/shop/*, reason: no shell, author: bob, expires: 2020-01-31}
  - {repository: ` + harborshop.Host + `/none/*, reason: a drill, author: bob, expires: 9999-12-31}
  - {path: /no/such/**, reason: a drill, author: bob, expires: 9999-12-31}
`

// exceptionsOfTheSample are those, as a server holds them whose file cannot be read any more.
func exceptionsOfTheSample(t *testing.T) func(context.Context) (*exception.Set, error) {
	set, err := exception.Read("exceptions.yaml", strings.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	return func(context.Context) (*exception.Set, error) { return set, fmt.Errorf("exceptions.yaml: gone") }
}

// exceptions are marked on every page that shows what they are of, and take nothing away.
func (s *served) acceptedOnes(t *testing.T) {
	var l ImageList
	s.get(t, "/images?q=shop/web:1.4.2", &l)
	if len(l.Items) != 1 {
		t.Fatalf("%d images", len(l.Items))
	}
	id := l.Items[0].Id
	marks := func(findings []Finding) string {
		out := map[string]string{}
		for _, f := range findings {
			if f.Image.Id != id {
				continue
			}
			if f.Exception != nil {
				out[f.Vulnerability.Id+" "+f.Package] = fmt.Sprintf("%s %v %s", f.Exception.Reason, f.Exception.Expired, f.Exception.Where)
			} else {
				out[f.Vulnerability.Id+" "+f.Package] = "-"
			}
		}
		return fmt.Sprint(out)
	}
	var page ImagePage
	s.get(t, "/image?id="+id, &page)
	want := fmt.Sprint(map[string]string{"CVE-2022-3602 libssl3": "-", "CVE-2022-3602 openssl": "only a tool false exceptions.yaml:2",
		"CVE-2022-3786 libssl3": "our own certificates false exceptions.yaml:3",
		"CVE-2022-3786 openssl": "our own certificates false exceptions.yaml:3",
		"CVE-2022-3715 bash":    "no shell true exceptions.yaml:4"})
	if got := marks(page.Findings); got != want {
		t.Errorf("on the image's page\n%s, want\n%s", got, want)
	}
	var cve VulnerabilityPage
	s.get(t, "/vulnerability?id=CVE-2022-3602", &cve)
	if got := marks(cve.Findings); got != "map[CVE-2022-3602 libssl3:- CVE-2022-3602 openssl:only a tool false exceptions.yaml:2]" {
		t.Errorf("on the page of the vulnerability %s", got)
	}
	for _, format := range scan.Formats() {
		text := s.file(t, "/report/image?format="+format+"&id="+id, scan.MediaType(format))
		if !strings.Contains(text, "our own certificates") || !strings.Contains(text, "no longer counts: no shell") {
			t.Errorf("%s says nothing of what is accepted", format)
		}
	}
	var paths PathList
	s.get(t, "/paths?vulnerability=CVE-2022-3602", &paths)
	if len(paths.Items) == 0 {
		t.Fatal("an accepted vulnerability opens no path any more")
	}
	told := 0
	for _, p := range paths.Items {
		var one PathPage
		s.get(t, "/path?cluster="+p.Cluster+"&id="+p.Id, &one)
		for _, a := range deref(one.Accepted) {
			if a.Package == "openssl" && a.Id == "CVE-2022-3602" && a.Exception.Author == "alice" {
				told++
			}
		}
	}
	if told == 0 {
		t.Error("no path says what of it is accepted")
	}
}

// exceptionCounts lists what is accepted, and tries another file.
func (s *served) exceptionCounts(t *testing.T) {
	var list ExceptionList
	s.get(t, "/exceptions", &list)
	var got []string
	for _, e := range list.Items {
		got = append(got, fmt.Sprint(e.Where, " ", e.Findings > 0, " ", e.Images > 0, " ", e.Expired))
	}
	if said := strings.Join(got, ", "); deref(list.Error) != "exceptions.yaml: gone" || said != "exceptions.yaml:2 true true false, "+
		"exceptions.yaml:3 true true false, exceptions.yaml:4 true true true, exceptions.yaml:5 false false false, "+
		"exceptions.yaml:6 false false false" {
		t.Errorf("%v: %s", deref(list.Error), said)
	}
	try := func(text string, want int, into any) {
		t.Helper()
		resp := s.send(t, "POST", "/exceptions/trial", map[string]string{"text": text}, nil)
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", text, resp.Status, want)
		} else if want == http.StatusOK {
			if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
				t.Error(err)
			}
		}
	}
	var tried ExceptionList
	try("exceptions:\n  - {unfixed: true, reason: r, author: a, expires: 9999-12-31}\n"+
		"  - {vulnerability: CVE-2022-3602, reason: r, author: a, expires: 9999-12-31}\n", http.StatusOK, &tried)
	if len(tried.Items) != 2 || tried.Items[1].Findings < 2 || tried.Error != nil {
		t.Errorf("%+v", tried)
	}
	try("exceptions:\n  - {reason: r}", http.StatusBadRequest, nil)
	var again ExceptionList
	if s.get(t, "/exceptions", &again); len(again.Items) != len(list.Items) {
		t.Error("what was only tried holds")
	}
}

func TestExceptionsAreForWhoSeesEverything(t *testing.T) {
	s := serveNothing(t, Config{Exceptions: exceptionsOfTheSample(t)})
	s.signInAs(t, graph.Everything)
	if status, body := s.text(t, "/api/v1/exceptions"); status != http.StatusOK || !strings.Contains(body, "only a tool") {
		t.Errorf("%d %s", status, body)
	}
	if _, body := s.text(t, "/api/v1/coverage"); !strings.Contains(body, "exceptions.yaml: gone") {
		t.Errorf("coverage does not tell that the file cannot be read: %s", body)
	}
	some := s.as(t, graph.Scope{Segments: map[string][]string{"prod": nil}})
	if status, body := some.text(t, "/api/v1/exceptions"); status != http.StatusForbidden || strings.Contains(body, "only a tool") {
		t.Errorf("%d %s", status, body)
	}
	if resp := some.send(t, "POST", "/exceptions/trial", map[string]string{"text": written}, nil); resp.StatusCode != http.StatusForbidden {
		t.Errorf("trial: %s", resp.Status)
	}
	if _, body := some.text(t, "/api/v1/coverage"); strings.Contains(body, "exceptions.yaml") {
		t.Error("who sees a part is told of the file")
	}
}

// TestExceptionsAreMadeTriedAndEndedByWhoSeesEverything in the portal; who did it is recorded.
func TestExceptionsAreMadeTriedAndEndedByWhoSeesEverything(t *testing.T) {
	var s *served
	s = serveNothing(t, Config{Exceptions: func(ctx context.Context) (*exception.Set, error) {
		kept, err := s.store.Exceptions(ctx)
		if err != nil {
			return nil, err
		}
		var all []*exception.Exception
		for _, k := range kept {
			var e exception.Exception
			if err := json.Unmarshal([]byte(k.Body), &e); err != nil {
				return nil, err
			}
			one, err := exception.New(e, exception.Portal(k.ID))
			if err != nil {
				return nil, err
			}
			if k.EndedAt.IsZero() {
				all = append(all, one)
			}
		}
		return exception.SetOf(all...), nil
	}})
	s.signInAs(t, graph.Everything)
	ask := func(who *served, method, path string, body any, want int, says string) string {
		t.Helper()
		resp := who.send(t, method, path, body, nil)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want || !strings.Contains(string(b), says) {
			t.Errorf("%s %s: %s %s, %v; want %d, %s", method, path, resp.Status, b, err, want, says)
		}
		return string(b)
	}
	one := map[string]any{"vulnerability": []string{"CVE-2026-1"}, "reason": " not reached ", "expires": "9999-12-31"}
	for says, body := range map[string]map[string]any{
		"an exception: want at least one of": {"reason": "r", "expires": "9999-12-31"},
		"vulnerability: ":                    {"vulnerability": []string{"*"}, "reason": "r", "expires": "9999-12-31"},
		"reason: want a reason":              {"package": []string{"a"}, "reason": " ", "expires": "9999-12-31"},
		"expires: ":                          {"package": []string{"a"}, "reason": "r", "expires": "never"},
		"2020-01-31 is over":                 {"package": []string{"a"}, "reason": "r", "expires": "2020-01-31"},
	} {
		ask(s, "POST", "/exceptions", body, http.StatusBadRequest, says)
	}
	ask(s, "POST", "/exceptions/trial", map[string]any{"exception": one}, http.StatusOK, `"findings":[]`)
	ask(s, "POST", "/exceptions/trial", map[string]any{"exception": one, "text": written}, http.StatusBadRequest, "not both")
	ask(s, "POST", "/exceptions/trial", map[string]any{}, http.StatusBadRequest, "not both")
	var list ExceptionList
	if s.get(t, "/exceptions", &list); len(list.Items) != 0 {
		t.Errorf("what was tried or refused is kept: %+v", list.Items)
	}
	var made ExceptionRow
	if err := json.Unmarshal([]byte(ask(s, "POST", "/exceptions", one, http.StatusCreated, "")), &made); err != nil {
		t.Fatal(err)
	}
	if made.Author != "alice" || made.Reason != "not reached" || deref(made.Id) == "" || made.CreatedAt == nil {
		t.Errorf("%+v", made)
	}
	some := s.as(t, graph.Scope{Segments: map[string][]string{"prod": nil}})
	ask(some, "GET", "/exceptions", nil, http.StatusForbidden, "only who sees everything")
	ask(some, "POST", "/exceptions", one, http.StatusForbidden, "only who sees everything")
	ask(some, "POST", "/exceptions/trial", map[string]any{"exception": one}, http.StatusForbidden, "only who sees everything")
	ask(some, "DELETE", "/exceptions/"+*made.Id, nil, http.StatusForbidden, "only who sees everything")
	if s.get(t, "/exceptions", &list); len(list.Items) != 1 || deref(list.Items[0].Id) != *made.Id || list.Items[0].EndedAt != nil {
		t.Errorf("%+v", list.Items)
	}
	ask(s, "DELETE", "/exceptions/none", nil, http.StatusNotFound, "that was made here")
	ask(s, "DELETE", "/exceptions/"+*made.Id, nil, http.StatusNoContent, "")
	ask(s, "DELETE", "/exceptions/"+*made.Id, nil, http.StatusNotFound, "nobody ended")
	if s.get(t, "/exceptions", &list); len(list.Items) != 1 || list.Items[0].EndedAt == nil || deref(list.Items[0].EndedBy) != "alice" {
		t.Errorf("what was ended is not told any more: %+v", list.Items)
	}
	_, recorded := s.text(t, "/api/v1/activity")
	for _, says := range []string{`"action":"accept vulnerabilities"`, `"action":"end an exception"`, "CVE-2026-1", "not reached", *made.Id,
		"refused: bad request", "refused: forbidden"} {
		if !strings.Contains(recorded, says) {
			t.Errorf("the record does not say %s: %s", says, recorded)
		}
	}
	if strings.Contains(recorded, "trial") {
		t.Errorf("what was only tried is recorded: %s", recorded)
	}
}
