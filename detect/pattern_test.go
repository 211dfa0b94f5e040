package detect

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWildcardsAndBackslashes(t *testing.T) {
	tests := []struct {
		glob, value string
		want        bool
	}{
		{"", "", true}, {"", "x", false},
		{"*", "", true}, {"*", "anything", true}, {"**", "", true}, {"a**", "a", true}, {"a**b", "ab", true}, {"a**b", "axb", true},
		{"?", "", false}, {"?", "é", true}, {"?", "ab", false}, {"wb?", "wb", false}, {"?b", "b", false}, {"*?", "", false},
		{"*?", "x", true}, {"?*?", "x", false}, {"?*?", "xy", true},
		// The last part stands at the end, wherever else it comes.
		{"a*b", "abxb", true}, {"a*b", "abx", false}, {"*ab", "abxab", true}, {"*aab", "ab", false}, {"ab*ab", "ab", false},
		{"ab*b", "ab", false}, {"*a*", "xax", true}, {"*a*", "xyz", false}, {"*a*b*c", "abcbc", true}, {"*b*a*", "ab", false},
		// A part in the middle does not begin before the one before it has ended.
		{"ab*bc*d", "abcd", false}, {"ab*bc*d", "abbcd", true},
		// A backslash takes the meaning of *, ? and itself, and stands for itself before anything else.
		{`a\*`, "a*", true}, {`a\*`, "ab", false}, {`a\?`, "a?", true}, {`a\?`, "ab", false}, {`a\\*`, `a\b`, true}, {`a\\*`, "a*", false},
		{`a\\`, `a\`, true}, {`a\\`, `a\\`, false}, {`a\`, `a\`, true}, {`a\`, "a", false}, {`C:\win*`, `c:\windows`, true},
		{`C:\win`, "C:win", false}, {`\\\*`, `\*`, true}, {`*\`, `x\`, true},
		// Characters are not bytes, and have cases outside of ASCII.
		{"É*", "éa", true}, {"*ße", "straße", true}, {"*straSSe", "straße", false}, {"k", "\u212A", true}, {"s", "ſ", true},
		{"[", "{", false}, {"@", "`", false}, {"A", "a", true}, {"Z", "z", true}, {"a", "z", false}, {"é", "è", false},
		{"??", "日本", true}, {"*本?", "日本語", true}, {"日*語", "日本語", true}, {"?", "\xff", true}, {"a?b", "a\xffb", true},
	}
	for _, test := range tests {
		p := pattern{fold: true}
		p.parse(test.glob)
		if got := p.matches(test.value); got != test.want {
			t.Errorf("%q of %q: %v, want %v", test.glob, test.value, got, test.want)
		}
	}
}

func TestACasedPatternKnowsOneCase(t *testing.T) {
	for value, want := range map[string]bool{"WebÉ": true, "webÉ": false, "Webé": false, "WEBÉ": true, "WÉ": false} {
		var p pattern
		p.parse("W*?É")
		if got := p.matches(value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestAnOpenPatternTakesNoBackslashAlong(t *testing.T) {
	tests := []struct {
		modifier, value string
		want            bool
	}{
		{"contains", `a\b`, true}, {"contains", `\`, true}, {"contains", "a*", false},
		{"startswith", `\b`, true}, {"startswith", `a\b`, false}, {"endswith", `a\`, true}, {"endswith", `a\b`, false},
	}
	for _, test := range tests {
		m := modifiers{compare: test.modifier}
		if got := m.text(`\`)([]string{test.value}, nil); got != test.want {
			t.Errorf(`|%s: '\' of %s: %v, want %v`, test.modifier, test.value, got, test.want)
		}
	}
}

// expression says in a regular expression what a pattern says.
func expression(glob string) string {
	var out strings.Builder
	out.WriteString(`(?is)^`)
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '\\' && i+1 < len(glob) && strings.IndexByte(`*?\`, glob[i+1]) >= 0:
			i++
			out.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		case c == '*':
			out.WriteString(".*")
		case c == '?':
			out.WriteString(".")
		default:
			_, n := utf8.DecodeRuneInString(glob[i:])
			out.WriteString(regexp.QuoteMeta(glob[i : i+n]))
			i += n - 1
		}
	}
	return out.String() + "$"
}

func agrees(t *testing.T, glob, s string) {
	t.Helper()
	p := pattern{fold: true}
	p.parse(glob)
	want := regexp.MustCompile(expression(glob)).MatchString(s)
	if got := p.matches(s); got != want {
		t.Errorf("%q of %q: %v, want %v", glob, s, got, want)
	}
}

func TestPatternsAgreeWithExpressions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	draw := func(from string, most int) string {
		letters, out := []rune(from), []rune{}
		for range rnd.IntN(most + 1) {
			out = append(out, letters[rnd.IntN(len(letters))])
		}
		return string(out)
	}
	for range 5000 {
		agrees(t, draw(`**?\abÉ`, 6), draw(`aBé\*?`, 6))
	}
}

func FuzzPatternAgreesWithAnExpression(f *testing.F) {
	f.Add("a*b?c", "aXbYc")
	f.Add(`\*?`, "*x")
	f.Add("*a*", "")
	f.Fuzz(func(t *testing.T, glob, s string) {
		if strings.ContainsRune(glob+s, '\uFFFD') || !utf8.ValidString(glob) || !utf8.ValidString(s) || len(glob) > 100 {
			return
		}
		agrees(t, glob, s)
	})
}
