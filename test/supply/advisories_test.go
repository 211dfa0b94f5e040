package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reached says whether a host answers: a test that asks it is otherwise left out, by name.
func reached(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}}
	resp, err := c.Do(r)
	if err != nil {
		t.Skipf("%s is not reached from here: %v", url, err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= 400 {
		t.Skipf("%s is not reached from here: it answers %s", url, resp.Status)
	}
}

func TestNoVulnerableFunctionOfAModuleIsCalled(t *testing.T) {
	slow(t)
	reached(t, "https://vuln.go.dev/index/db.json")
	cmd := exec.Command("go", append([]string{"run", "golang.org/x/vuln/cmd/govulncheck@v1.1.4"}, commands...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("govulncheck: %v\n%s", err, out)
	}
}

func TestNoPackageOfThePortalHasAKnownVulnerability(t *testing.T) {
	slow(t)
	cmd := exec.Command("npm", "audit", "--omit=dev", "--json")
	cmd.Dir = filepath.Join(root, "ui")
	out, err := cmd.Output()
	var said struct {
		Message  string
		Metadata *struct{ Vulnerabilities map[string]int }
	}
	if json.Unmarshal(out, &said) != nil || said.Metadata == nil {
		t.Skipf("npm's advisories are not reached from here: %v: %s", err, strings.TrimSpace(said.Message))
	}
	if n := said.Metadata.Vulnerabilities["total"]; n > 0 {
		t.Errorf("npm audit: %d: %s", n, out)
	}
}
