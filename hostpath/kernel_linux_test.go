package hostpath

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel is asked where a name leads in a tree with a node's links, the tree being its root.
func TestNamesLeadWhereAKernelThatWalksThemComes(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"proc/1/task/1", "var/lib", "etc", "run/lock", "usr/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"proc/1/root": "/", "proc/1/cwd": "/", "proc/1/task/1/root": "/",
		"var/run": "/run", "bin": "usr/bin"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(dir) })
	kernel := func(name string) (at string, ok bool) {
		fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
		if err == unix.ENOSYS || err == unix.EPERM {
			t.Skip("the kernel does not walk below a root for us")
		}
		if err != nil {
			return "", false
		}
		defer unix.Close(fd)
		at, err = os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		if err != nil {
			t.Fatal(err)
		}
		return "/" + strings.TrimPrefix(strings.TrimPrefix(at, root), "/"), true
	}
	led := 0
	words := []string{"..", "proc", "1", "root", "cwd", "task", "var", "run", "bin", "etc", "lock"}
	var walk func(name string, more int)
	walk = func(name string, more int) {
		at, ok := kernel(name)
		if !ok {
			return // nothing lies below it either
		}
		led++
		if got := Clean(name); got != at {
			t.Errorf("%s is %s, and the kernel comes to %s", name, got, at)
		}
		for i := 0; i < len(words) && more > 0; i++ {
			walk(strings.TrimSuffix(name, "/")+"/"+words[i], more-1)
		}
	}
	walk("/", 6)
	if led < 1000 {
		t.Errorf("only %d names were walked", led)
	}
}
