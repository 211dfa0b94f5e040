package query

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every example of the documentation is a query that checks, and each error it
// shows is the one that is given.
func TestTheExamplesOfTheDocumentationHold(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "docs", "query-language.md"))
	if err != nil {
		t.Fatal(err)
	}
	queries, trees := 0, 0
	for i, block := range strings.Split(string(b), "```") {
		lang, body, _ := strings.Cut(block, "\n")
		switch {
		case i%2 == 0:
		case lang == "json":
			trees++
			q, err := Decode([]byte(body))
			if err != nil {
				t.Error(err)
			} else if problems := Check(Schema(), q); len(problems) > 0 {
				t.Error(problems)
			}
		case strings.HasPrefix(body, "MATCH"):
			for _, text := range exampleQueries(body) {
				queries++
				if _, problems := Compile(Schema(), text); len(problems) > 0 {
					t.Errorf("%s\n%s", problems[0].Error(), text)
				}
			}
		}
	}
	if queries < 5 || trees < 1 {
		t.Errorf("only %d queries and %d trees were found", queries, trees)
	}
	for _, text := range []string{"MATCH (p:Pod)-[:HAS_PACKAGE]->(k:Package)", "MATCH (i:Image)\nMATCH (i)-[:HAS_VULNERABILTY]->(v)"} {
		_, problems := Compile(Schema(), text)
		if len(problems) == 0 || !strings.Contains(string(b), problems[0].Error()) {
			t.Errorf("the documentation does not show %v", problems)
		}
	}
}

// exampleQueries splits a block: a query of one line ends in RETURN.
func exampleQueries(body string) []string {
	var out []string
	text := ""
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		if text += line + "\n"; strings.Contains(line, "RETURN") {
			out, text = append(out, text), ""
		}
	}
	return out
}
