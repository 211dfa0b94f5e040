package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestWhatMovesACursorOrTurnsTextAroundIsWrittenOut(t *testing.T) {
	for text, want := range map[string]string{
		"shop/web: öffnen → 日本":                "shop/web: öffnen → 日本",
		"\x1b]0;own\x07\x1b[2J":                `\x1b]0;own\a\x1b[2J`,
		"a\u202eb\u2066c\u200bd\u2028e\u00adf": `a\u202eb\u2066c\u200bd\u2028e\u00adf`,
		"a\u00a0b\u3000c":                      "a b c",
		"a\nb\tc\u009b":                        `a\nb\tc\u009b`,
		"\u3164a\u2800b\U000e0041":             `\u3164a\u2800b\U000e0041`,
		"a\xff":                                "a\ufffd",
	} {
		if got := Plain(text); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Lines("one\ttwo\n\x1b[2Jthree\r\n"); got != "one    two\n\\x1b[2Jthree\\r\n" {
		t.Errorf("%q", got)
	}
}

func TestJSONIsTheSameToWhoParsesItAndMovesNoCursor(t *testing.T) {
	said := []string{"shop/web: öffnen → 日本", "a\u009b2Jb\u202ec\u2066d\u007fe\u00adf", "\U000e0041\u3164", "a\xff", `\u202e "x"`}
	for _, at := range []int{1, 2, 3, 5, 1 << 20} { // writers write as much at once as they like
		var out bytes.Buffer
		text, err := json.MarshalIndent(said, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		w := JSON(&out)
		for part := range slices.Chunk(text, at) {
			if n, err := w.Write(part); err != nil || n != len(part) {
				t.Fatal(n, err)
			}
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return hidden(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Errorf("%q stays", out.String()[i:min(i+10, out.Len())])
		}
		var back, want []string
		if err := errors.Join(json.Unmarshal(out.Bytes(), &back), json.Unmarshal(text, &want)); err != nil || !slices.Equal(back, want) {
			t.Errorf("%q, want %q: %v", back, want, err)
		}
	}
}
