package query

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/graph"
)

// TestACellIsNoFormulaAndMovesNoCursor: names are written by strangers, and a file of them is opened with spreadsheets and read at
// terminals.
func TestACellIsNoFormulaAndMovesNoCursor(t *testing.T) {
	for name, want := range map[string]string{
		"web":               "web",
		"=cmd|' /C calc'!A": "'=cmd|' /C calc'!A",
		"+1":                "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		" =1+1": "' =1+1", "\t=1": `\t=1`, "\r=1": `\r=1`, "＝1": "'＝1", `"=1`: `'"=1`,
		"a=1":             "a=1",
		"\x1b[2Jweb":      `\x1b[2Jweb`,
		"web\u202egnp\n=": `web\u202egnp\n=`,
	} {
		if got := harmless(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	var out strings.Builder
	view := givenView(t, "Pod p name==cmd\n")
	if _, err := WriteCSV(t.Context(), &out, view, graph.Everything, mustCompile(t, "MATCH (p:Pod) RETURN p.name"), Options{}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "'=cmd" {
		t.Errorf("%q, %v", rows, err)
	}
}
