package api

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestThePortalsRoutesAreTheApplications(t *testing.T) {
	app, err := os.ReadFile("../ui/src/App.tsx")
	if err != nil {
		t.Fatal(err)
	}
	routes := []string{""}
	for _, m := range regexp.MustCompile(`path="/([^"]+)"`).FindAllStringSubmatch(string(app), -1) {
		routes = append(routes, m[1])
	}
	want := slices.Clone(pages)
	slices.Sort(routes)
	slices.Sort(want)
	if !slices.Equal(routes, want) {
		t.Errorf("App.tsx has the routes %q, the server knows %q", routes, want)
	}
}

// Nothing but a page of the portal is answered with the portal and 200.
func TestWhatIsNoPageIsNotFound(t *testing.T) {
	s := serveNothing(t, Config{})
	const browser, program = "text/html,application/xhtml+xml,*/*;q=0.8", "*/*"
	for _, signedIn := range []bool{false, true} {
		if signedIn {
			s.signIn(t)
		}
		for _, c := range []struct {
			path, accept string
			status       int
			body         string
		}{
			{"/", program, 200, "portal"},
			{"/paths", browser, 200, "portal"},
			{"/registries/connect", program, 200, "portal"},
			{"/in/prod/paths", program, 200, "portal"},
			{"/in/prod/", program, 200, "portal"},
			{"/in/prod/nothing", program, 404, "no such page"},
			{"/nothing", browser, 404, "portal"},
			{"/nothing", program, 404, "no such page"},
			{"/metrics", program, 404, "no such page"},
			{"/.packages.json", program, 404, "no such page"}, // the build's own
			{"/registries/nothing", program, 404, "no such page"},
			{"/assets/old-1234.js", browser, 404, "no such page"},
			{"/api", browser, 404, "no such page"},
			{"/api/", browser, 404, "no such page"},
			{"/api/docs", browser, 404, "no such page"},
			{"/api/v2/paths", program, 404, "no such page"},
			{"/healthz", program, 200, `{"status":"ok"}`},
		} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", c.accept)
			resp, err := s.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			json := strings.Contains(resp.Header.Get("Content-Type"), "json")
			if resp.StatusCode != c.status || !strings.Contains(string(body), c.body) || json == (c.body == "portal") {
				t.Errorf("%s, signed in %v: %s %s %q, want %d %q", c.path, signedIn, resp.Status, resp.Header.Get("Content-Type"), body,
					c.status, c.body)
			}
		}
	}
}

// A probe asks by the address of a pod, a browser by a name.
func TestHealthIsToldUnderAnyNameAndFailsWithTheStore(t *testing.T) {
	s := serveNothing(t, Config{})
	ask := func() string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "192.0.2.1:7878"
		resp, err := s.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return told(t, resp)
	}
	if got := ask(); got != "200 OK" {
		t.Error(got)
	}
	s.store.Close()
	if got := ask(); got != "503 the store does not answer" {
		t.Error(got)
	}
}
