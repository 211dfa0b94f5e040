// Package terminal writes for people at a terminal what strangers have named.
package terminal

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Plain keeps what strangers wrote from moving the reader's cursor, and from turning text around or hiding in
// it: names and texts come from images, manifests and advisories.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return '·'
	}, s)
}

// Lines is Plain for a text of several lines, such as an error that is made of some.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = Plain(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

func Path(w io.Writer, risk, title, where string, story []string) {
	fmt.Fprintf(w, "%s  %s\n   %s\n", strings.ToUpper(risk), Plain(title), Plain(where))
	Story(w, story)
}

// Story numbers the sentences of a path.
func Story(w io.Writer, story []string) {
	for i, line := range story {
		fmt.Fprintf(w, "   %d. %s\n", i+1, Plain(line))
	}
}

// Count is a number with its noun.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
