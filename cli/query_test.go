package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
	"github.com/breakwater-sec/breakwater/report/scan"
)

// TestEveryFormOfAnAnswerSaysWhatCouldNotBeSeen: rows alone would look whole.
func TestEveryFormOfAnAnswerSaysWhatCouldNotBeSeen(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: a}]}\n",
		"b.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: b\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ command, forms string }{
		{"query|MATCH (p:Pod) RETURN p.name", "table json jsonl csv"}, {"paths", "table json jsonl"}, {"exposure", "table json jsonl"},
		{"recommendations", "table json jsonl"}, {"graph", "table json jsonl"},
	} {
		for form := range strings.FieldsSeq(c.forms) {
			out, beside, code := command(t, append(strings.Split(c.command, "|"), "--from", dir, "-o", form)...)
			said := beside
			if form == "json" || c.command == "graph" && form == "jsonl" {
				said = out
			}
			if code != 0 || strings.Count(said, "b.yaml") == 0 {
				t.Errorf("%s as %s: exit code %d, rows %q, beside them %q", c.command, form, code, out, beside)
			}
		}
	}
}

func TestTheMostRowsCountInEveryForm(t *testing.T) {
	const ask = "MATCH (n:Namespace) RETURN n.name"
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := "{apiVersion: v1, kind: Namespace, metadata: {name: a}}\n---\n{apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"table", "json", "jsonl", "csv"} {
		for limit, want := range map[string]int{"0": 2, "1": 1, "9": 2} {
			out, _, code := command(t, "query", "--from", file, ask, "-o", form, "--limit", limit)
			if got := len(regexp.MustCompile(`(?m)^\W*("n.name": ?"|")?[ab]("|\s|$)`).FindAllString(out, -1)); code != 0 || got != want {
				t.Errorf("%s of at most %s: %d rows, want %d:\n%s", form, limit, got, want, out)
			}
		}
		if _, said, code := command(t, "query", "--from", file, ask, "-o", form, "--limit", "-1"); code != exitCannot {
			t.Errorf("%s of at most -1: %s", form, said)
		}
	}
}

func TestAWordThatIsNoCommandIsRefused(t *testing.T) {
	for _, words := range []string{"scam", "scan images", "db imports x", "rules check", "registry -x", "connect audits"} {
		if out, said, code := command(t, strings.Fields(words)...); code != exitCannot || said == "" {
			t.Errorf("%s: exit code %d: %s%s", words, code, out, said)
		}
	}
	for _, words := range []string{"scan", "scan --help", "help scan", "db -h"} {
		if out, said, code := command(t, strings.Fields(words)...); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%s: exit code %d: %s%s", words, code, out, said)
		}
	}
}

// TestEveryFormOfAScanSaysWhatIsUnknown has a root file system without packages.
func TestEveryFormOfAScanSaysWhatIsUnknown(t *testing.T) {
	for _, form := range append([]string{"table", "json", "jsonl"}, scan.Formats()...) {
		out, beside, code := command(t, "scan", "image", "rootfs:"+t.TempDir(), "--data", t.TempDir(), "-o", form)
		said := out
		if form == "table" {
			said += beside
		}
		if !strings.Contains(beside, "--fail-on-unknown") {
			t.Errorf("%s: no warning that 0 says little: %s", form, beside)
		}
		if code != 0 || !strings.Contains(said, "there is no package database in the image") {
			t.Errorf("%s: exit code %d, %s", form, code, said)
		}
		if where := map[string]string{"sarif": "toolExecutionNotifications", "cyclonedx": `"incomplete"`, "spdx": "NOASSERTION",
			"junit": "<error", "gitlab": `"fatal"`}[form]; !strings.Contains(said, where) {
			t.Errorf("%s says it where no program looks: %s", form, said)
		}
	}
}

func TestGapsOfOneReasonAreToldOnce(t *testing.T) {
	unread := func(what string) collect.Gap {
		return collect.Gap{Cluster: "prod", Source: "image", What: what, Why: "nobody looked into it",
			Consequence: "Vulnerabilities are unknown."}
	}
	twice := collect.Gap{Source: "judge", What: "policies", Why: "of another kind", Count: 2}
	var out strings.Builder
	printGaps(&out, []collect.Gap{unread("image a"), twice, unread("image b"), unread("image c"), unread("image c"), unread("image d"),
		unread("image e")})
	want := `
Not seen (6):
  prod: image a, image b, image c (2 times) and 2 more: nobody looked into it
    → Vulnerabilities are unknown.
  policies (2 times): of another kind
`
	if out.String() != want {
		t.Errorf("%s\nwant%s", out.String(), want)
	}
	out.Reset()
	if printGaps(&out, nil); out.Len() > 0 {
		t.Errorf("nothing is unseen, and it says %q", out.String())
	}
}
