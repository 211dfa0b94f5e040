package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// exemptions are the mutants that are no faults: the program does the same with
// them. Each has its reason.
type exemptions struct {
	lines []exemption
}

type exemption struct {
	file, text, change, reason string
	used                       bool
}

// readExempt reads lines of four fields, with tabs between: file, the line of the
// code, the change as it is printed, why it makes no difference.
func readExempt(name string) (*exemptions, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	e := &exemptions{}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 4 || slices.Contains(f, "") {
			return nil, fmt.Errorf("%s:%d: want file, line, change and reason, with tabs between", name, n)
		}
		e.lines = append(e.lines, exemption{file: f[0], text: f[1], change: f[2], reason: f[3]})
	}
	return e, nil
}

func (e *exemptions) has(m *mutant) bool {
	found := false
	for i, x := range e.lines {
		if x.file == m.file && x.text == m.text && x.change == m.change() {
			e.lines[i].used, found = true, true
		}
	}
	return found
}

// stale are the lines of these targets that no mutant fits any more.
func (e *exemptions) stale(targets []target) (out []string) {
	for _, x := range e.lines {
		if !x.used && slices.ContainsFunc(targets, func(t target) bool { return t.has(x.file) }) {
			out = append(out, x.file+": "+x.text+": "+x.change)
		}
	}
	return out
}
