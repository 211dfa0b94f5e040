package corpus

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/breakwater-sec/breakwater/detect"
	"github.com/breakwater-sec/breakwater/detect/builtin"
	"github.com/breakwater-sec/breakwater/event/audit"
)

// detections runs the built-in rules on one file, as a fresh log each time.
type detections struct {
	rules *detect.Rules
	// of are the rules that stand for a behaviour; detections.csv keeps them.
	of map[string][]string
}

func newDetections(t *testing.T) *detections {
	t.Helper()
	rules, err := builtin.Load()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]string{}
	for _, row := range table(t, "detections.csv") {
		of[row["behaviour"]] = strings.Fields(row["rules"])
	}
	return &detections{rules, of}
}

// fired are the rules that fire on a file.
func (d *detections) fired(file string) (out []string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := (&audit.Decoder{Cluster: "corpus"}).All(f)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, errors.New("no events")
	}
	for _, a := range detect.New(d.rules, nil, detect.Options{}).Feed(events) {
		out = append(out, a.Rule)
	}
	return out, nil
}

func oneOf(fired, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(fired, w) })
}

// count counts one labelled file.
func (d *detections) count(s *score, name, file, behaviour string, want bool) {
	s.t.Helper()
	fired, err := d.fired(file)
	if err != nil {
		name += fmt.Sprintf(" (%v)", err)
	}
	s.row(name+" ("+behaviour+")", oneOf(fired, d.of[behaviour]), want)
}

const noRule = "no rule of ours stands for the behaviour "

// TestCorpusAuditPanther scores labelled single events; those in the envelopes of
// managed clouds are not read yet.
func TestCorpusAuditPanther(t *testing.T) {
	dir, d := folder(t, "audit-panther"), newDetections(t)
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "audit-panther", len(key))
	for _, row := range key {
		name := row["case_id"] + ": " + row["test"]
		switch {
		case row["audit_event"] == "":
			s.leave(name, "the event is in a cloud's envelope")
		case d.of[row["behaviour"]] == nil:
			s.leave(name, noRule+row["behaviour"])
		default:
			d.count(s, name, inside(dir, row["audit_event"]), row["behaviour"], row["expected"] == "true")
		}
	}
	s.end()
}

// TestCorpusAuditFalco scores Falco's own test events. A file on which nothing
// should fire forbids every rule; lists of exceptions are not ours.
func TestCorpusAuditFalco(t *testing.T) {
	dir, d := folder(t, "audit-falco"), newDetections(t)
	key := table(t, inside(dir, "expected.csv"))
	s := scoring(t, "audit-falco", len(key))
	for _, row := range key {
		file := inside(dir, row["event_file"])
		switch {
		case row["overrides"] != "":
			s.leave(row["case_id"], "the answer rests on a list of exceptions of Falco's")
		case row["detect"] == "False":
			fired, err := d.fired(file)
			s.row(fmt.Sprintf("%s: fires %v, error %v", row["case_id"], fired, err), len(fired) > 0 || err != nil, false)
		case d.of[row["behaviours"]] == nil:
			s.leave(row["case_id"], noRule+row["behaviours"])
		default:
			d.count(s, row["case_id"], file, row["behaviours"], true)
		}
	}
	s.end()
}

// TestCorpusAuditStratus runs the sample events of Stratus' techniques that a mapped behaviour stands for.
func TestCorpusAuditStratus(t *testing.T) {
	dir, d := folder(t, "audit-stratus"), newDetections(t)
	behaviours := map[string]string{}
	for _, row := range table(t, inside(folder(t, "audit-behaviours"), "mapping.csv")) {
		if row["source"] == "stratus" {
			behaviours[row["rule_id"]] = row["behaviour"]
		}
	}
	key := table(t, inside(dir, "techniques.csv"))
	s := scoring(t, "audit-stratus", len(key))
	for _, row := range key {
		behaviour := behaviours[row["technique"]]
		switch {
		case d.of[behaviour] == nil:
			s.leave(row["technique"], noRule+behaviour)
		case row["event_files"] == "":
			s.leave(row["technique"], "there is no sample event")
		default:
			got := false
			for file := range strings.SplitSeq(row["event_files"], ";") {
				fired, err := d.fired(inside(dir, file))
				got = got || oneOf(fired, d.of[behaviour])
				t.Logf("%s: fires %v, error %v", file, fired, err)
			}
			s.row(row["technique"]+" ("+behaviour+")", got, true)
		}
	}
	s.end()
}
