// Summary reads what go test -json writes and prints what a person wants to see:
// a line per package, the output of what failed, every skipped test with its
// reason, and the counts at the end. It fails if a test did.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is a line of test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type summary struct {
	output                  map[string][]string // of tests and packages that have not ended
	skips                   []string
	passed, failed, skipped int
}

func main() {
	s := &summary{output: map[string][]string{}}
	if err := s.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(2)
	}
	for _, skip := range s.skips {
		fmt.Println("skipped", skip)
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
	if s.failed > 0 {
		os.Exit(1)
	}
}

func (s *summary) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // of the build, not of a test
			continue
		}
		s.note(e, out)
	}
	return lines.Err()
}

func (s *summary) note(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		s.output[key] = append(s.output[key], e.Output)
	case "skip":
		if e.Test != "" {
			s.skipped++
			s.skips = append(s.skips, e.Package+" "+e.Test+": "+reason(s.output[key]))
		}
	case "fail", "build-fail":
		s.failed++
		fmt.Fprintf(out, "FAIL %s\n%s", key, strings.Join(s.output[key], ""))
	case "pass":
		if e.Test != "" {
			s.passed++
		} else {
			fmt.Fprintf(out, "ok   %s (%.1f s)\n", e.Package, e.Elapsed)
		}
	}
	if e.Action == "pass" || e.Action == "skip" || e.Action == "fail" {
		delete(s.output, key)
	}
}

// reason is what t.Skip said.
func reason(output []string) string {
	for _, line := range output {
		if _, said, ok := strings.Cut(line, ".go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			return strings.TrimSpace(said)
		}
	}
	return "no reason given"
}
