package strictyaml

import (
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
