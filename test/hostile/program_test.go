package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is breakwater without the portal, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		return "", err
	}
	at := filepath.Join(dir, "breakwater")
	if out, err := exec.Command("go", "build", "-o", at, "../../cmd/breakwater").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return at, nil
})

func program(t *testing.T) string {
	t.Helper()
	at, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return at
}
