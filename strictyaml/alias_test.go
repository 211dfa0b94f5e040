package strictyaml

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestAliasesAreMeasuredByWhatTheyStandFor(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct {
		text string
		fits bool
	}{
		"no alias":               {"a: [1, 2]", true},
		"a long text, no alias":  {"a: " + strings.Repeat(long, 20), true},
		"a star is none":         {"a: '2 * 3'\nb: \"*\"\nc: |\n  rm *.tmp & ls\n", true},
		"some":                   {"a: &a {k: v}\nb: [*a, *a]", true},
		"a long text once more":  {"a: &a " + long + "\nb: *a", true},
		"a long text many times": {"a: &a " + long + "\nb: [" + strings.Repeat("*a, ", 100) + "]", false},
		"aliases of aliases": {"a: &a [x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c]",
			false},
		"within itself":            {"a: &a [*a]", false},
		"in a second document":     {"a: 1\n---\na: &a " + long + "\nb: [" + strings.Repeat("*a, ", 100) + "]", false},
		"no YAML is another's":     {"a: [*", true},
		"an anchor that is not it": {"a: *nowhere", true},
		"a key":                    {"? &a " + long + "\n: [" + strings.Repeat("*a, ", 100) + "]", false},
	} {
		if err := Spelled([]byte(c.text), 10_000); (err == nil) != c.fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsAsLargeAsTheBoundFits(t *testing.T) {
	const size = 28 // the document 4, its keys and values 4, and 5 for each of four letters
	for most := range int64(2 * size) {
		if err := Spelled([]byte("a: &a x\nb: *a"), most); (err == nil) != (most >= size) {
			t.Errorf("within %d: %v", most, err)
		}
	}
	for _, most := range []int64{4, 10_000, math.MaxInt64 / 2} {
		if err := Spelled([]byte("a: &a [*a]"), most); err == nil {
			t.Errorf("what is within itself fits into %d", most)
		}
	}
}

// The sizes of 60 times twice as much are more than a number holds.
func TestASizeThatNoNumberHoldsDoesNotFit(t *testing.T) {
	text := "a0: &a0 [x, x]\n"
	for i := range 80 {
		text += fmt.Sprintf("a%d: &a%[1]d [*a%d, *a%[2]d]\n", i+1, i)
		if err := Spelled([]byte(text), 10_000); (err == nil) != (i < 8) {
			t.Errorf("doubled %d times: %v", i+1, err)
		}
	}
}

func TestTheBoundIsSaidInMiB(t *testing.T) {
	text := []byte("a: &a " + strings.Repeat("x", 1<<20) + "\nb: [*a, *a, *a, *a]")
	for most, want := range map[int64]string{1: "1", 1 << 20: "1", 2<<20 - 1: "1", 3 << 20: "3"} {
		err := Spelled(text, most)
		if err == nil || err.Error() != "want YAML of at most "+want+" MiB with its aliases written out" {
			t.Errorf("%d: %v, want %s MiB", most, err, want)
		}
	}
}
