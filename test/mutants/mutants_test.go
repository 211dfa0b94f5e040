package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const judged = `package p

const most = 3

func Full(n int, always bool) bool {
	if always || n >= most {
		return true
	}
	return false
}

func Name(kind string) (string, int) {
	switch kind {
	case "pod":
		return "Pod", 1
	}
	return "", 0
}

func Untested(a, b int) int { return a + b }
`

const itsTests = `package p

import "testing"

func TestFull(t *testing.T) {
	if !Full(4, false) || !Full(0, true) || Full(2, false) {
		t.Fatal()
	}
}

func TestName(t *testing.T) {
	if name, n := Name("pod"); name != "Pod" || n != 1 {
		t.Fatal()
	}
}
`

func module(t *testing.T, files map[string]string) string {
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestWhatNoTestNoticesIsPrinted(t *testing.T) {
	root := module(t, map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.25\n", "p/p.go": judged, "p/p_test.go": itsTests,
		"test/mutants/equivalent.txt": "# reasons\np/p.go\treturn \"\", 0\t0 → 1\tnobody reads the number without a name\n" +
			"p/p.go\tgone\ta → b\tit was so\n",
	})
	var out strings.Builder
	low, err := options{time: time.Hour, parallel: 2, floor: 85, out: &out}.run(root, []target{{dir: "p"}})
	if err != nil {
		t.Fatal(err)
	}
	if !low {
		t.Error("the floor is not kept, and that is fine?")
	}
	for _, want := range []string{
		"p/p.go:6: n >= most → n > most\n", // no test asks for three
		"p/p.go:3: 3 → 4\n",                // a constant, built by itself
		"p/p.go:20: a + b → a - b (no test comes here)\n",
		"p/p.go:17: 0 → 1", // but it is exempt
		"no such mutant any more: p/p.go: gone: a → b",
		"1 equivalent, 0 not tried",
	} {
		if strings.Contains(out.String(), want) == strings.Contains(want, "17") {
			t.Errorf("%q in:\n%s", want, out.String())
		}
	}
	for _, noticed := range []string{"always →", "true → false", "1 → 2", `case "pod"`, "n >= most → true", "n >= most → false"} {
		if strings.Contains(out.String(), noticed) {
			t.Errorf("%q survived:\n%s", noticed, out.String())
		}
	}
}

func TestOnlyChangedLinesAreTried(t *testing.T) {
	lines := changedLines(
		"diff --git a/x/y.go b/x/y.go\n--- a/x/y.go\n+++ b/x/y.go\n@@ -3 +3,2 @@ func f()\n-a\n+b\n+c\n@@ -9,2 +10,0 @@\n-d\n@@ -20 +19 @@\n+e\n",
	)
	got := []int{}
	for line := range 25 {
		if lines["x/y.go"][line] {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, []int{3, 4, 19}) {
		t.Errorf("changed: %v", got)
	}
}

func TestASampleIsTheSameWhereverItsLinesStand(t *testing.T) {
	var first, second []*mutant
	for i := range 30 {
		text := strings.Repeat("x", i)
		first = append(first, &mutant{file: "a.go", line: i, text: text})
		second = append([]*mutant{{file: "a.go", line: i + 100, text: text}}, second...)
	}
	a, b := sample(first, 5), sample(second, 5)
	if len(a) != 5 {
		t.Fatalf("%d of 5", len(a))
	}
	for i := range a {
		if a[i].text != b[i].text {
			t.Errorf("%q and %q", a[i].text, b[i].text)
		}
	}
}

func TestAnExemptionWithoutAReasonIsRefused(t *testing.T) {
	root := module(t, map[string]string{"equivalent.txt": "p/p.go\ta\tb → c\n"})
	if _, err := readExempt(filepath.Join(root, "equivalent.txt")); err == nil || !strings.Contains(err.Error(), "equivalent.txt:1:") {
		t.Errorf("got %v", err)
	}
}

func TestFoldersAndFilesCanBeNamed(t *testing.T) {
	got := chosen([]string{"./rbac", "analyse/cut.go", "analyse/flow.go", "api", "report/lose.go"})
	want := []target{{"rbac", nil}, {"analyse", []string{"cut.go", "flow.go"}}, {"api", []string{"guard.go", "dispatch.go"}},
		{"report", []string{"lose.go"}}}
	if !slices.EqualFunc(got, want, func(a, b target) bool { return a.dir == b.dir && slices.Equal(a.files, b.files) }) {
		t.Errorf("%v, want %v", got, want)
	}
}
