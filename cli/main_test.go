package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/datadir"
	"github.com/breakwater-sec/breakwater/test/pgtest"
)

// nowhere is the home of a user who has none: nothing can be read or made below a file.
const nowhere = os.DevNull

// ofAPerson are the variables by which a program finds what the person has who runs it.
var ofAPerson = []string{"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG",
	datadir.StoreVariable}

// TestMain takes the person's own files out of reach: a test that asks for them fails.
func TestMain(m *testing.M) {
	for _, name := range ofAPerson {
		_ = os.Unsetenv(name) // it fails for no name that can be written
	}
	_ = os.Setenv("HOME", nowhere)
	_ = os.Setenv("KUBECONFIG", filepath.Join(nowhere, "kubeconfig"))
	pgtest.Main(m)
}

// home gives a test a home of its own, which is gone when it ends.
func home(t *testing.T) {
	t.Helper()
	if os.Getenv("HOME") == nowhere {
		t.Setenv("HOME", t.TempDir())
	}
}

func TestWithoutAHomeOfItsOwnATestReachesNothing(t *testing.T) {
	if at := datadir.Default(); !strings.HasPrefix(at, nowhere+"/") {
		t.Errorf("what a test keeps goes to %s", at)
	}
	if err := os.MkdirAll(datadir.Default(), 0o700); err == nil {
		t.Errorf("a test may make %s", datadir.Default())
	}
	home(t)
	own := os.Getenv("HOME")
	if home(t); own == nowhere || os.Getenv("HOME") != own {
		t.Errorf("a test's home is %s and then %s, want one of its own", own, os.Getenv("HOME"))
	}
}
