package audit

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzCursorAcceptsNoMoreThanTheStandardLibrary(f *testing.F) {
	for _, s := range []string{`{"a":[1,-0.5e+3,true,null,"\u00e9\n"]}`, `[[[`, `{"a":1,}`, `01`, `"\x"`, `nul`, `{"a" 1}`, ` 1 `, "\"\x01\"", `-`, `1.`, `{"a":1}x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := cursor{s: s}
		err := c.skip()
		c.space()
		ours := err == nil && c.i == len(s)
		theirs := json.Valid([]byte(s))
		if ours != theirs && (ours || !strings.Contains(err.Error(), "nested")) {
			t.Errorf("%q: ours %v (%v), theirs %v", s, ours, err, theirs)
		}
	})
}

func TestNestingIsBounded(t *testing.T) {
	c := cursor{s: strings.Repeat("[", 1<<20)}
	if err := c.skip(); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("error %v", err)
	}
}
