package detect

import (
	"slices"

	"github.com/breakwater-sec/breakwater/event"
)

// Complete asks about what could not be named when an alert was made: entities
// without an id of a kind that tell knows. What it gives stands instead of the
// entity; said is a sentence for the evidence, also where nothing is known. It
// returns the alerts that changed.
func (g *Engine) Complete(kind string, tell func(a *Alert, e event.Entity) (instead []event.Entity, said string)) []Alert {
	for _, a := range g.open.Values() {
		for i := 0; i < len(a.Entities); {
			if e := a.Entities[i]; e.Kind == kind && e.ID == "" {
				i = g.complete(a, i, tell)
			} else {
				i++
			}
		}
	}
	return g.handOut()
}

// complete asks about the entity at i and returns where the next one is.
func (g *Engine) complete(a *Alert, i int, tell func(*Alert, event.Entity) ([]event.Entity, string)) int {
	instead, said := tell(a, a.Entities[i])
	if said != "" && add(&a.Evidence, said, maxEvidence+4) { // beyond the events' own bound: it is worth more
		g.markChanged(a)
	}
	if len(instead) == 0 {
		return i + 1
	}
	g.markChanged(a)
	a.Entities = slices.Delete(a.Entities, i, i+1)
	for _, x := range instead {
		if slices.Contains(a.Entities, x) || len(a.Entities) >= maxEntities {
			continue
		}
		a.Entities = slices.Insert(a.Entities, i, x)
		i++
		g.ask(a, x)
	}
	return i
}
