package audit

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzCursorAcceptsNoMoreThanTheStandardLibrary(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+3,true,null,"\u00e9\n"]}`, `[[[`, `{"a":1,}`, `01`, `"\x"`, `nul`, `{"a" 1}`, ` 1 `,
		"\"\x01\"", `-`, `1.`, `{"a":1}x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := newCursor(s)
		err := c.skip()
		ours := err == nil && c.end() == nil
		theirs := json.Valid([]byte(s))
		if ours != theirs && (ours || !strings.Contains(err.Error(), "depth")) {
			t.Errorf("%q: ours %v (%v), theirs %v", s, ours, err, theirs)
		}
	})
}

func TestNestingIsBounded(t *testing.T) {
	if err := newCursor(strings.Repeat("[", 1<<20)).skip(); err == nil || !strings.Contains(err.Error(), "depth") {
		t.Errorf("error %v", err)
	}
}
