// Package docs holds documents to what they promise: the commands of
// CONTRIBUTING.md work, and links between documents lead somewhere.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

var span = regexp.MustCompile("`([^`]+)`")

// commands are the code spans of a document that start with one of the words.
func commands(t *testing.T, file string, words ...string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range span.FindAllStringSubmatch(string(text), -1) {
		line := strings.Join(strings.Fields(m[1]), " ")
		if word, _, _ := strings.Cut(line, " "); slices.Contains(words, word) && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestTheCommandsOfContributingWork(t *testing.T) {
	found := commands(t, "CONTRIBUTING.md", "go", "make")
	if len(found) < 10 {
		t.Fatalf("only %d commands were found: %q", len(found), found)
	}
	for _, line := range found {
		t.Run(line, func(t *testing.T) {
			words := strings.Fields(line)
			switch strings.Join(words[:2], " ") {
			case "go run":
				if out := run(t, words[0], words[1:]...); !strings.Contains(out, " 0 failed") || regexp.MustCompile(`(?m)^0 rules`).MatchString(out) {
					t.Errorf("it tests nothing:\n%s", out)
				}
			case "go test":
				for _, dir := range words[2:] {
					if strings.HasPrefix(dir, "./") &&
						strings.Count(run(t, "go", "list", "-f", "{{.TestGoFiles}}{{.XTestGoFiles}}", dir), "_test.go") == 0 {
						t.Errorf("%s has no tests", dir)
					}
				}
			case "go generate":
				if out := run(t, "go", append([]string{"generate", "-n"}, words[2:]...)...); strings.TrimSpace(out) == "" {
					t.Error("it generates nothing")
				}
			default: // make
				run(t, "make", append([]string{"-n"}, words[1:]...)...)
			}
		})
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	files := strings.Fields(run(t, "git", "ls-files", "*.md"))
	if len(files) == 0 {
		t.Fatal("no documents")
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(file), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s leads to %s, which is not there", file, m[1])
			}
		}
	}
}

// TestTheFilesThatContributingNamesAreThere: what a recipe says to copy or edit.
func TestTheFilesThatContributingNamesAreThere(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, m := range span.FindAllStringSubmatch(string(text), -1) {
		if strings.ContainsAny(m[1], " :") || !strings.Contains(m[1], "/") || strings.Contains(m[1], "FORMAT") {
			continue
		}
		named++
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
			t.Errorf("%s is not there", m[1])
		}
	}
	if named < 10 {
		t.Errorf("only %d files were found", named)
	}
}

var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w*`)

// TestEveryTestThatTheThreatModelNamesIsThere reads the names in SECURITY.md and looks for the funcs.
func TestEveryTestThatTheThreatModelNamesIsThere(t *testing.T) {
	there := map[string]bool{}
	files, err := exec.Command("git", "-C", root, "grep", "-hoE", `^func (Test|Fuzz)[A-Z][A-Za-z0-9_]*\(`, "--", "*_test.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(files)) {
		there[strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "func "), "(")] = true
	}
	text, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := testName.FindAllString(string(text), -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, name := range named {
		if !there[name] {
			t.Errorf("SECURITY.md names %s, and there is no such test", name)
		}
	}
}
