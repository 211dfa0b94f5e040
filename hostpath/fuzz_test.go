package hostpath

import (
	"slices"
	"strings"
	"testing"
)

// FuzzFolder: a folder has one name, a part of it lies in it, and by whatever names a node's own root is reached, it is
// the node's root.
func FuzzFolder(f *testing.F) {
	for _, seed := range []struct{ folder, sub string }{
		{"/proc/1/root/proc/1/root/proc/1/root/etc/cron.d", "x"}, {"/var", "../etc"}, {"/proc/1", "root/../etc"}, {"/var/run", "../etc"},
		{"/proc/1/root/../etc", ""}, {"/proc/self/root/var/run/../bin", "../.."}, {"/proc/1/task/1/cwd", "var/run/docker.sock"},
		{"/var/lib", "run/../../etc"}, {`C:\var`, `..\Windows`}, {`\\?\C:\Windows`, `a\..\..`}, {`/etc/systemd/a\..\..\..\x`, ""},
		{"/:/:x", ":"}, {"a:b:c", `\`}, {"", ".."}, {"x", "/"}, {`/proC/0\root/..`, ""},
	} {
		f.Add(seed.folder, seed.sub)
	}
	f.Fuzz(func(t *testing.T, folder, sub string) {
		at := Clean(folder)
		if again := Clean(at); again != at {
			t.Errorf("%q is %q and then %q", folder, at, again)
		}
		if at != "/" && slices.ContainsFunc(strings.Split(at[1:], "/"), func(name string) bool {
			return name == "" || name == "." || name == ".."
		}) {
			t.Errorf("%q is %q", folder, at)
		}
		if !ofWindows(folder) {
			for _, root := range []string{"/proc/1/root", "/proc/self/cwd/proc/1/root", "/var/run/../proc/thread-self/root",
				"/proc/7/task/8/root/.."} {
				if got := Clean(root + "/" + folder); got != at {
					t.Errorf("%q at %s is %q, want %q", folder, root, got, at)
				}
			}
		}
		for _, readOnly := range []bool{true, false} {
			if strings.Contains(folder, `\`) && waysOf(at, readOnly) == nil {
				continue // read as Windows reads it, which the name on Linux may no longer tell
			}
			if got, want := Ways(at, readOnly), Ways(folder, readOnly); !slices.Equal(got, want) {
				t.Errorf("%q opens %v, and as %q %v", folder, want, at, got)
			}
		}
		part := Join(folder, sub)
		if Clean(part) != part || Join(folder, "") != at {
			t.Errorf("%q of %q is %q, and that is %q; all of it %q", sub, folder, part, Clean(part), Join(folder, ""))
		}
		if !holdsLinks(at) && !within(part, at) {
			t.Errorf("%q of %q leads out of it, to %q", sub, folder, part)
		}
	})
}

// holdsLinks says that something in a folder leads out of it.
func holdsLinks(folder string) bool {
	for from := range links {
		if within(from, folder) {
			return true
		}
	}
	return within("/proc", folder) || within(folder, "/proc")
}
