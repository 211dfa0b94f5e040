package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	harborshop "github.com/breakwater-sec/breakwater/examples/harbor-shop"
	"github.com/breakwater-sec/breakwater/report/scan"
)

// accepted is a file of exceptions of the sample's web image, of which one ended and one fits nothing.
const accepted = `exceptions:
  - vulnerability: [CVE-2022-3602, CVE-2022-3786]
    repository: ` + harborshop.Host + `/shop/*
    reason: only our own certificates are read
    author: alice
    expires: 9999-12-31
  - {vulnerability: CVE-2022-3715, reason: nobody has a shell there, author: bob, expires: 2020-01-31}
  - {package: no-such-package, reason: a drill, author: bob, expires: 9999-12-31}
`

func TestWhatIsAcceptedIsShownAndDoesNotCount(t *testing.T) {
	mirror, data := estate(t)
	file := filepath.Join(t.TempDir(), "exceptions.yaml")
	if err := os.WriteFile(file, []byte(accepted), 0o600); err != nil {
		t.Fatal(err)
	}
	look := func(more ...string) (string, string, int) {
		return command(t, append([]string{"scan", "image", harborshop.Host + "/shop/web:1.4.2", "--data", data, mirror}, more...)...)
	}
	out, said, code := look("--exceptions", file, "--fail-on", "High")
	for _, want := range []string{"accepted until 9999-12-31: only our own", "exception ended with 2020-01-31",
		"1 medium in what was read; accepted: 2 high"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != 0 {
		t.Errorf("exit code %d: what is accepted counts: %s", code, said)
	}
	for _, want := range []string{"exceptions.yaml:7 ended with 2020-01-31: what it excepted counts again (1 finding)",
		"exceptions.yaml:8 fits nothing that was found"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if _, said, code := look("--exceptions", file, "--fail-on", "Medium"); code != exitFindings {
		t.Errorf("exit code %d: what ended does not count: %s", code, said)
	}
	for _, form := range append([]string{"json", "jsonl"}, scan.Formats()...) {
		out, _, _ := look("--exceptions", file, "-o", form)
		for _, want := range []string{"only our own certificates are read", "nobody has a shell there", "alice", "9999-12-31", "CVE-2022-3602"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s has no %q", form, want)
			}
		}
		where := map[string]string{"sarif": `"suppressions"`, "cyclonedx": `"will_not_fix"`, "junit": "<skipped message=\"Accepted"}
		if !strings.Contains(out, where[form]) {
			t.Errorf("%s does not say it where a program looks", form)
		}
	}
	out, _, code = look("--exceptions", file, "--dry-run", "--fail-on", "High")
	if code != exitFindings || !strings.Contains(out, "Would be excepted: 4") || !strings.Contains(out, "CVE-2022-3786") ||
		strings.Contains(out, "CVE-2022-3715") {
		t.Errorf("dry run: exit code %d\n%s", code, out)
	}
	for args, want := range map[string]string{"--dry-run": "needs --exceptions", "--exceptions no-such.yaml": "no such file",
		"--known --exceptions " + file: "serve --exceptions"} {
		if _, said, code := look(strings.Fields(args)...); code != exitCannot || !strings.Contains(said, want) {
			t.Errorf("%s: exit code %d, %s", args, code, said)
		}
	}
}

func TestAServersExceptionsSayHowTheyStand(t *testing.T) {
	list := exceptionList{Error: "e.yaml:1: want a list", Items: []exceptionRow{
		{Where: "e.yaml:2", Until: "9999-12-31", Findings: 3, Images: 2, Vulnerability: []string{"CVE-1", "CVE-2"}, Package: []string{"a"}},
		{Where: "e.yaml:3", Until: "2020-01-31", Expired: true, Findings: 1, Image: []string{"r/a:1"}},
		{Where: "e.yaml:4", Until: "2020-01-31", Expired: true, Unfixed: true},
		{Where: "e.yaml:5", Until: "9999-12-31", Path: []string{"/a/**"}},
	}}
	var out, said strings.Builder
	if err := list.print(streams{&out, &said}, "table"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for i, want := range []string{"WHERE", "holds   CVE-1 or CVE-2, a", "ended: counts again   r/a:1", "ended   unfixed",
		"fits nothing   /a/**"} {
		for _, part := range strings.Split(want, "   ") {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%q, want %q", lines[i], part)
			}
		}
	}
	if !strings.Contains(said.String(), "counts as it was: e.yaml:1: want a list") {
		t.Error(said.String())
	}
	_, denied, code := command(t, "exceptions", "--data", t.TempDir())
	if code != exitCannot || !strings.Contains(denied, "no server is running") {
		t.Errorf("without a server: %d %s", code, denied)
	}
}
