package detect_test

import (
	"bytes"
	"fmt"
	"os"
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
