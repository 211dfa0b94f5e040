package severity

import (
	"slices"
	"strings"
	"testing"
)

func TestTheScaleIsInOrderInAnyCase(t *testing.T) {
	want := []Severity{Unknown, None, Low, Medium, High, Critical}
	for i, s := range want {
		for _, word := range []string{string(s), strings.ToLower(string(s)), strings.ToUpper(string(s))} {
			if got, ok := Parse(word); got != s || !ok || Rank(word) != i {
				t.Errorf("%q is %q (%v) at %d, want %q at %d", word, got, ok, Rank(word), s, i)
			}
		}
		if i > 0 && (Compare(want[i-1], s) >= 0 || Compare(s, want[i-1]) <= 0 || Compare(s, s) != 0) {
			t.Errorf("%s is not above %s", s, want[i-1])
		}
	}
}

func TestAWordThatIsNoneIsBelowAll(t *testing.T) {
	for _, word := range []string{"", "important", "hi", "highh"} {
		if s, ok := Parse(word); ok || s != Unknown || Rank(word) >= Rank(Unknown) || IsRated(word) {
			t.Errorf("%q is read as %q", word, s)
		}
	}
}

func TestAFilterTakesAWordAndWhatIsAboveIt(t *testing.T) {
	for least, want := range map[string]string{"low": "low medium high critical", "High": "high critical", "critical": "critical"} {
		if got, err := AtLeast(least); err != nil || strings.Join(got, " ") != want {
			t.Errorf("at least %s: %v, %v; want %s", least, got, err, want)
		}
	}
	for _, least := range []string{"", "none", "unknown", "severe"} {
		if got, err := AtLeast(least); err == nil || !strings.Contains(err.Error(), "want one of low, medium, high, critical") {
			t.Errorf("at least %q: %v, %v", least, got, err)
		}
	}
	if !slices.IsSortedFunc(Rated, Compare) || !slices.IsSortedFunc(Scale, Compare) {
		t.Error("the words are not in order")
	}
}
