package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var counts = regexp.MustCompile(`(\d+) rules, (\d+) tests, (\d+) failed`)

// tested runs rules test and returns how many rules it tested.
func tested(t *testing.T, folder ...string) int {
	t.Helper()
	out, errOut, code := command(t, append([]string{"rules", "test"}, folder...)...)
	m := counts.FindStringSubmatch(out)
	if code != 0 || m == nil || m[3] != "0" {
		t.Fatalf("rules test %v: exit code %d: %s%s", folder, code, out, errOut)
	}
	rules, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestEveryFolderOfPacksCanBeTestedByItself(t *testing.T) {
	packs := filepath.Join("..", "packs")
	all, sum := tested(t), 0
	for _, part := range []string{"attack", "paths", "detect/audit", "detect/identity", "detect/runtime", "queries"} {
		n := tested(t, filepath.Join(packs, part))
		files, err := filepath.Glob(filepath.Join(packs, part, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if part == "attack" {
			files = files[2:] // powers.yaml and registries.yaml are no rules
		}
		if n != len(files) {
			t.Errorf("%s: %d rules were tested, there are %d", part, n, len(files))
		}
		sum += n
	}
	if sum != all || tested(t, packs) != all {
		t.Errorf("%d rules in the parts, %d in all of packs, %d built in", sum, tested(t, packs), all)
	}
}

func TestAFolderWithoutRulesIsAnErrorNotASuccess(t *testing.T) {
	empty := t.TempDir()
	if err := os.MkdirAll(filepath.Join(empty, "mine", "attack"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{empty, filepath.Join(empty, "mine"), filepath.Join(empty, "mine", "attack"), "nowhere"} {
		if out, errOut, code := command(t, "rules", "test", folder); code != 2 {
			t.Errorf("%s: exit code %d: %s%s", folder, code, out, errOut)
		}
	}
}

func TestAFolderFromWhichNothingWouldBeLoadedIsRefused(t *testing.T) {
	for _, folder := range []string{t.TempDir(), filepath.Join("..", "packs", "attack"), "nowhere"} {
		for _, args := range [][]string{{"rules", "list", folder}, {"detect", "--audit", "x.log", "--rules", folder}} {
			if out, errOut, code := command(t, args...); code != 2 || !strings.Contains(errOut, "load rules: ") {
				t.Errorf("%v: exit code %d: %s%s", args, code, out, errOut)
			}
		}
	}
}

func TestARuleOfAUsersFolderIsTestedAgainstTheBuiltInOnes(t *testing.T) {
	from := filepath.Join("..", "packs", "paths", "node-takeover.yaml")
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	mine := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(mine, "paths"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(mine, "paths", "my-takeover.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(strings.Replace(string(text), "id: node-takeover", "id: my-takeover", 1))
	if n := tested(t, mine); n != 1 {
		t.Errorf("%d rules were tested, want my own only", n)
	}
	write(string(text))
	if _, errOut, code := command(t, "rules", "test", mine); code != 2 || !strings.Contains(errOut, `id "node-takeover" is that of`) {
		t.Errorf("a built-in rule's id in another file: exit code %d: %s", code, errOut)
	}
}

func TestTechniquesThatAreOnesOfTheirOwnAreCounted(t *testing.T) {
	out, errOut, code := command(t, "rules", "test", "--distinct", filepath.Join("..", "packs", "attack"))
	m := regexp.MustCompile(`(\d+) of (\d+) attack techniques are distinct`).FindStringSubmatch(out)
	if code != 0 || m == nil || m[1] == "0" {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}
