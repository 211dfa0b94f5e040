// Package terminal writes what strangers have named for people who read it as text: at a terminal, in a file.
package terminal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// Plain keeps what strangers wrote from moving the reader's cursor, and from turning text around or hiding in
// it: names and texts come from images, manifests and advisories. What nobody sees is written out, such as \u202e.
func Plain(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hidden(r):
			b.WriteRune(r)
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// hidden says that a letter has no shape, or does something to others. The portal has the same in ui/src/visible.
func hidden(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(blank, r) }

// blank are letters and marks that have no shape.
const blank = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"

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
