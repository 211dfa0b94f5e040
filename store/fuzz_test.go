package store

import (
	"testing"
	"unicode/utf8"
)

// FuzzCursor reads cursors that somebody made up: those of a list are written again as they were.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{"", "MTI", "bnVsbA", writeCursor(int64(1) << 62), writeCursor("a\x00b"), "e30", "W10", "!", "MTIz\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := readCursor[int64](text); err == nil {
			if again, err := readCursor[int64](writeCursor(n)); err != nil || again != n {
				t.Errorf("%q is %d, and then %d, %v", text, n, again, err)
			}
		}
		if s, err := readCursor[string](text); err == nil && utf8.ValidString(s) {
			if again, err := readCursor[string](writeCursor(s)); err != nil || again != s {
				t.Errorf("%q is %q, and then %q, %v", text, s, again, err)
			}
		}
	})
}

// FuzzShortened cuts texts of strangers: what is kept is bounded, whole characters, and the same when it is cut again.
func FuzzShortened(f *testing.F) {
	for _, seed := range []string{"", "alice", "\x00", "\xff\xfe", "ü"} {
		f.Add(seed, 300)
	}
	f.Fuzz(func(t *testing.T, text string, times int) {
		long := text
		for n := 0; n < min(times, 1000) && len(long) < 2*longestActivity; n++ {
			long += text
		}
		got := shortened(long)
		if len(got) > longestActivity || !utf8.ValidString(got) || shortened(got) != got {
			t.Errorf("%q: %q", long, got)
		}
	})
}
