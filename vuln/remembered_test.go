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
