package image

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// These hold what is read against what the tools say that installed it. They fetch from the packages' own
// registries.

// slowly skips a test that fetches, unless it is asked for, or whose tools are not here.
func slowly(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW=1 runs it")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(tool + " is not installed")
		}
	}
}

// in runs a tool in a folder.
func in(t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), tool, args...)
	c.Dir = dir
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", tool, args, err, out, errs.String())
	}
	return string(out)
}

// foundIn is what is read of an ecosystem in a folder.
func foundIn(t *testing.T, root, ecosystem string) (out []string, inv *Inventory) {
	t.Helper()
	inv, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range inv.Packages {
		if p.Ecosystem == ecosystem && !p.Wanted {
			out = append(out, p.Name+"@"+p.Version)
		}
	}
	slices.Sort(out)
	return out, inv
}

// TestWhatNpmInstalledIsWhatItLists: the oracle is npm ls.
func TestWhatNpmInstalledIsWhatItLists(t *testing.T) {
	slowly(t, "npm")
	root := t.TempDir()
	app := filepath.Join(root, "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, "package.json"), []byte(`{"name":"shop","version":"1.0.0"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	in(t, app, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "express@4.17.1", "lodash@4.17.20", "@babel/parser@7.0.0",
		"debug@4.3.4")
	var want []string
	for line := range strings.Lines(in(t, app, "npm", "ls", "--all", "--parseable", "--long")) {
		if _, name, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(name, "shop@") {
			want = append(want, name)
		}
	}
	slices.Sort(want)
	want = slices.Compact(want)
	got, inv := foundIn(t, root, "npm")
	if !slices.Equal(got, want) || len(want) < 40 {
		t.Errorf("%d packages, npm ls says %d:\n%v\n%v", len(got), len(want), got, want)
	}
	if len(inv.Gaps) > 0 {
		t.Errorf("%v", inv.Gaps)
	}
	if err := os.RemoveAll(filepath.Join(app, "node_modules")); err != nil {
		t.Fatal(err)
	}
	inv, err := scanOf(t.Context(), "rootfs:"+root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for _, p := range inv.Packages {
		wanted = append(wanted, p.Name+"@"+p.Version)
	}
	if slices.Sort(wanted); !slices.Equal(wanted, want) || len(inv.Gaps) != 1 {
		t.Errorf("of the lock file %d packages, npm ls said %d; %v", len(wanted), len(want), inv.Gaps)
	}
}

// wheel makes a wheel with a library and a program.
func wheel(t *testing.T, dir, name, version string) string {
	t.Helper()
	file := filepath.Join(dir, strings.ReplaceAll(name, "-", "_")+"-"+version+"-py3-none-any.whl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	module := strings.ReplaceAll(name, "-", "_")
	for _, m := range [][2]string{{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n\nA shop.\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "entry_points.txt", "[console_scripts]\n" + module + " = " + module + ":main\n"},
		{module + "/__init__.py", "def main(): pass\n"}, {module + "/fast.so", elf}, {info + "RECORD", info + "RECORD,,\n"}} {
		w, err := z.Create(m[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWhatPipInstalledIsWhatItLists: the oracle is pip list. Nothing is fetched.
func TestWhatPipInstalledIsWhatItLists(t *testing.T) {
	slowly(t, "python3")
	if err := exec.CommandContext(t.Context(), "python3", "-m", "pip", "--version").Run(); err != nil {
		t.Skip("python3 has no pip")
	}
	root, wheels := t.TempDir(), t.TempDir()
	site := filepath.Join(root, "usr/lib/python3/site-packages")
	in(t, root, "python3", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", site,
		wheel(t, wheels, "Django", "1.11.29"), wheel(t, wheels, "shop-tools", "2.0.post1"))
	var listed []struct{ Name, Version string }
	if err := json.Unmarshal([]byte(in(t, root, "python3", "-m", "pip", "list", "--path", site, "--format", "json")), &listed); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, p := range listed {
		want = append(want, strings.ToLower(p.Name)+"@"+p.Version)
	}
	slices.Sort(want)
	got, inv := foundIn(t, root, "PyPI")
	if !slices.Equal(got, want) || len(want) != 2 {
		t.Errorf("%v, pip list says %v", got, want)
	}
	for _, u := range inv.Unread {
		if u.Kind == programs {
			t.Errorf("%s: each is of a wheel", u)
		}
	}
}

// TestDebiansJavaPackagesAreTheirOwn: the jars of Debian's packages are found, and are these packages' parts.
func TestDebiansJavaPackagesAreTheirOwn(t *testing.T) {
	slowly(t, "apt-get", "dpkg-deb")
	root, debs := t.TempDir(), t.TempDir()
	names := []string{"libcommons-lang3-java", "libcommons-io-java", "libjsoup-java"}
	if out, err := mayFail(t, debs, "apt-get", append([]string{"download", "-qq"}, names...)...); err != nil {
		t.Skipf("apt-get has none of them: %v %.200s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) != len(names) {
		t.Fatalf("%v, %v", files, err)
	}
	status := ""
	for _, deb := range files {
		in(t, debs, "dpkg-deb", "-x", deb, root)
		fields := strings.Fields(in(t, debs, "dpkg-deb", "-W", "--showformat=${Package} ${Version} ${Architecture}", deb))
		status += fmt.Sprintf("Package: %s\nStatus: install ok installed\nVersion: %s\nArchitecture: %s\n\n", fields[0], fields[1], fields[2])
		var list []string
		for line := range strings.Lines(in(t, debs, "dpkg-deb", "-c", deb)) {
			name, _, _ := strings.Cut(strings.Join(strings.Fields(line)[5:], " "), " -> ")
			list = append(list, strings.TrimSuffix(strings.TrimPrefix(name, "."), "/"))
		}
		putFile(t, root, "var/lib/dpkg/info/"+fields[0]+".list", strings.Join(list, "\n"))
	}
	putFile(t, root, "var/lib/dpkg/status", status)
	putFile(t, root, "etc/os-release", debian)
	found, inv := foundIn(t, root, "Maven")
	if len(found) < len(names) || len(inv.Gaps)+len(inv.Unread) > 0 {
		t.Errorf("%v, %v, %v", found, inv.Gaps, inv.Unread)
	}
	for _, want := range []string{"org.apache.commons:commons-lang3@", "commons-io:commons-io@", "org.jsoup:jsoup@"} {
		if !slices.ContainsFunc(found, func(p string) bool { return strings.HasPrefix(p, want) }) {
			t.Errorf("%s is not among %v", want, found)
		}
	}
	for _, p := range inv.Packages {
		if p.Ecosystem == "Maven" && !strings.HasPrefix(p.OwnedBy, "pkg:deb/debian/lib") {
			t.Errorf("%s is of %q", p.Name, p.OwnedBy)
		}
	}
}

// mayFail is in for a tool that may fail.
func mayFail(t *testing.T, dir, tool string, args ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), tool, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	return string(out), err
}

func putFile(t *testing.T, root, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
