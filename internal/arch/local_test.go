package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheCommandLineAloneOpensImagesOfThisMachine: what names a file or a folder is of a person at a keyboard. In a server,
// where references are text of others, nothing may read them as such (ADR 440).
func TestTheCommandLineAloneOpensImagesOfThisMachine(t *testing.T) {
	callers := map[string]bool{}
	each(t, func(pkg, file string, _ []string) {
		text, err := os.ReadFile(file)
		if err != nil {
			text, err = os.ReadFile(filepath.Join("..", "..", file))
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "image.ParseLocal(") {
			callers[pkg] = true
		}
	})
	if len(callers) != 1 || !callers["cli"] {
		t.Errorf("image.ParseLocal is called in %v, want in cli alone", callers)
	}
}
