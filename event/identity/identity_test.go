package identity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/event"
)

func TestARecordNamesBothNodesThePodAndTheAddress(t *testing.T) {
	d := Decoder{Cluster: "prod"}
	for text, want := range map[string]string{
		`{"time":"2026-11-29T20:00:00Z","what":"foreign","node":"a","claimed":"b","from":"192.0.2.7"}`: "actor prod/Node/a, " +
			"target prod/Node/b, related 192.0.2.7",
		`{"time":"2026-11-29T20:00:00Z","what":"pod","node":"a","claimed":"b","namespace":"shop","pod":"web"}`: "actor prod/Node/a, " +
			"target prod/Node/b, related prod/shop/Pod/web",
		`{"time":"2026-11-29T20:00:00Z","what":"held","node":"a","token":"t"}`:    "target prod/Node/a",
		`{"time":"2026-11-29T20:00:00Z","what":"unknown","node":"a","token":"t"}`: "target prod/Node/a",
	} {
		events, err := d.All(strings.NewReader(text + "\n"))
		if err != nil || len(events) != 1 {
			t.Fatalf("%s: %v, %v", text, events, err)
		}
		var got []string
		for _, e := range events[0].Entities {
			name := e.ID
			if name == "" {
				name = e.Name
			}
			got = append(got, string(e.Role)+" "+name)
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
		if events[0].Cluster != "prod" || events[0].Source != Source || len(events[0].Evidence()) == 0 {
			t.Errorf("%+v", events[0])
		}
		for name := range events[0].Fields {
			if !isField(name) {
				t.Errorf("the field %s is not described", name)
			}
		}
	}
}

func isField(name string) bool {
	for _, f := range Fields {
		if f.Name == name {
			return true
		}
	}
	return false
}

func TestWhatIsNoRecordIsRefusedWithAReason(t *testing.T) {
	for text, want := range map[string]string{
		`no JSON`: "no record",
		`{"time":"2026-11-29T20:00:00Z","what":"else","node":"a"}`: "want foreign, pod, held or unknown",

		`{"time":"2026-11-29T20:00:00Z","what":"held"}`:                                                      "names no node",
		`{"time":"2026-11-29T20:00:00Z","what":"foreign","node":"a"}`:                                        "no other node",
		`{"time":"2026-11-29T20:00:00Z","what":"pod","node":"a"}`:                                            "no other node",
		`{"what":"held","node":"a"}`:                                                                         "no time",
		`{"time":"2026-11-29T20:00:00Z","what":"held","node":"` + strings.Repeat("n", 254) + `"}`:            "253 letters",
		`{"time":"2026-11-29T20:00:00Z","what":"held","node":"` + strings.Repeat("n", maxLine) + `"}`:        "longer than",
		`{"time":"2026-11-29T20:00:00Z","what":"held","node":"a","from":"` + strings.Repeat("n", 254) + `"}`: "253 letters",
	} {
		d := Decoder{Cluster: "prod"}
		b, err := d.Read(strings.NewReader(text + "\n"))
		if err != nil || len(b.Events) != 0 || b.Refused() != 1 || !strings.Contains(b.Rejected[0].Why, want) {
			t.Errorf("%.80s: %+v, %v; want %q", text, b, err, want)
		}
	}
}

func TestTheSameInTwoClustersIsTwoEvents(t *testing.T) {
	files, err := filepath.Glob("../../packs/detect/identity/testdata/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	seen := map[string]string{}
	for _, file := range files {
		for _, cluster := range []string{"a", "b"} {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			events, err := (&Decoder{Cluster: cluster}).All(f)
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if of := fmt.Sprint(file, cluster); seen[e.ID] != "" {
					t.Errorf("%s and %s have one id", of, seen[e.ID])
				} else {
					seen[e.ID] = of
				}
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte(`{"time":"2026-11-29T20:00:00Z","what":"foreign","node":"a","claimed":"b"}` + "\n{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := (&Decoder{Cluster: "c"}).Read(strings.NewReader(string(text)))
		if err != nil {
			t.Error(err)
		}
		for _, e := range b.Events {
			if e.Cluster != "c" || len(e.Fields["node.name"]) != 1 || len(e.Entities) == 0 || e.Entities[0].Kind != "Node" ||
				e.Entities[0].Role == event.Related {
				t.Errorf("%+v", e)
			}
		}
	})
}
