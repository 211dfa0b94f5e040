package vuln

import (
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/collect"
)

func TestWhatIsRememberedIsBounded(t *testing.T) {
	var r remembered
	for i := range mostMatches/100 + 50 {
		r.put(fmt.Sprint(i), examined{matches: make([]Match, 100)})
	}
	if r.mu.matches > mostMatches || r.mu.matches < mostMatches-100 || r.mu.known.Len()*100 != r.mu.matches {
		t.Errorf("%d matches of %d packages are remembered, want at most %d", r.mu.matches, r.mu.known.Len(), mostMatches)
	}
	if _, known := r.get("0"); known {
		t.Error("the one that was asked for longest ago stays")
	}
	if _, known := r.get(fmt.Sprint(mostMatches/100 + 49)); !known {
		t.Error("the last one is forgotten")
	}
	r.put("damaged", examined{gaps: []collect.Gap{damaged(fmt.Errorf("torn"))}})
	if _, known := r.get("damaged"); known {
		t.Error("what could not be read is not read again")
	}
}

func TestWhatIsRememberedIsCountedOnce(t *testing.T) {
	var r remembered
	known := func(key string) bool { _, ok := r.get(key); return ok }
	if known("a") {
		t.Error("something is known from the beginning")
	}
	for range 3 { // several ask at the same time
		r.put("a", examined{matches: make([]Match, mostMatches/2)})
	}
	r.put("b", examined{matches: make([]Match, mostMatches/2), gaps: []collect.Gap{{What: "its release"}}})
	if !known("a") || !known("b") || r.mu.matches != mostMatches {
		t.Errorf("a: %v, b: %v, %d matches: as much as may be is not too much", known("a"), known("b"), r.mu.matches)
	}
	r.put("c", examined{matches: make([]Match, 1)})
	if known("a") || !known("b") || !known("c") {
		t.Errorf("a: %v, b: %v, c: %v, want the oldest forgotten", known("a"), known("b"), known("c"))
	}
	r.put("d", examined{matches: make([]Match, mostMatches+1)})
	if known("b") || known("d") || r.mu.matches != 0 {
		t.Errorf("b: %v, d: %v, %d matches: one that is too much by itself is not remembered", known("b"), known("d"), r.mu.matches)
	}
	for i := range mostExamined + 1 {
		r.put(fmt.Sprint(i), examined{})
	}
	if known("0") || !known("1") {
		t.Errorf("the first: %v, the second: %v: %d packages without a match are remembered", known("0"), known("1"), r.mu.known.Len())
	}
}
