package terminal

import "testing"

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
