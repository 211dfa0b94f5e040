package corpus

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event"
	"github.com/breakwater-sec/breakwater/event/runtime"
)

// runtimeRules are the rules that stand for one of other people's; runtime.csv
// keeps them.
func runtimeRules(t *testing.T, source string) map[string][]string {
	t.Helper()
	of := map[string][]string{}
	for _, row := range table(t, "runtime.csv") {
		if row["source"] == source {
			of[row["theirs"]] = strings.Fields(row["rules"])
		}
	}
	return of
}

// started is a program's start in some container, as a sensor tells it. What runs
// there has run for a while.
func started(name, parent string) []byte {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	id := strings.Repeat("0123456789abcdef", 4)
	r := runtime.Record{Version: runtime.RecordVersion, Kind: runtime.Exec, Node: "node", Boot: "boot", Sequence: 1, Time: at,
		Process:   &runtime.Process{PID: 20, InnerPID: 9, StartedAt: at, Name: name, Path: "/bin/" + name, Arguments: []string{name}},
		Ancestors: []runtime.Process{{PID: 10, StartedAt: at.Add(-time.Hour), Name: parent, Container: id}},
		Container: &runtime.Container{ID: id, Cgroup: "kubepods/pod/" + id, Kubernetes: true}}
	line, err := json.Marshal(r)
	if err != nil {
		panic(err) // a record of ours
	}
	return append(line, '\n')
}

// TestCorpusRuntimeTracee scores Tracee's own cases of programs that start; what
// it sees of files and memory our sensor does not.
func TestCorpusRuntimeTracee(t *testing.T) {
	dir, of := folder(t, "runtime-tracee-tetragon"), runtimeRules(t, "tracee")
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	key := table(t, inside(dir, "tracee_event_cases.csv"))
	s := scoring(t, "runtime-tracee", len(key))
	for _, row := range key {
		name := row["case_id"] + ": " + row["case"]
		switch {
		case row["event"] != "sched_process_exec":
			s.leave(name, "our sensor does not see "+row["event"])
			continue
		case of[row["detector_id"]] == nil:
			s.leave(name, "no rule of ours stands for "+row["detector_id"])
			continue
		}
		var f struct{ ProcessName, PrevComm string }
		if err := json.Unmarshal([]byte(row["fields"]), &f); err != nil {
			t.Fatalf("%s: %v", row["case_id"], err)
		}
		var fired []string
		d := runtime.Decoder{Cluster: "corpus"}
		engine := detect.New(rules, nil, detect.Options{})
		err := d.Read(bytes.NewReader(started(f.ProcessName, f.PrevComm)), func(b *runtime.Batch) error {
			fired = append(fired, rulesOf(engine, b.Events)...)
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", row["case_id"], err)
		}
		s.row(name, oneOf(fired, of[row["detector_id"]]), row["expected"] == "true")
	}
	s.end()
}

func rulesOf(engine *detect.Engine, events []event.Event) (out []string) {
	for _, a := range engine.Feed(events) {
		out = append(out, a.Rule)
	}
	return out
}
