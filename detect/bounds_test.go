package detect

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

func TestAnAlertsListsHoldEachThingOnceUpToTheirBound(t *testing.T) {
	var list []string
	for _, step := range []struct {
		one   string
		added bool
	}{{"a", true}, {"a", false}, {"b", true}, {"c", false}, {"b", false}} {
		if added := add(&list, step.one, 2); added != step.added {
			t.Errorf("%s to %v: added is %v", step.one, list, added)
		}
	}
	if !slices.Equal(list, []string{"a", "b"}) {
		t.Errorf("the list is %v", list)
	}
}

func TestAnActCountsOnceWhileItIsAmongTheLast(t *testing.T) {
	var a Alert
	for n := range maxActs + 1 {
		if !a.counts(fmt.Sprint(n)) || a.counts(fmt.Sprint(n)) {
			t.Fatalf("act %d does not count once", n)
		}
	}
	if len(a.Acts) != maxActs || a.Acts[0] != "1" || a.Acts[maxActs-1] != fmt.Sprint(maxActs) {
		t.Errorf("%d acts from %s to %s", len(a.Acts), a.Acts[0], a.Acts[len(a.Acts)-1])
	}
	if !a.counts("0") {
		t.Error("the oldest is not forgotten")
	}
}

func TestAnAlertKeepsItsFirstEventsWholeUnlessOneIsVeryLarge(t *testing.T) {
	evidence := func(n int) *event.Event {
		text := []byte(`"` + strings.Repeat("x", n-2) + `"`)
		return &event.Event{Identify: func() (id, act string) { return "e", "" }, Redact: func() json.RawMessage { return text }}
	}
	var a Alert
	a.keep(evidence(maxRaw))
	a.keep(evidence(maxRaw + 1))
	a.keep(&event.Event{Redact: func() json.RawMessage { return nil }})
	a.keep(evidence(2))
	if len(a.Events) != 3 || len(a.Events[0]) != maxRaw || len(a.Events[2]) != 2 {
		t.Fatalf("%d events", len(a.Events))
	}
	if want := fmt.Sprintf(`{"bytes":%d,"id":"e","omitted":{}}`, maxRaw+1); string(a.Events[1]) != want { // it has no parts
		t.Errorf("the large one is %s, want %s", a.Events[1], want)
	}
	for range maxEvents {
		a.keep(evidence(2))
	}
	if len(a.Events) != maxEvents {
		t.Errorf("%d events are kept, want %d", len(a.Events), maxEvents)
	}
}

// TestWhoMakesAnEventLargeIsStillToldWithWhatTheyDid: parts that are large are left out, and said to be.
func TestWhoMakesAnEventLargeIsStillToldWithWhatTheyDid(t *testing.T) {
	large := strings.Repeat("<", maxRaw)
	text, err := json.Marshal(map[string]any{"verb": "create", "user": map[string]string{"username": "mallory"},
		"requestObject": map[string]string{"spec": large}, "responseObject": "small", strings.Repeat("k", 100): large, "bytes": "theirs"})
	if err != nil {
		t.Fatal(err)
	}
	var a Alert
	a.keep(&event.Event{Identify: func() (id, act string) { return "e", "" }, Redact: func() json.RawMessage { return text }})
	var got struct {
		ID, Verb       string
		Bytes          int
		User           struct{ Username string }
		ResponseObject string
		RequestObject  any
		Omitted        map[string]int
	}
	if err := json.Unmarshal(a.Events[0], &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "e" || got.Verb != "create" || got.User.Username != "mallory" || got.ResponseObject != "small" || got.RequestObject != nil ||
		got.Bytes != len(text) || len(got.Omitted) != 2 || got.Omitted["requestObject"] < maxRaw || len(a.Events[0]) > maxRaw {
		t.Errorf("%d bytes: %.300s", len(a.Events[0]), a.Events[0])
	}
	// Many parts, with names that are large themselves, and parts that are many, stay within the bound too.
	for _, part := range []int{10, 1000} {
		parts := map[string]string{}
		for n := range 10_000 {
			parts[fmt.Sprint(strings.Repeat("n", part), n)] = "v"
		}
		if text, err = json.Marshal(parts); err != nil {
			t.Fatal(err)
		}
		if got := lean("e", text); len(got) > maxRaw || !json.Valid(got) || !strings.Contains(string(got), `"omitted":{"`) {
			t.Errorf("%d bytes: %.300s", len(got), got)
		}
	}
}

// FuzzLean leaves parts out of evidence of any form.
func FuzzLean(f *testing.F) {
	f.Add([]byte(`{"verb":"create","requestObject":{}}`))
	f.Add([]byte(`"text"`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		padded := append([]byte(`{"pad":"`+strings.Repeat("x", maxRaw)+`","more":`), append(raw, '}')...)
		for _, text := range [][]byte{raw, padded} {
			if got := lean("e", text); len(got) > maxRaw && len(got) > len(text)+maxMention || !json.Valid(got) {
				t.Fatalf("%d bytes of %d: %.200s", len(got), len(text), got)
			}
		}
	})
}
