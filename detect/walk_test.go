package detect

import (
	"fmt"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

func TestObjectsThatOwnEachOtherInEveryWayAreWalkedOnceEach(t *testing.T) {
	o := newObjects(50_000)
	const layers, wide = 8, 32
	for layer := 1; layer < layers; layer++ {
		for owner := range wide {
			for owned := range wide {
				o.written(&event.Event{Cluster: "c", Object: &event.Object{UID: fmt.Sprint(layer, "-", owned), Kind: "Thing", OwnerKind: "Thing",
					Owner: fmt.Sprint(layer-1, "-", owner)}})
			}
		}
	}
	seen := map[string]int{}
	o.owned("c", "0-0", func(uid string, _ *made) { seen[uid]++ })
	for uid, n := range seen {
		if n > 1 {
			t.Fatalf("%s is met %d times", uid, n)
		}
	}
	if len(seen) == 0 || len(seen) > maxWalk {
		t.Errorf("%d objects are met", len(seen))
	}
}

func TestAnObjectIsWhatSoManyAlertsAreAbout(t *testing.T) {
	g := &Engine{byObject: map[place][]*Alert{}}
	for range maxAbout + 10 {
		g.linkObject(&Alert{Cluster: "c"}, "uid")
	}
	if n := len(g.byObject[place{"c", "uid"}]); n != maxAbout {
		t.Errorf("%d", n)
	}
}
