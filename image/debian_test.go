package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestADebootstrappedDebianIsWhatDpkgSays compares with dpkg-query's own answer.
// The root file system is made once, from Debian's mirror, and kept in the cache.
func TestADebootstrappedDebianIsWhatDpkgSays(t *testing.T) {
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW=1 runs it")
	}
	root := debootstrapped(t)
	out, err := exec.CommandContext(t.Context(), "dpkg-query", "--admindir="+filepath.Join(root, "var/lib/dpkg"), "-W", "-f",
		"${db:Status-Status} ${Package} ${Version} ${Architecture}\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(out)) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "installed "); ok {
			want = append(want, p)
		}
	}
	inv, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range inv.Packages {
		got = append(got, p.Name+" "+p.Version+" "+p.Architecture)
		if len(p.Files) == 0 || p.Ecosystem != "Debian:12" {
			t.Errorf("%s of %q has %d files", p.Name, p.Ecosystem, len(p.Files))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(want) < 50 {
		t.Errorf("%d packages, dpkg-query says %d:\n%v\n%v", len(got), len(want), got, want)
	}
	if len(inv.Unread)+len(inv.Gaps) > 0 {
		t.Errorf("%v, %v: every program of a plain Debian belongs to a package", inv.Unread, inv.Gaps)
	}
	t.Logf("%d packages", len(got))
}

func debootstrapped(t *testing.T) string {
	for _, tool := range []string{"debootstrap", "dpkg-query"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(cache, "breakwater", "debian-bookworm")
	if _, err := os.Stat(root); err == nil {
		return root
	}
	if os.Geteuid() != 0 {
		t.Skip("debootstrap needs root")
	}
	part := t.TempDir()
	from := mirror(t)
	if out, err := exec.CommandContext(t.Context(), "debootstrap", "--variant=minbase", "bookworm", part, from).CombinedOutput(); err != nil {
		t.Fatalf("debootstrap: %v\n%s", err, strings.ReplaceAll(string(out), from, "the mirror"))
	}
	if err := os.MkdirAll(filepath.Dir(root), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", part, root).CombinedOutput(); err != nil {
		t.Fatalf("keep the root file system: %v\n%s", err, out)
	}
	return root
}

// mirror is where apt gets Debian's main archive from on this machine.
func mirror(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)",
		"Created-By: Packages").Output()
	if err == nil {
		for line := range strings.Lines(string(out)) {
			if uri, ok := strings.CutPrefix(strings.TrimSpace(line), "bookworm "); ok {
				return uri
			}
		}
	}
	return "http://deb.debian.org/debian"
}
