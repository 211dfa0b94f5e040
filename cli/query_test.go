package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
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

// TestEveryFormOfAScanSaysWhatIsUnknown has a root file system without packages.
func TestEveryFormOfAScanSaysWhatIsUnknown(t *testing.T) {
	for _, form := range []string{"table", "json", "jsonl", "sarif", "cyclonedx"} {
		out, beside, code := command(t, "scan", "image", "rootfs:"+t.TempDir(), "--data", t.TempDir(), "-o", form)
		said := out
		if form == "table" {
			said += beside
		}
		if code != 0 || !strings.Contains(said, "there is no package database in the image") {
			t.Errorf("%s: exit code %d, %s", form, code, said)
		}
		if where := map[string]string{"sarif": "toolExecutionNotifications", "cyclonedx": `"incomplete"`}[form]; !strings.Contains(said, where) {
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
