package detect

import (
	"encoding/json"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

// Alert is one human action that a rule objects to, with everything that is known
// of it. The engine hands it out again, under the same ID, when it learns more:
// those who keep alerts replace the one that was there.
type Alert struct {
	// ID is made of the rule, the cluster, what the alert is about and its first
	// act, so that events that come again make the same one.
	ID         string   `json:"id"`
	Rule       string   `json:"rule"`
	Title      string   `json:"title"`
	Severity   string   `json:"severity"`
	Techniques []string `json:"techniques"`
	Cluster    string   `json:"cluster"`
	// First and Last are when it was seen, by the sender's clock; Count is how often.
	First time.Time `json:"firstSeen"`
	Last  time.Time `json:"lastSeen"`
	Count int       `json:"count"`
	// Entities are what it is about: who did it and to what come first.
	Entities []event.Entity `json:"entities"`
	// Evidence says in sentences what happened.
	Evidence []string `json:"evidence"`
	// Context is what the graph knows of the entities, as of the match.
	Context []About `json:"context"`
	// Events are the events themselves, the first few, without secret values.
	Events []json.RawMessage `json:"events"`

	// What follows lets an engine go on after a restart: see Resume.

	// Key is what makes the alert another than those of the same rule.
	Key string `json:"key"`
	// Acts are those counted last, Objects the uids of what was made.
	Acts    []string `json:"acts"`
	Objects []string `json:"objects"`
}

// Bounds of one alert.
const (
	maxEntities = 64
	maxEvidence = 32
	maxEvents   = 4
	maxRaw      = 16 << 10
	maxActs     = 256
	maxObjects  = 64
)

// add appends what is not there yet, up to a bound; it says whether it did.
func add[T comparable](list *[]T, one T, most int) bool {
	for _, have := range *list {
		if have == one {
			return false
		}
	}
	if len(*list) >= most {
		return false
	}
	*list = append(*list, one)
	return true
}

// counts notes an act and says whether it is a new one. The oldest is forgotten
// beyond the bound.
func (a *Alert) counts(act string) bool {
	for _, have := range a.Acts {
		if have == act {
			return false
		}
	}
	if len(a.Acts) == maxActs {
		a.Acts = append(a.Acts[:0:0], a.Acts[1:]...)
	}
	a.Acts = append(a.Acts, act)
	return true
}

// keep takes an event as evidence; one that is very large is only mentioned.
func (a *Alert) keep(e *event.Event) {
	if len(a.Events) >= maxEvents {
		return
	}
	raw := e.Evidence()
	if len(raw) > maxRaw {
		id, _ := e.Identity()
		raw, _ = json.Marshal(map[string]any{"id": id, "omitted": "the event is too large to be kept", "bytes": len(raw)})
	}
	if len(raw) > 0 {
		a.Events = append(a.Events, raw)
	}
}

// copied is an alert that the engine will not change any more.
func (a *Alert) copied() Alert {
	out := *a
	out.Techniques = append([]string{}, a.Techniques...)
	out.Entities = append([]event.Entity{}, a.Entities...)
	out.Evidence = append([]string{}, a.Evidence...)
	out.Context = append([]About{}, a.Context...)
	out.Events = append([]json.RawMessage{}, a.Events...)
	out.Acts = append([]string{}, a.Acts...)
	out.Objects = append([]string{}, a.Objects...)
	return out
}
