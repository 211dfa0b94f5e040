package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const root = "../.."

// TestTheNoticeNamesAllThatIsLinkedAndBundled: go run ./test/supply notice notice/third-party.txt makes it anew.
func TestTheNoticeNamesAllThatIsLinkedAndBundled(t *testing.T) {
	have, err := os.ReadFile(filepath.Join(root, "notice/third-party.txt"))
	if err != nil {
		t.Fatal(err)
	}
	parts, err := linkedModules(root)
	if err != nil {
		t.Fatal(err)
	}
	packages, err := bundledPackages(root)
	built := !errors.Is(err, fs.ErrNotExist)
	if built && err != nil {
		t.Fatal(err)
	}
	for _, p := range append(parts, packages...) {
		if _, _, err := p.licensed(); err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(have), p.title()) {
			t.Errorf("the notice does not name %s: go run ./test/supply notice notice/third-party.txt", p.title())
		}
	}
	if !built {
		t.Skip("the packages of npm: the portal is not built: make ui")
	}
	want, err := makeNotice(root)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("the notice is not what is linked and bundled: go run ./test/supply notice notice/third-party.txt")
	}
}

func TestALicenceIsKnownByItsWords(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"Apache": {"Apache License\n   Version 2.0, January 2004", []string{"Apache-2.0"}, ""},
		"MIT": {"Permission is hereby granted, free of charge, to any\nperson obtaining a copy … " +
			"THE SOFTWARE IS PROVIDED “AS IS”", []string{"MIT"}, ""},
		"BSD, three":     {"Redistribution and use in source and binary forms … may be used to endorse or promote", []string{"BSD-3-Clause"}, ""},
		"BSD, two":       {"Redistribution and use in source and binary forms …", []string{"BSD-2-Clause"}, ""},
		"MPL":            {"Mozilla Public License Version 2.0 … GNU General Public License … Secondary License", []string{"MPL-2.0"}, ""},
		"GPL":            {"GNU GENERAL PUBLIC LICENSE\nVersion 3", nil, "gnu general public license"},
		"MIT and AGPL":   {"Permission is hereby granted, free of charge … parts under the GNU Affero", nil, "gnu affero"},
		"business":       {"Business Source License 1.1", nil, "business source"},
		"a notice":       {"This product includes software made at …", nil, ""},
		"made up by one": {"You may use this on Tuesdays", nil, ""},
	} {
		got, err := licencesOf(c.text)
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("You may use this on Tuesdays"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (part{Name: "odd", root: dir, dirs: []string{dir}}).licensed(); err == nil ||
		!strings.Contains(err.Error(), "not on the list of licences") {
		t.Error(err)
	}
	if _, _, err := (part{Name: "bare", root: dir, dirs: []string{t.TempDir()}}).licensed(); err == nil ||
		!strings.Contains(err.Error(), "no licence") {
		t.Error(err)
	}
}

// flags are those of the compiler in test/build.sh: what is tried here is what is handed out.
func flags(t *testing.T) []string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join(root, "test/build.sh"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(script)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "go" && words[1] == "build" {
			return slices.DeleteFunc(words[2:slices.Index(words, `"$@"`)], func(w string) bool { return w == "-v" })
		}
	}
	t.Fatal("test/build.sh compiles nothing")
	return nil
}

// build builds programs as test/build.sh does, in a folder of the sources.
func build(t *testing.T, sources, out string, with, what []string, env ...string) {
	t.Helper()
	args := slices.Concat([]string{"build", "-buildvcs=false", "-o", out + "/"}, with)
	if _, err := os.Stat(filepath.Join(sources, "ui/dist/index.html")); err == nil {
		args = append(args, "-tags", "ui")
	}
	cmd := exec.Command("go", append(args, what...)...)
	cmd.Dir, cmd.Env = sources, append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
}

// TestTheBillOfMaterialsListsWhatTheLinkerWroteAndWhatIsBundled asks go version, which reads the binary by itself.
func TestTheBillOfMaterialsListsWhatTheLinkerWroteAndWhatIsBundled(t *testing.T) {
	slow(t)
	out := t.TempDir()
	build(t, root, out, flags(t), commands)
	packages, err := bundledPackages(root)
	if err != nil {
		t.Log("without the packages of npm: ", err)
	}
	for _, name := range []string{"breakwater", "breakwater-sensor"} {
		bundled := packages
		if name != "breakwater" {
			bundled = nil
		}
		bom := bill(t, filepath.Join(out, name))
		for _, wrong := range lacks(t, filepath.Join(out, name), bundled, bom) {
			t.Error(wrong)
		}
		if n := len(*bom.Components); n < 5 {
			t.Errorf("%s: %d components", name, n)
		}
	}
}

// TestABillOfMaterialsThatLacksSomethingIsNoticed: of this test, which is a binary like another.
func TestABillOfMaterialsThatLacksSomethingIsNoticed(t *testing.T) {
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if wrong := lacks(t, binary, nil, bill(t, binary)); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	for name, change := range map[string]func(all []cdx.Component) []cdx.Component{
		"a part that is missing": func(all []cdx.Component) []cdx.Component { return all[1:] },
		"a part that is too much": func(all []cdx.Component) []cdx.Component {
			return append(all, cdx.Component{Name: "evil", Version: "v1"})
		},
		"another version":          func(all []cdx.Component) []cdx.Component { all[1].Version += ".1"; return all },
		"a part without a licence": func(all []cdx.Component) []cdx.Component { all[1].Licenses = nil; return all },
	} {
		bom := bill(t, binary)
		*bom.Components = change(*bom.Components)
		if len(lacks(t, binary, nil, bom)) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
}

// bill is the bill of materials of a binary, as whoever gets it reads it.
func bill(t *testing.T, binary string) *cdx.BOM {
	t.Helper()
	bom, err := billOf(binary, root)
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := writeBill(&text, bom); err != nil {
		t.Fatal(err)
	}
	read := cdx.NewBOM()
	if err := json.Unmarshal(text.Bytes(), read); err != nil {
		t.Fatal(err)
	}
	return read
}

// lacks says what is wrong with a bill of materials.
func lacks(t *testing.T, binary string, bundled []part, bom *cdx.BOM) (wrong []string) {
	t.Helper()
	var want, got []string
	for _, p := range bundled {
		want = append(want, p.Name+" "+p.Version)
	}
	said, err := exec.Command("go", "version", "-m", binary).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(said)) {
		if f := strings.Fields(line); len(f) >= 3 && f[0] == "dep" {
			want = append(want, f[1]+" "+f[2])
		} else if len(f) == 2 && strings.HasSuffix(f[0], ":") {
			want = append(want, "std "+strings.TrimPrefix(f[1], "go"))
		}
	}
	for _, c := range *bom.Components {
		got = append(got, c.Name+" "+c.Version)
		if c.Licenses == nil || c.PackageURL == "" {
			wrong = append(wrong, "no licence or package URL of "+c.Name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(got) < 2 {
		wrong = append(wrong, fmt.Sprintf("%d components, want %d:\n%v\n%v", len(got), len(want), got, want))
	}
	return wrong
}

// differ are the programs that are not the same in two folders.
func differ(t *testing.T, first, second string, names ...string) (out []string) {
	t.Helper()
	for _, name := range names {
		a, errA := os.ReadFile(filepath.Join(first, name))
		b, errB := os.ReadFile(filepath.Join(second, name))
		if err := errors.Join(errA, errB); err != nil {
			t.Fatal(err)
		}
		if sha256.Sum256(a) != sha256.Sum256(b) {
			out = append(out, fmt.Sprintf("%s is not the same: %d and %d bytes", name, len(a), len(b)))
		}
	}
	return out
}

// TestWhereSourcesLieIsNoticedUnlessTheBuildForgetsIt builds a small program in two folders, as test/build.sh builds ours, and
// without the flag that forgets folders.
func TestWhereSourcesLieIsNoticedUnlessTheBuildForgetsIt(t *testing.T) {
	made := func(with []string) string {
		sources, out := filepath.Join(t.TempDir(), "small"), t.TempDir()
		for name, text := range map[string]string{"go.mod": "module small\n\ngo 1.24\n",
			"main.go": "package main\n\nfunc main() { panic(\"small\") }\n"} {
			if err := errors.Join(os.MkdirAll(sources, 0o755), os.WriteFile(filepath.Join(sources, name), []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		build(t, sources, out, with, []string{"."}, "GOFLAGS=", "GOWORK=off")
		return out
	}
	with := flags(t)
	if wrong := differ(t, made(with), made(with), "small"); len(wrong) > 0 {
		t.Errorf("with %v: %v", with, wrong)
	}
	without := slices.DeleteFunc(slices.Clone(with), func(flag string) bool { return flag == "-trimpath" })
	if len(differ(t, made(without), made(without), "small")) == 0 {
		t.Errorf("with %v nobody notices where the sources lie", without)
	}
}

// TestTheSameSourcesMakeTheSameBinaries: in another folder, with nothing compiled before; on a person's machine, where
// that takes long, only the sensor is compiled anew, and the server is linked again.
func TestTheSameSourcesMakeTheSameBinaries(t *testing.T) {
	slow(t)
	elsewhere, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Skip("the sources are in no repository of git: ", err)
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed, or a link to what is cached
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(elsewhere, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, b, info.Mode().Perm())); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "ui/dist/index.html")); err == nil {
		if err := os.CopyFS(filepath.Join(elsewhere, "ui/dist"), os.DirFS(filepath.Join(root, "ui/dist"))); err != nil {
			t.Fatal(err)
		}
	} else {
		t.Log("without the portal: make ui")
	}
	build(t, root, first, flags(t), commands)
	anew := commands
	if os.Getenv("CI") != "true" {
		anew = commands[1:]
		build(t, elsewhere, second, flags(t), commands[:1])
	}
	build(t, elsewhere, second, flags(t), anew, "GOCACHE="+t.TempDir())
	for _, wrong := range differ(t, first, second, "breakwater", "breakwater-sensor") {
		t.Error(wrong)
	}
}

// TestThePortalIsBuiltTheSameTwice: what it is built of again, and nothing else, decides.
func TestThePortalIsBuiltTheSameTwice(t *testing.T) {
	slow(t)
	if _, err := os.Stat(filepath.Join(root, "ui/dist/index.html")); err != nil {
		t.Skip("the portal is not built: make ui")
	}
	again := filepath.Join(t.TempDir(), "dist")
	cmd := exec.Command("npx", "--no-install", "vite", "build", "--logLevel", "warn", "--outDir", again, "--emptyOutDir")
	cmd.Dir = filepath.Join(root, "ui")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	one, two := content(t, filepath.Join(root, "ui/dist")), content(t, again)
	delete(one, ".key") // ui.sh's own mark
	for name, text := range one {
		if two[name] != text {
			t.Errorf("%s is not the same", name)
		}
	}
	if len(one) != len(two) || len(one) < 5 {
		t.Errorf("%d files and %d", len(one), len(two))
	}
}

func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		out[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// slow are tests that build: test/go.sh runs them.
func slow(t *testing.T) {
	t.Helper()
	if os.Getenv("BREAKWATER_SLOW") == "" {
		t.Skip("BREAKWATER_SLOW is not set")
	}
}
