package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// ordered is a list of severities in their order, as only package severity has one.
var ordered = regexp.MustCompile(`(?i)"low",\s*"medium",\s*"high"|"high",\s*"medium",\s*"low"`)

func TestThereIsOneScaleOfSeverities(t *testing.T) {
	root := filepath.Join("..", "..")
	listed := exec.CommandContext(t.Context(), "git", "ls-files", "*.go")
	listed.Dir = root
	files, err := listed.Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	seen := 0
	for _, file := range strings.Fields(string(files)) {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			continue // deleted, and not yet committed
		}
		seen++
		if ordered.Match(text) && !strings.HasPrefix(file, "severity/") && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s orders severities by itself: package severity does", file)
		}
	}
	if seen < 100 {
		t.Errorf("only %d files were looked at", seen)
	}
}
