package detect_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
)

// sensed decodes what a sensor recorded of a scene.
func sensed(t *testing.T, scene string) []event.Event {
	t.Helper()
	text, err := os.ReadFile("../packs/detect/runtime/testdata/" + scene + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	events, err := (&runtime.Decoder{Cluster: "prod"}).All(bytes.NewReader(text))
	if err != nil || len(events) == 0 {
		t.Fatal(len(events), err)
	}
	return events
}

func TestAThousandShellsOfOneServerAreOneAlert(t *testing.T) {
	g := detect.New(rules(t), nil, detect.Options{})
	events := sensed(t, "web-shell")
	var last detect.Alert
	ids := map[string]bool{}
	for i := range 1000 {
		one := events[len(events)-1]
		one.ID, one.Time = fmt.Sprint("e", i), one.Time.Add(time.Duration(i)*time.Minute)
		for _, last = range g.Feed([]event.Event{one}) {
			ids[last.ID] = true
		}
	}
	if len(ids) != 1 || last.Count != 1000 || last.Rule != "shell-from-server" {
		t.Errorf("%d alerts; %s counts %d", len(ids), last.Rule, last.Count)
	}
}

func TestAPodThatBecomesKnownLaterIsNamed(t *testing.T) {
	ask := &graph{}
	g := detect.New(rules(t), ask, detect.Options{})
	made := g.Feed(sensed(t, "web-shell"))
	if len(made) != 1 {
		t.Fatalf("%d alerts", len(made))
	}
	known := false
	tell := func(a *detect.Alert, e event.Entity) ([]event.Entity, string) {
		if !known {
			return nil, "Not known yet."
		}
		return runtime.Place{Namespace: "shop", Pod: "till", PodID: "prod/shop/Pod/till", Container: "app",
			ContainerID: "prod/shop/Pod/till/app", Image: "i", ImageID: "sha256:1"}.Entities(e.Detail), "It is till."
	}
	if a := g.Complete("Container", tell); len(a) != 1 || a[0].ID != made[0].ID || a[0].Count != made[0].Count {
		t.Errorf("a sentence more is a change: %+v", a)
	}
	if a := g.Complete("Container", tell); len(a) != 0 {
		t.Errorf("the same sentence again is none: %+v", a)
	}
	known = true
	a := g.Complete("Container", tell)
	if len(a) != 1 || len(a[0].Context) != 1 {
		t.Fatalf("%+v", a)
	}
	got := ""
	for _, e := range a[0].Entities {
		got += string(e.Role) + " " + e.Kind + " " + e.Name + ", "
	}
	if want := "actor Process run.cgi, related Process httpd, target Pod till, related Container app, related Image i, place Node " +
		"worker-1, actor Process sh, "; got != want {
		t.Errorf("entities %s\nwant %s", got, want)
	}
	if a := g.Complete("Container", tell); len(a) != 0 {
		t.Errorf("what is known is not asked again: %+v", a)
	}
}

// completed resumes an alert with these entities, each "kind name" or, where it has
// an id, "kind name id", and gives what they are after asking about its containers.
func completed(entities []string, tell func(e event.Entity) []event.Entity) (asked, got []string) {
	g := detect.New(&detect.Rules{}, nil, detect.Options{})
	a := detect.Alert{ID: "a", Key: "k"}
	for _, text := range entities {
		f := append(strings.Fields(text), "")
		a.Entities = append(a.Entities, event.Entity{Kind: f[0], Name: f[1], ID: f[2]})
	}
	g.Resume([]detect.Alert{a})
	changed := g.Complete("Container", func(_ *detect.Alert, e event.Entity) ([]event.Entity, string) {
		asked = append(asked, e.Name)
		return tell(e), ""
	})
	for _, c := range changed {
		for _, e := range c.Entities {
			got = append(got, strings.TrimSpace(e.Kind+" "+e.Name+" "+e.ID))
		}
	}
	return asked, got
}

func TestEveryContainerOfAnAlertIsAskedAboutOnce(t *testing.T) {
	pod := event.Entity{Kind: "Pod", Name: "till", ID: "p"}
	of := func(e event.Entity) event.Entity {
		return event.Entity{Kind: "Container", Name: e.Name, ID: "c-" + e.Name}
	}
	for _, c := range []struct {
		name                  string
		entities, asked, want []string
		tell                  func(event.Entity) []event.Entity
	}{
		{"both of one pod", []string{"Container a", "Container b"}, []string{"a", "b"},
			[]string{"Pod till p", "Container a c-a", "Container b c-b"},
			func(e event.Entity) []event.Entity { return []event.Entity{pod, of(e)} }},
		{"one whose answer is there already, then another", []string{"Pod till p", "Container a", "Container b"}, []string{"a", "b"},
			[]string{"Pod till p"}, func(event.Entity) []event.Entity { return []event.Entity{pod} }},
		{"one that is not known, then another", []string{"Container a", "Container b"}, []string{"a", "b"},
			[]string{"Container a", "Container b c-b"}, func(e event.Entity) []event.Entity {
				if e.Name == "a" {
					return nil
				}
				return []event.Entity{of(e)}
			}},
		{"none of another kind, or with an id", []string{"Process a", "Container b b"}, nil, nil,
			func(e event.Entity) []event.Entity { return []event.Entity{pod} }},
		{"an answer that is as unknown", []string{"Container a", "Container b"}, []string{"a", "b"}, []string{"Container x"},
			func(event.Entity) []event.Entity { return []event.Entity{{Kind: "Container", Name: "x"}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked, got := completed(c.entities, c.tell)
			if !slices.Equal(asked, c.asked) || !slices.Equal(got, c.want) {
				t.Errorf("asked %v, want %v; entities %v, want %v", asked, c.asked, got, c.want)
			}
		})
	}
}

func TestACompletedAlertKeepsItsBound(t *testing.T) {
	full := []string{"Container a"}
	for i := range 63 {
		full = append(full, fmt.Sprint("Process ", i))
	}
	_, got := completed(full, func(event.Entity) []event.Entity {
		return []event.Entity{{Kind: "Pod", Name: "till", ID: "p"}, {Kind: "Image", Name: "i", ID: "i"}}
	})
	if len(got) != 64 || got[0] != "Pod till p" || got[1] != "Process 0" {
		t.Errorf("%d entities: %v", len(got), got)
	}
}

func TestOfTwoResumedAlertsOfOneThingTheLaterStays(t *testing.T) {
	g := detect.New(&detect.Rules{}, nil, detect.Options{})
	g.Resume([]detect.Alert{{ID: "old", Key: "k", Objects: []string{"u", "v"}}, {ID: "new", Key: "k", Objects: []string{"u"}}})
	if alerts, _, links := detect.Sizes(g); alerts != 1 || links != 1 {
		t.Errorf("%d alerts, %d links from objects", alerts, links)
	}
}
