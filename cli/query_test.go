package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	for _, form := range []string{"table", "json", "jsonl", "csv"} {
		out, beside, code := command(t, "query", "MATCH (p:Pod) RETURN p.name", "--from", dir, "-o", form)
		said := beside
		if form == "json" {
			said = out
		}
		if code != 0 || !strings.Contains(out, "a") || !strings.Contains(said, "b.yaml") {
			t.Errorf("%s: exit code %d, rows %q, beside them %q", form, code, out, beside)
		}
	}
}
