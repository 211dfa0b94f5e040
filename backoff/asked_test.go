package backoff

import (
	"testing"
	"time"
)

func TestAServerAsksForAPauseInSecondsOrUntilADate(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"0": 0, "7": 7 * time.Second, " 120 ": 2 * time.Minute, "86400": MostAsked, "86401": MostAsked,
		"99999999999999999999999999":     MostAsked, // no number of 64 bits
		"9223372036854775807":            MostAsked, // one whose nanoseconds are none
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun Mar  1 12:00:01 2026":       time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  MostAsked,
		"Mon, 01 Jan 0001 00:00:00 GMT":  0,
	} {
		if got, said := Asked(header, now); got != want || !said {
			t.Errorf("%q: %s, %t, want %s", header, got, said, want)
		}
	}
	for _, header := range []string{"", " ", "-1", "+5", "1.5", "1e3", "soon", "0x10", "1 2", "Sun, 01 Mar 2026"} {
		if got, said := Asked(header, now); got != 0 || said {
			t.Errorf("%q says %s, want nothing said", header, got)
		}
	}
}

func FuzzAsked(f *testing.F) {
	for _, header := range []string{"7", "Sun, 01 Mar 2026 12:00:30 GMT", "-1", "99999999999999999999"} {
		f.Add(header)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, header string) {
		if wait, said := Asked(header, now); wait < 0 || wait > MostAsked || !said && wait != 0 {
			t.Errorf("%q: %s, %t", header, wait, said)
		}
	})
}
