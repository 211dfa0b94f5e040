package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/breakwater-sec/breakwater/test/container"
)

func TestTheCommittedObjectIsWhatTheSourceGivesAnywhere(t *testing.T) {
	for _, tool := range []string{"clang-14", "llvm-strip-14"} {
		if _, err := exec.LookPath(tool); err != nil {
			container.Need(t, fmt.Errorf("the object is compiled again with Debian's clang-14 and llvm-14: %w", err))
		}
	}
	dir := filepath.Join(t.TempDir(), "another folder")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"build.sh", "kernel.h", "program.bpf.c"} {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(filepath.Join(dir, "build.sh")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := os.ReadFile(filepath.Join(dir, "program.bpf.o"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made, object) {
		t.Error("program.bpf.o is not what program.bpf.c gives: make generate")
	}
}

func TestWithoutClangGenerateSaysWhatToInstall(t *testing.T) {
	cmd := exec.Command("./build.sh", filepath.Join(t.TempDir(), "x.o"))
	cmd.Env = append(os.Environ(), "CLANG=no-such-clang")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("install Debian's clang-14")) {
		t.Errorf("%v: %s", err, out)
	}
}
