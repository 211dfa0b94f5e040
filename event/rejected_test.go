package event

import (
	"errors"
	"testing"
)

func TestATextIsTakenOrRejectedWithAReason(t *testing.T) {
	for _, test := range []struct {
		name    string
		outcome Outcome[int]
		read    bool
		why     string
	}{
		{"what was read", Read(7), true, ""},
		{"what was refused", Refused[int](errors.New("no JSON")), false, "no JSON"},
		{"what its decoder said nothing of", Outcome[int]{}, false, errUnsaid.Error()},
	} {
		var r Rejections
		of, read := test.outcome.Take(&r, 3)
		if read != test.read || read != (of == 7) || read == (r.Refused() == 1) || !read && r.Rejected[0] != (Rejected{3, test.why}) {
			t.Errorf("%s: %d, %v, rejected %v", test.name, of, read, r.Rejected)
		}
	}
}
