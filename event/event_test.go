package event

import "testing"

func TestAnEventIsIdentifiedOnceAndWhatItSaysItselfStays(t *testing.T) {
	asked := 0
	identify := func() (id, act string) { asked++; return "made", "made act" }
	for _, test := range []struct {
		event   Event
		id, act string
	}{
		{Event{}, "", ""},
		{Event{ID: "own", Act: "act", Identify: identify}, "own", "act"},
		{Event{Identify: identify}, "made", "made act"},
		{Event{Act: "act", Identify: identify}, "made", "act"},
	} {
		for range 2 {
			if id, act := test.event.Identity(); id != test.id || act != test.act {
				t.Errorf("%q, %q; want %q, %q", id, act, test.id, test.act)
			}
		}
	}
	if asked != 2 {
		t.Errorf("it was made %d times, want once of each of two events", asked)
	}
}
