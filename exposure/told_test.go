package exposure

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is told of the tests' clusters to testdata anew")

// told is all that the judge says, as people and the graph read it.
func told(r *Result) string {
	var b strings.Builder
	for _, route := range r.Routes {
		fmt.Fprintf(&b, "route to %s on %s, %s", route.Target(), portList(route.Ports()), route.Width)
		if len(route.Ranges) > 0 {
			b.WriteString(" " + prefixList(route.Ranges))
		}
		fmt.Fprintf(&b, " %q\n", route.Uncertain())
		for line := range strings.Lines(route.Explain()) {
			b.WriteString("  " + line)
		}
	}
	for _, h := range r.Hops() {
		fmt.Fprintf(&b, "hop %s → %s from %s: %v\n", h.From, h.To, h.Source, h.Evidence)
	}
	for _, e := range r.Entities {
		fmt.Fprintf(&b, "%s is exposed on %s, %s %q\n", e.Ref, portList(e.Ports), e.Width, e.Uncertain)
		for _, via := range e.Via {
			b.WriteString("  " + via + "\n")
		}
	}
	for _, c := range r.Closed {
		fmt.Fprintf(&b, "closed %s on %s: %s: %s %s\n", c.To, portList(c.Ports), c.Via, c.Policy.Name, c.Answer)
	}
	for _, g := range r.Gaps {
		fmt.Fprintf(&b, "gap %s: %s. %s\n", g.What, g.Why, g.Consequence)
	}
	return b.String()
}

// golden compares what was told in a test with its file in testdata.
func golden(t *testing.T, got string) {
	t.Helper()
	file := filepath.Join("testdata", t.Name()+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	section, then := "", strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if strings.HasPrefix(line, "# ") {
			section = line
		}
		if i >= len(then) || then[i] != line {
			was := "the end"
			if i < len(then) {
				was = then[i]
			}
			t.Fatalf("%s:%d, in %q:\ngot  %s\nwant %s\n(go test ./exposure -update writes it anew)", file, i+1, section, line, was)
		}
	}
	t.Fatalf("%s: less is told than there", file)
}
