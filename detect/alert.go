package detect

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/breakwater-sec/breakwater/event"
)

// Alert is one human action that a rule objects to, with everything that is known
// of it. The engine hands it out again, under the same ID, when it learns more:
// those who keep alerts replace the one that was there.
type Alert struct {
	// ID is made of the rule, the cluster, what the alert is about and its first
	// act, so that events that come again make the same one.
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	// Excused says why the severity is lower than the rule's, "" if it is not.
	Excused    string   `json:"excused,omitempty"`
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

// keep takes an event as evidence; of one that is very large the largest parts are only mentioned.
func (a *Alert) keep(e *event.Event) {
	if len(a.Events) >= maxEvents {
		return
	}
	raw := e.Evidence()
	if len(raw) > maxRaw {
		id, _ := e.Identity()
		raw = lean(id, raw)
	}
	if len(raw) > 0 {
		a.Events = append(a.Events, raw)
	}
}

// lean is a very large event without its largest parts, and which those are: who made it large does not have it told without who
// did what.
func lean(id string, raw []byte) []byte {
	var parts map[string]json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || parts == nil {
		parts = map[string]json.RawMessage{}
	}
	omitted := map[string]int{}
	size, names := len(raw), slices.Sorted(maps.Keys(parts))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(len(parts[b]), len(parts[a])) })
	for _, name := range names {
		if size <= maxRaw-maxMention {
			break
		}
		size -= len(name) + len(parts[name])
		if len(omitted) < maxMentioned {
			omitted[cut(name)] = len(parts[name])
		}
		delete(parts, name)
	}
	out := map[string]any{"id": id, "bytes": len(raw), "omitted": omitted}
	for name, part := range parts {
		if _, ours := out[name]; !ours {
			out[name] = part
		}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // which would make it longer than it was
	_ = e.Encode(out)      // of what was JSON
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// What is said of parts that are left out has its bounds, too.
const (
	maxMention   = 2 << 10
	maxMentioned = 16
)

// cut is a name that is not made up to be long.
func cut(name string) string {
	if len(name) > 64 {
		return strings.ToValidUTF8(name[:64], "") + "…"
	}
	return name
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
