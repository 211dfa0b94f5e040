package cli

import (
	"bytes"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/datadir"
	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/examples/harbor-shop/advisories"
	"github.com/breakwater-sec/breakwater/terminal"
	"github.com/breakwater-sec/breakwater/test/golden"
	"github.com/breakwater-sec/breakwater/vuln"
)

// moments are all that differs from run to run.
var moments = regexp.MustCompile(`"(since|scannedAt|timestamp)": ?"[^"]*"`)

// command runs the command line in this process.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	home(t)
	var out, err bytes.Buffer
	code = run(args, streams{&out, &err})
	return out.String(), err.String(), code
}

// estate serves the sample's images and imports what it needs to know of them.
func estate(t *testing.T) (mirror, data string) {
	t.Helper()
	e, err := harborshop.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	data = t.TempDir()
	if _, err := vuln.Import(t.Context(), datadir.Dir(data).Advisories(), []vuln.Source{{Name: "sample", FS: advisories.FS}},
		nil); err != nil {
		t.Fatal(err)
	}
	return "--registry-mirror=" + harborshop.Host + "=" + e.Registry, data
}

func TestOutputsAreAsPromised(t *testing.T) {
	mirror, data := estate(t)
	from := []string{"--from", "prod=testdata/shop", "--data", data, "--images", mirror}
	ask := "MATCH (p:Pod) MATCH (p)-[:RUNS]->(c:Container) WHERE c.privileged RETURN p, c.name, c.image"
	web := harborshop.Host + "/shop/web:1.4.2"
	tests := []struct {
		file string
		args []string
	}{
		{"graph.json", append([]string{"graph", "-o", "json"}, from...)},
		{"graph.txt", append([]string{"graph"}, from...)},
		{"query.json", append([]string{"query", ask, "-o", "json"}, from...)},
		{"query.txt", append([]string{"query", ask}, from...)},
		{"query.csv", append([]string{"query", ask, "-o", "csv"}, from...)},
		{"exposure.json", append([]string{"exposure", "-o", "json"}, from[:4]...)},
		{"exposure.txt", append([]string{"exposure"}, from[:4]...)},
		{"paths.json", append([]string{"paths", "-o", "json"}, from...)},
		{"paths.txt", append([]string{"paths"}, from...)},
		{"recommendations.json", append([]string{"recommendations", "-o", "json"}, from...)},
		{"recommendations.txt", append([]string{"recommendations", "--about", "running"}, from...)},
		{"scan.json", []string{"scan", "image", web, "-o", "json", "--data", data, mirror}},
		{"scan.txt", []string{"scan", "image", web, "--data", data, mirror}},
		{"scan.sarif", []string{"scan", "image", web, "-o", "sarif", "--data", data, mirror}},
		{"diff-image.txt", []string{"diff", "image", web, harborshop.Host + "/shop/web:1.5.0", "--data", data, mirror}},
		{"diff-image.md", []string{"diff", "image", harborshop.Host + "/shop/web:1.5.0", web, "-o", "markdown", "--data", data, mirror}},
		{"rules.txt", []string{"rules", "list"}},
		{"detect.jsonl", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--cluster", "prod"}},
		{"detect.txt", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--cluster", "prod", "-o", "table"}},
		{"detect.json", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--cluster", "prod", "-o", "json"}},
		{"detect.json", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--cluster", "prod", "-o", "JSON"}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			out, errOut, code := command(t, test.args...)
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			golden.Compare(t, filepath.Join("testdata", "golden", test.file), moments.ReplaceAllString(out, `"$1": "…"`))
		})
	}
}

func TestExitCodesTellFindingsFromFailure(t *testing.T) {
	mirror, data := estate(t)
	web := harborshop.Host + "/shop/web:1.4.2"
	closed := httptest.NewServer(nil)
	closed.Close()
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"fine", []string{"scan", "image", web, "--data", data, mirror, "--fail-on", "Critical"}, 0, ""},
		{"findings", []string{"scan", "image", web, "--data", data, mirror, "--fail-on", "High"}, 1, "findings"},
		{"findings of paths", []string{"paths", "--from", "testdata/shop", "--data", data, "--images", mirror, "--fail-on", "high"},
			1, "findings"},
		{"a reference that is none", []string{"scan", "image", "A B"}, 2, "is no reference of an image"},
		{"a registry that is not there", []string{"scan", "image", strings.TrimPrefix(closed.URL, "http://") + "/a:1", "--data", data}, 2,
			"refused"},
		{"a question with a typing error", []string{"query", "MATCH (p:Pood) RETURN p", "--from", "testdata/shop"}, 2, "Pod"},
		{"findings of recommendations", []string{"recommendations", "--from", "testdata/shop", "--data", data, "--images", mirror,
			"--fail-on", "High"}, 1, "findings"},
		{"a folder that is not there", []string{"paths", "--from", "no/such"}, 2, "no such file"},
		{"a context that is not there", []string{"paths", "--from", "context:no-such"}, 2, "no-such"},
		{"no server", []string{"paths", "--data", data}, 2, "no server is running"},
		{"nothing to serve", []string{"serve", "--data", data}, 2, "--sample"},
		{"beyond loopback without TLS", []string{"serve", "--sample", "--data", data, "--listen", "0.0.0.0:0"}, 2, "--tls-cert"},
		{"alerts", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--fail-on", "high"}, 1, "findings"},
		{"no alert that severe", []string{"detect", "--audit", "testdata/audit/day.jsonl", "--fail-on", "critical"}, 0,
			"testdata/audit/day.jsonl:2: ends in the middle"},
		{"a file that is no audit log", []string{"detect", "--audit", "testdata/shop/shop.yaml"}, 2, "holds no audit events"},
		{"no audit log", []string{"detect"}, 2, "want --audit FILE"},
		{"an audit log that is not there", []string{"detect", "--audit", "no-such"}, 2, "no such file"},
		{"an unknown format", []string{"paths", "-o", "xml"}, 2, "want one of table, json, jsonl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, errOut, code := command(t, test.args...)
			if code != test.code || !strings.Contains(errOut, test.says) {
				t.Errorf("exit code %d, want %d; says %q, want %q", code, test.code, errOut, test.says)
			}
		})
	}
}

func TestANameFromOutsideCannotMoveTheCursor(t *testing.T) {
	if got := terminal.Plain("a\x1b[2J\nb\u202e"); strings.ContainsAny(got, "\x1b\n") {
		t.Errorf("%q", got)
	}
}
